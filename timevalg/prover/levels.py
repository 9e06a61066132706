"""Who goes without when not all can be served: level by level, each solved under those before.

Fewest of priority 1, then of 2 … 5; among equals those whose deadlines are latest (in sum). Then
each harm that a start may do, the worst first.
"""

from __future__ import annotations

import time
from dataclasses import replace

from ortools.sat.python import cp_model

from timevalg.prover.limits import Limits
from timevalg.prover.model import Model
from timevalg.solver.problem import Problem, Seat, Solution

EVERYBODY = 1 / 3
"""The share of the time in which it is tried to serve all; then somebody goes without."""


def solve(problem: Problem, limits: Limits, until: float) -> Solution:
    """Solve a problem.

    Parameters
    ----------
    until : float
        By `time.monotonic`; what is known then is the answer.
    """
    optional = [w for w in problem.wanted if not w.must]
    all_must = replace(problem, wanted=tuple(replace(w, must=True) for w in problem.wanted))
    soon = time.monotonic() + (until - time.monotonic()) * EVERYBODY
    everybody = _Run(all_must, limits, soon if optional else until)
    everybody.solve()
    if everybody.seats is not None or not optional:
        return everybody.least_harm()
    run = _Run(problem, limits, until)
    without = [(w, ~run.model.served[w.task]) for w in optional]
    for priority in sorted({w.priority for w in optional}):
        run.least(sum(x for w, x in without if w.priority == priority))
    latest = max(w.deadline for w in optional)
    run.least(sum((latest - w.deadline) * x for w, x in without))
    return run.least_harm()


class _Run:
    """One model, solved again and again under ever more conditions.

    Attributes
    ----------
    seats : dict or None
        The best answer so far.
    """

    def __init__(self, problem: Problem, limits: Limits, until: float) -> None:
        self.model = Model(problem)
        self.model.begin_at({w.task: w.now_at for w in problem.wanted})
        self.seats: dict[str, Seat] | None = None
        self._limits, self._until = limits, until
        self._certain = True
        self._solver = cp_model.CpSolver()

    def least_harm(self) -> Solution:
        """Give the best answer so far, and whether it is proven that there is no better.

        The worst harm befalls as few as can be, of these those with the latest deadlines; then the
        next harm. What is alike is as near as can be, of which nothing is proven.
        """
        for number, harmed in enumerate(self.model.harmed if self.seats is not None else ()):
            if harmed:
                self.least(sum(x for _, x in harmed))
            if harmed and number == 0:
                latest = max(w.deadline for w, _ in harmed)
                self.least(sum((latest - w.deadline) * x for w, x in harmed))
        certain, far = self._certain, self.model.far() if self.seats is not None else []
        if far:
            self.least(sum(far))
        return Solution(self.seats, certain)

    def least(self, amount: cp_model.LinearExprT) -> None:
        """Make an amount as small as it can be, and keep it so from now on."""
        self.model.cp.minimize(amount)
        if self.solve():
            self.model.cp.add(amount <= round(self._solver.objective_value))

    def solve(self) -> bool:
        """Look for an answer; tells whether one was found this time."""
        left = self._until - time.monotonic()
        if left <= 0:
            self._certain = False
            return False
        parameters = self._solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = self._limits.seed
        parameters.max_deterministic_time = self._limits.effort
        parameters.max_time_in_seconds = left
        status = self._solver.solve(self.model.cp)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            self._certain = self._certain and status == cp_model.INFEASIBLE and self.seats is None
            return False
        self._certain = self._certain and status == cp_model.OPTIMAL
        seats = {task: self.model.seat(task, self._solver.value) for task in self.model.served}
        self.seats = {task: seat for task, seat in seats.items() if seat is not None}
        self.model.begin_at({**dict.fromkeys(self.model.served), **self.seats})
        return True
