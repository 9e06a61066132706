"""How far one run of the prover may go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one run, however many problems it is given.

    Attributes
    ----------
    memory : int
        MiB of address space (where the system keeps to that; macOS does not).
    wall : float
        Seconds, from the start of the process. What has been answered until then counts.
    least : float
        Seconds that a problem may always take of these, though others wait; what it leaves of its
        even share is theirs.
    grace : float
        Seconds more before the process is killed: CP-SAT overruns its own limit.
    effort : float
        CP-SAT's deterministic time for each solve: the same on every machine.
    seed : int
        The same seed gives the same answers.
    """

    memory: int = 2048
    wall: float = 20.0
    least: float = 2.0
    grace: float = 5.0
    effort: float = 8.0
    seed: int = 1

    def until(self, now: float, end: float, waiting: int) -> float:
        """Say until when a problem may take, so that one that is hard does not starve the others.

        Parameters
        ----------
        now, end : float
            Seconds; the end of all.
        waiting : int
            Problems not answered yet, this one included.
        """
        return min(end, now + max(self.least, (end - now) / waiting))
