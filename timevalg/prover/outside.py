"""CP-SAT in a process of its own, which may fail in any way without harm."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO

import structlog

from timevalg.prover.limits import Limits
from timevalg.solver.problem import Problem, Solution

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CpSat:
    """A prover; an answer that does not come is an empty `Solution`.

    Attributes
    ----------
    command : tuple of str
        What starts the process.
    until : float
        By the monotonic clock: after it nothing is begun, and what is under way is cut short.
    """

    limits: Limits = field(default_factory=Limits)
    command: tuple[str, ...] = (sys.executable, "-m", "timevalg.prover")
    until: float = math.inf

    def sitting(self, seconds: float) -> CpSat:
        """Give one whose runs take no more than so many seconds together, from now on."""
        return replace(self, until=time.monotonic() + seconds)

    def solve(self, problems: Sequence[Problem]) -> list[Solution]:
        """Solve problems, one after the other.

        Not to be called while a transaction or lock is held: it takes as long as the wall limit.

        Returns
        -------
        list of Solution
            One for each problem. Whatever goes wrong (CP-SAT is not installed, memory or time ran
            out, the process was killed), what it did not come to is left empty.
        """
        left = min(self.limits.wall, self.until - time.monotonic())
        if not problems or left <= 0:
            return [Solution() for _ in problems]
        answered = self._answers(problems, replace(self.limits, wall=left))
        return [*answered, *(Solution() for _ in problems[len(answered) :])]

    def _answers(self, problems: Sequence[Problem], limits: Limits) -> list[Solution]:
        lifeline, held = os.pipe()
        try:
            done = subprocess.run(
                self.command,
                input=pickle.dumps((limits, lifeline, tuple(problems))),
                capture_output=True,
                timeout=limits.wall + limits.grace,
                pass_fds=(lifeline,),
                check=False,
            )
            output, failed = done.stdout, f"status {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired as expired:
            output, failed = expired.stdout or b"", "out of time"
        except OSError as error:
            output, failed = b"", type(error).__name__
        finally:
            os.close(lifeline)
            os.close(held)
        answers = _read(output)
        if failed:
            _log.warning("prover failed", why=failed, answered=len(answers), problems=len(problems))
        return answers


def _read(output: bytes) -> list[Solution]:
    """Give the answers that are complete."""
    stream, answers = BytesIO(output), list[Solution]()
    while True:
        try:
            answers.append(pickle.load(stream))
        except (EOFError, pickle.UnpicklingError):
            return answers
