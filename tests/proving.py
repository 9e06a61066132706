"""CP-SAT in the process of the tests: how fast another one starts is no matter of most of them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from timevalg.prover.limits import Limits
from timevalg.solver.problem import Problem, Solution


class Here:
    """A prover without a process of its own; `tests/integration/test_prover.py` is about that."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()

    def sitting(self, seconds: float) -> Here:
        """Give itself: tests wait as long as it takes."""
        return self

    def solve(self, problems: Sequence[Problem]) -> list[Solution]:
        """Solve them one after the other."""
        return [self._answer(problem) for problem in problems]

    def _answer(self, problem: Problem) -> Solution:
        from timevalg.prover.levels import solve  # CP-SAT is loaded where it is needed

        try:
            return solve(problem, self._limits, time.monotonic() + 60)
        except IndexError:  # CP-SAT itself fails now and then: nothing is said, as by its process
            return Solution()
