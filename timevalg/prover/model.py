"""The problem as a CP-SAT model: `RULES` reads like docs/clinic-file.md, one method a rule.

Rules 1 to 4 and everything that is fixed came in as candidate starts; here it is decided between
tasks. Source: docs/clinic-file.md, "When is a start feasible?" and "Reserves and safe offers".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

from timevalg.solver.bits import cells
from timevalg.solver.problem import Need, Option, Problem, Seat, Wanted

Literal = cp_model.IntVar


@dataclass(frozen=True)
class Visit:
    """One option of one task.

    Attributes
    ----------
    chosen : literal
        The task has its visit here.
    start : variable
        Cells after the problem's first.
    serves : list of dict
        For each need, resource id → literal.
    """

    wanted: Wanted
    option: Option
    chosen: Literal
    start: cp_model.IntVar
    serves: list[dict[str, Literal]] = field(default_factory=list)

    def uses(self) -> Iterator[tuple[Need, str, Literal]]:
        """Give every resource that may serve, with its need."""
        for need, of_need in zip(self.option.needs, self.serves, strict=True):
            for name, literal in of_need.items():
                yield need, name, literal


class Model:
    """A problem's variables and rules.

    Attributes
    ----------
    served : dict
        Task id → literal: it has a place.
    harmed : list of list of (Wanted, literal)
        For each harm, the worst first, whom it would befall.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.cp = cp_model.CpModel()
        self.served: dict[str, Literal] = {}
        self.visits: dict[str, list[Visit]] = {}
        self.harmed: list[list[tuple[Wanted, Literal]]] = []
        for rule in RULES:
            rule(self)

    def starts(self) -> None:
        """Rules 1 to 4: a visit begins at a candidate start of its pool."""
        for wanted in self.problem.wanted:
            visits = self.visits[wanted.task] = []
            for number, option in enumerate(wanted.options):
                if option.starts:
                    name = f"{wanted.task}/{number}"
                    start = self.cp.new_int_var_from_domain(_domain(option.starts), name)
                    visits.append(Visit(wanted, option, self.cp.new_bool_var(name), start))

    def one_place(self) -> None:
        """A live task has at most one place; those that must have one do."""
        for wanted in self.problem.wanted:
            served = self.cp.new_bool_var(f"{wanted.task} served")
            self.served[wanted.task] = served
            self.cp.add(sum(v.chosen for v in self.visits[wanted.task]) == served)
            if wanted.must:
                self.cp.add(served == 1)

    def roles(self) -> None:
        """Rule 5: every role has as many resources as it needs, each able at that start."""
        for visit in self._all():
            for need in visit.option.needs:
                serves: dict[str, Literal] = {}
                for name, able in need.able.items():
                    literal = self.cp.new_bool_var(f"{visit.chosen.name}/{need.role}/{name}")
                    serves[name] = literal
                    if able != visit.option.starts:
                        inside = _domain(able)
                        self.cp.add_linear_expression_in_domain(
                            visit.start, inside
                        ).only_enforce_if(literal)
                self.cp.add(sum(serves.values()) == need.count * visit.chosen)
                visit.serves.append(serves)

    def different(self) -> None:
        """Rule 5: all resources of a visit are different, at whatever minutes they serve."""
        for visit in self._all():
            by_name = defaultdict[str, list[Literal]](list)
            for _, name, literal in visit.uses():
                by_name[name].append(literal)
            for literals in by_name.values():
                if len(literals) > 1:
                    self.cp.add_at_most_one(literals)

    def together(self) -> None:
        """Rule 5: roles that are tied form one of the rows."""
        for visit in self._all():
            for roles, rows in visit.option.together:
                taken = []
                for row in rows:
                    pairs = list(zip(roles, row, strict=True))
                    if all(name in visit.serves[role] for role, name in pairs):
                        taken.append(self.cp.new_bool_var(f"{visit.chosen.name}/{row}"))
                        for role, name in pairs:
                            self.cp.add_implication(taken[-1], visit.serves[role][name])
                self.cp.add(sum(taken) == visit.chosen)

    def resources_once(self) -> None:
        """Rule 5: nobody and nothing is taken twice."""
        taken = defaultdict[str, list[cp_model.IntervalVar]](list)
        for visit in self._all():
            for need, name, literal in visit.uses():
                taken[name].append(self._interval(visit, need.start, need.length, literal))
        self._apart(taken.values())

    def patients_once(self) -> None:
        """Rule 7: the visits of one patient do not overlap."""
        tasks = defaultdict[str, set[str]](set)
        for wanted in self.problem.wanted:
            tasks[wanted.patient].add(wanted.task)
        taken = defaultdict[str, list[cp_model.IntervalVar]](list)
        for visit in self._all():
            if len(tasks[visit.wanted.patient]) > 1:
                interval = self._interval(visit, 0, visit.option.length, visit.chosen)
                taken[visit.wanted.patient].append(interval)
        self._apart(taken.values())

    def quotas(self) -> None:
        """Rules 5 and 6: no quota takes more than it has left, of pools or of each resource."""
        for number, periods in enumerate(self.problem.quotas):
            counted = [v for v in self._all() if number in v.option.quotas]
            for period in periods:
                there = [v for v in counted if v.option.starts & period.cells]
                for name, left in period.left.items():
                    self._at_most(left, name, period.cells, there)

    def harms(self) -> None:
        """Somebody is harmed by a start, or meets another clinician than they expect."""
        visits = [v for v in self._all() if v.option.harms or v.option.known is not None]
        levels = max((len(v.option.harms) for v in visits), default=0)
        self.harmed = [[] for _ in range(levels + bool(visits))]
        for visit in visits:
            for level, bits in enumerate(visit.option.harms):
                if bits & visit.option.starts:
                    self.harmed[level].append((visit.wanted, self._within(visit, bits)))
            if visit.option.known is not None:
                self.harmed[-1].append((visit.wanted, self._stranger(visit, visit.option.known)))

    def far(self) -> list[cp_model.IntVar]:
        """Give how many cells visits are from the start that they should be near to."""
        found = []
        for visit in self._all():
            near, starts = visit.wanted.near, cells(visit.option.starts)
            if near is not None:
                most = max(abs(starts[0] - near), abs(starts[-1] - near))
                far = self.cp.new_int_var(0, most, f"{visit.chosen.name} far")
                self.cp.add(far >= visit.start - near).only_enforce_if(visit.chosen)
                self.cp.add(far >= near - visit.start).only_enforce_if(visit.chosen)
                found.append(far)
        return found

    def seat(self, task: str, value: Callable[[cp_model.IntVar], int]) -> Seat | None:
        """Read where a task is in a solver's answer."""
        for visit in self.visits[task]:
            if value(visit.chosen):
                names = tuple(
                    tuple(name for name, literal in serves.items() if value(literal))
                    for serves in visit.serves
                )
                return Seat(visit.wanted.options.index(visit.option), value(visit.start), names)
        return None

    def begin_at(self, seats: dict[str, Seat | None]) -> None:
        """Tell the solver where to begin."""
        self.cp.clear_hints()  # type: ignore[no-untyped-call]  # ortools leaves it untyped
        for task, seat in seats.items():
            self.cp.add_hint(self.served[task], seat is not None)
            for visit in self.visits[task]:
                here = seat is not None and visit.wanted.options[seat.option] is visit.option
                self.cp.add_hint(visit.chosen, here)
                if seat is not None and here:
                    self.cp.add_hint(visit.start, seat.start)
                for number, serves in enumerate(visit.serves):
                    for name, literal in serves.items():
                        used = seat is not None and here and name in seat.names[number]
                        self.cp.add_hint(literal, used)

    def _all(self) -> Iterator[Visit]:
        for visits in self.visits.values():
            yield from visits

    def _within(self, visit: Visit, bits: int) -> Literal:
        """Give a literal that holds if the visit is at one of some starts."""
        elsewhere = visit.option.starts & ~bits
        if not elsewhere:
            return visit.chosen
        inside = self.cp.new_bool_var(f"{visit.chosen.name} harms")
        self.cp.add_linear_expression_in_domain(visit.start, _domain(elsewhere)).only_enforce_if(
            visit.chosen, ~inside
        )
        return inside

    def _stranger(self, visit: Visit, known: frozenset[str]) -> Literal:
        """Give a literal that holds if other clinicians serve the visit than those known."""
        other = self.cp.new_bool_var(f"{visit.chosen.name} strangers")
        used = defaultdict[str, list[Literal]](list)
        for number in visit.option.clinicians:
            for name, literal in visit.serves[number].items():
                used[name].append(literal)
                if name not in known:
                    self.cp.add_implication(literal, other)
        for name in known:
            self.cp.add(sum(used[name]) + other >= 1).only_enforce_if(visit.chosen)
        return other

    def _interval(
        self, visit: Visit, offset: int, length: int, present: Literal
    ) -> cp_model.IntervalVar:
        name = f"{present.name} taken"
        return self.cp.new_optional_fixed_size_interval_var(
            visit.start + offset, length, present, name
        )

    def _apart(self, groups: Iterable[Sequence[cp_model.IntervalVar]]) -> None:
        for intervals in groups:
            if len(intervals) > 1:
                self.cp.add_no_overlap(intervals)

    def _at_most(self, left: int, resource: str, period: int, visits: Sequence[Visit]) -> None:
        """Let at most `left` of some visits be in a period (and use a resource, if named)."""
        inside = []
        for visit in visits:
            literals = [x for _, name, x in visit.uses() if name == resource]
            if resource and not literals:
                continue
            counts = self.cp.new_bool_var(f"{visit.chosen.name} counts")
            outside = visit.option.starts & ~period
            for literal in literals if resource else [visit.chosen]:
                if outside:
                    self.cp.add_linear_expression_in_domain(
                        visit.start, _domain(outside)
                    ).only_enforce_if(literal, ~counts)
                else:
                    self.cp.add_implication(literal, counts)
            inside.append(counts)
        if len(inside) > left:
            self.cp.add(sum(inside) <= max(0, left))


def _domain(bits: int) -> cp_model.Domain:
    return cp_model.Domain.from_values(cells(bits))


RULES: tuple[Callable[[Model], None], ...] = (
    Model.starts,
    Model.one_place,
    Model.roles,
    Model.different,
    Model.together,
    Model.resources_once,
    Model.patients_once,
    Model.quotas,
    Model.harms,
)
"""What a plan must keep, in that order of the rules; variables come with the first ones."""
