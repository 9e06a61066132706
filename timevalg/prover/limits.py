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
    grace : float
        Seconds more before the process is killed: CP-SAT overruns its own limit.
    effort : float
        CP-SAT's deterministic time for each solve: the same on every machine.
    seed : int
        The same seed gives the same answers.
    """

    memory: int = 2048
    wall: float = 20.0
    grace: float = 5.0
    effort: float = 8.0
    seed: int = 1
