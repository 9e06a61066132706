"""What a prover is asked and what it answers, as plain values that cross to another process.

The search works out the candidates (rules 1 to 5, quotas and patients as far as they are fixed);
what is left to decide is who of some tasks goes where, so that nothing is taken twice. A prover
therefore knows no rule of a clinic a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Need:
    """One role of a visit.

    Attributes
    ----------
    count : int
        How many resources serve it.
    start, length : int
        Cells from the visit's start, and for how many.
    able : mapping
        Resource id → bits of the starts at which it could serve, as far as what is fixed goes.
    """

    role: str
    count: int
    start: int
    length: int
    able: Mapping[str, int]


@dataclass(frozen=True)
class Option:
    """One pool in which a task could have its visit.

    Attributes
    ----------
    starts : int
        Bits of the candidate starts; bit 0 is the problem's first cell.
    length : int
        Cells of the visit.
    together : tuple of (roles, rows)
        Numbers of the roles that are tied, and the resources they may have.
    quotas : tuple of int
        Numbers of the problem's quotas that count the pool.
    harms : tuple of int
        Bits of the starts that harm, one number a harm, the worst first.
    known : frozenset of str or None
        Ids of the clinicians that the patient expects: others are the least of harms.
    clinicians : tuple of int
        Numbers of the roles that clinicians serve.
    """

    pool: str
    starts: int
    length: int
    needs: tuple[Need, ...]
    together: tuple[tuple[tuple[int, ...], tuple[tuple[str, ...], ...]], ...] = ()
    quotas: tuple[int, ...] = ()
    harms: tuple[int, ...] = ()
    known: frozenset[str] | None = None
    clinicians: tuple[int, ...] = ()


@dataclass(frozen=True)
class Seat:
    """Where a task has its visit.

    Attributes
    ----------
    option : int
        Number of the task's option.
    start : int
        Cells after the problem's first.
    names : tuple of tuple of str
        For each need the resources that serve it.
    """

    option: int
    start: int
    names: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Wanted:
    """A task that wants one of its options.

    Attributes
    ----------
    must : bool
        It may not go without.
    priority, deadline : int
        Who goes without first: priority 5 before 1, then the latest deadline (day number).
    now_at : Seat or None
        Where it is now; a solver may begin from there.
    near : int or None
        The start to be near to, if nothing else tells answers apart.
    """

    task: str
    patient: str
    options: tuple[Option, ...]
    must: bool
    priority: int = 3
    deadline: int = 0
    now_at: Seat | None = None
    near: int | None = None


@dataclass(frozen=True)
class Period:
    """One period of a quota: its cells, and how many more visits it takes.

    Attributes
    ----------
    left : mapping
        Resource id → visits; the empty id where the pools are counted together.
    """

    cells: int
    left: Mapping[str, int]


@dataclass(frozen=True)
class Problem:
    """Tasks that compete.

    Attributes
    ----------
    first : int
        The cell of bit 0, counted from 1970.
    quotas : tuple of tuple of Period
        Each with its periods.
    """

    first: int
    wanted: tuple[Wanted, ...]
    quotas: tuple[tuple[Period, ...], ...] = ()


@dataclass(frozen=True)
class Solution:
    """A prover's answer.

    Attributes
    ----------
    seats : mapping or None
        Task id → where it goes, for those that get a place; None = no answer was found.
    proven : bool
        With seats: no other answer leaves out fewer (by priority, then deadline), or harms less
        (each harm counted, the worst first). Without: there is none.
    """

    seats: Mapping[str, Seat] | None = field(default=None)
    proven: bool = False

    @property
    def impossible(self) -> bool:
        """Whether it is proven that not all who must have a place can."""
        return self.seats is None and self.proven


Solve = Callable[[Sequence[Problem]], Sequence[Solution]]
"""A prover: one solution for each problem, in their order; an empty `Solution` says nothing."""
