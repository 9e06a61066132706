"""Trying other rules: what a search works on, as a value whose rules can be changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.pool import Quota
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.plan import Plan
from timevalg.solver.tally import Tally
from timevalg.solver.trie import Trie
from timevalg.solver.window import Windows

_rules = attrgetter(*(one.name for one in fields(Clinic)))
_REMEMBERED = 100
"""Changes of rules whose index, with all that it remembers, is kept; the oldest goes."""


class Trials:
    """The indexes of changed rules that have been tried, for all who try the same."""

    def __init__(self) -> None:
        self._tried: list[tuple[Index | None, Organisation, Index]] = []

    def under(self, index: Index, organisation: Organisation) -> Index:
        """Give the index of the same sessions under other rules."""
        return self._known(index, organisation) or self._keep(
            index, organisation, under(index, organisation)
        )

    def empty(self, organisation: Organisation) -> Index:
        """Give the index of nobody's sessions."""
        return self._known(None, organisation) or self._keep(
            None, organisation, Index.of(organisation)
        )

    def _known(self, index: Index | None, organisation: Organisation) -> Index | None:
        return next((t for i, o, t in self._tried if i is index and _alike(o, organisation)), None)

    def _keep(self, index: Index | None, organisation: Organisation, tried: Index) -> Index:
        self._tried.append((index, organisation, tried))
        del self._tried[:-_REMEMBERED]
        return tried


@dataclass(frozen=True)
class Model:
    """An index and what is asked of it."""

    index: Index
    asks: tuple[Ask, ...]
    trials: Trials = field(default_factory=Trials, compare=False)

    def with_clinic(self, clinic: Clinic) -> Model:
        """Give the model with a clinic's rules changed."""
        old = self.index.organisation
        new = replace(old, clinics={**old.clinics, clinic.id: clinic})
        return replace(self, index=self.trials.under(self.index, new))

    def with_task(self, change: Callable[[Task], Task]) -> Model:
        """Give the model with the task changed, if there is one."""
        return replace(
            self,
            asks=tuple(a if a.task is None else replace(a, task=change(a.task)) for a in self.asks),
        )


def under(index: Index, organisation: Organisation) -> Index:
    """Give the index of the same sessions under other rules.

    What is taken of each resource is shared. Of quotas only `max` may differ, else everything is
    made anew.
    """
    plan, old = Plan(organisation), index.organisation
    if plan.grid != index.plan.grid or not _same_quotas(old, organisation):
        return Index.of(organisation, index.sessions.values())
    new = Index()
    for name in Index.__slots__:
        setattr(new, name, getattr(index, name))
    new.plan, new.windows, new.cells = plan, Windows(plan), Trie()
    for clinic in organisation.clinics.values():
        for number, quota in enumerate(clinic.quotas):
            if quota.max != old.clinics[clinic.id].quotas[number].max:
                _recount(new, clinic, number, quota)
    return new


def _alike(one: Organisation, other: Organisation) -> bool:
    """Tell whether two organisations have the same rules; fast where they share most objects."""
    return one.clinics.keys() == other.clinics.keys() and all(
        clinic is other.clinics[name] or _rules(clinic) == _rules(other.clinics[name])
        for name, clinic in one.clinics.items()
    )


def _same_quotas(old: Organisation, new: Organisation) -> bool:
    return old.clinics.keys() == new.clinics.keys() and all(
        len(clinic.quotas) == len(old.clinics[name].quotas)
        and all(
            replace(quota, max=before.max) == before
            for quota, before in zip(clinic.quotas, old.clinics[name].quotas, strict=True)
        )
        for name, clinic in new.clinics.items()
    )


def _recount(index: Index, clinic: Clinic, number: int, quota: Quota) -> None:
    """Let a quota of a new index allow another number."""
    key = (clinic.id, number)
    tally = index.tally(*key)
    if tally is not None:
        index._tallies = index._tallies.set(key, allowing(tally, quota.max))
    for resource in clinic.resources.values() if quota.each is not None else ():
        diary = index.diary(resource.id)
        if key in diary.tallies:
            tallies = {**diary.tallies, key: allowing(diary.tallies[key], quota.max)}
            index._diaries = index._diaries.set(resource.id, diary.changed((), (), tallies))


def allowing(tally: Tally, most: int) -> Tally:
    """Give the tally of the same sessions for a quota that allows another number."""
    rows = [(period, s) for period, there in tally.periods.items() for s in there]
    return Tally(most, {}).changed(rows, ())
