"""Why a task gets no valid place: what is short, on which days, by how much, and what cures it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from timevalg.model.clinic import Organisation
from timevalg.model.service import Role, Service
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.loosen import Cure, cures
from timevalg.solver.picture import Picture
from timevalg.solver.places import place
from timevalg.solver.repair import Budget
from timevalg.solver.search import feasible
from timevalg.solver.trial import Trials

CURES = 5
"""Cures named at most."""
STEPS = 3_000
"""Steps spent on planning the task again with all cures of a shortage together; see `Budget`."""


@dataclass(frozen=True)
class Remedy:
    """A change that gives the task a place, and how many starts it then has.

    Attributes
    ----------
    change : str
        As `timevalg.solver.loosen.Cure` says it.
    """

    change: str
    starts: int


@dataclass(frozen=True)
class Shortage:
    """What is missing for one task.

    Attributes
    ----------
    roles : tuple of str
        Roles that alone have no time left in the window; empty if the rules leave no start at all,
        or if every role has time but never together.
    first, last : date
        The window looked at.
    minutes : int
        How much is missing: the time that those roles need of one resource each, or, where no role
        alone is short, the length of the visit.
    rules, free : int
        Starts that a lone patient could have, and those of them not taken by bookings. With some
        free, the places of others fill them.
    cures : tuple of Remedy
        Smallest first; each has been made for real and the task planned again with it.
    """

    roles: tuple[str, ...]
    first: date
    last: date
    minutes: int
    rules: int
    free: int
    cures: tuple[Remedy, ...] = ()

    def __str__(self) -> str:
        window = f"between {self.first} and {self.last}"
        if not self.rules:
            why = f"the clinic's rules leave no start {window}"
        elif self.free:
            why = f"all {self.free} free starts {window} are needed by others invited"
        elif self.roles:
            why = f"no time for {', '.join(self.roles)} ({self.minutes} min) {window}"
        else:
            why = f"no start {window} at which all roles are free together"
        if self.cures:
            why += f"; it would help: {', or '.join(cure.change for cure in self.cures)}"
        return why


def shortages(picture: Picture, tasks: Iterable[Task], now: datetime) -> dict[str, Shortage]:
    """Name what is missing for each of many, by id; of those alike it is found out once.

    Alike are tasks with the same terms, whose patients have nothing else in the calendar. The rules
    that are tried for one are there for the others.
    """
    known, found, trials = dict[str, Shortage](), dict[str, Shortage](), Trials()
    for task in tasks:
        who = task.patient if picture.index.by_patient(task.patient) else ""
        terms = repr(replace(task, id="", ref=None, referral=None, patient=who, note="", version=1))
        if terms not in known:
            known[terms] = shortage(picture, task, now, trials)
        found[task.id] = known[terms]
    return found


def shortage(picture: Picture, task: Task, now: datetime, trials: Trials | None = None) -> Shortage:
    """Name what is missing for a task that got no valid place.

    Parameters
    ----------
    picture : Picture
        With everybody's places, without one for the task.
    trials : Trials or None
        Of other shortages in the same picture.
    """
    organisation, trials = picture.index.organisation, trials or Trials()
    clinic = organisation.clinic(task.clinic)
    asks = [Ask.for_place(picture.index, task, pool, now) for pool in task.pools]
    free = _count(picture.index, asks, places=False)
    rules = _count(trials.empty(organisation), asks, places=False)
    short = _short_roles(picture.index, asks, trials) if rules else {}
    notice = min(clinic.pool(p).fallback_notice for p in task.pools)
    first = max(task.after_due + timedelta(days=notice), task.not_before or date.min)
    if first > task.not_after:  # nothing is left of the window: the one asked for
        first = min(task.not_before or task.opens, task.not_after)
    minutes = max(
        (role.length + task.extra for role in short.values()),
        default=max(clinic.service_of(p).length for p in task.pools) + task.extra,
    )
    budget = Budget(STEPS)
    tried = cures(picture.index, asks, trials=trials)
    helping = (c for c in tried if _helps(picture, task, c, now, budget))
    found = tuple(Remedy(cure.change, cure.starts) for cure in islice(helping, CURES))
    return Shortage(tuple(short), first, task.not_after, minutes, rules, free, found)


def _short_roles(index: Index, asks: list[Ask], trials: Trials) -> dict[str, Role]:
    """Give the roles that could not be had even if they were the only ones."""
    short: dict[str, Role] = {}
    for ask in asks:
        service = index.organisation.clinic(ask.clinic).service_of(ask.pool)
        for role in service.roles:
            alone = replace(service, roles=(role,), together=())
            only = trials.under(index, _with_service(index.organisation, ask.clinic, alone))
            if not _count(only, [ask], places=True):
                short[role.id] = role
    return short


def _helps(picture: Picture, task: Task, cure: Cure, now: datetime, budget: Budget) -> bool:
    """Tell whether the task gets a place once the cure has been made."""
    asked = next(ask for ask in cure.model.asks if ask.task is not None)
    changed = replace(asked.task or task, done=task.done | asked.done)
    return place(replace(picture, index=cure.model.index), changed, now, budget=budget) is not None


def _count(index: Index, asks: list[Ask], *, places: bool) -> int:
    """Count the valid starts of a place, with or without what the places of others take."""
    return sum(len(feasible(index, replace(ask, count_places=places))) for ask in asks)


def _with_service(organisation: Organisation, clinic: str, service: Service) -> Organisation:
    old = organisation.clinic(clinic)
    new = replace(old, services={**old.services, service.id: service})
    return replace(organisation, clinics={**organisation.clinics, clinic: new})
