"""The loosenings that matter to a place alone: it must still be valid on the day after `due`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from timevalg.solver.conditions import Change, Conditions, Loosening, is_step
from timevalg.solver.loosenings import Family
from timevalg.solver.trial import Model

PART = "fallback notice"
_DAY = timedelta(days=1)


def fallback_notice(here: Conditions) -> Iterator[Loosening]:
    """The notice of a time nobody chose; one with the pool's `notice` where that is as long."""
    ask, pool = here.ask, here.pool
    old, both = pool.fallback_notice, pool.fallback_notice == pool.notice

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        since = ask.earliest_from or here.today
        new = max(0, (here.date(gained.bit_length() - 1) - since).days)
        if new < old and (both or new >= pool.notice):
            text = f"{'notice' if both else 'fallback_notice'} {old} -> {new}"
            bits = here.since(since + new * _DAY)
            yield [Change(text, old - new, _with_notice(here, new), True, bits)]

    if ask.notice is not None and old:
        yield Loosening("notice", PART, changes, beside=("notice",) if both else ())


def due(here: Conditions) -> Iterator[Loosening]:
    """How long the patient may choose: some time is left, from today or from when it opens."""
    ask, task = here.ask, here.ask.task

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        if task is None or ask.earliest_from is None:
            return
        latest = here.date(gained.bit_length() - 1)
        days = (ask.earliest_from + (ask.notice or 0) * _DAY - latest).days
        if is_step(days) and days <= (task.due - here.today).days:
            text = f"due -{days} day{'s' if days > 1 else ''}"
            bits = here.since(latest)
            yield [Change(text, days, _due_earlier(days), False, bits)]

    if task is not None and ask.earliest_from is not None:
        yield Loosening("due", PART, changes)


def _with_notice(here: Conditions, days: int) -> Callable[[Model], Model]:
    clinic, pool = here.clinic.id, here.pool.id

    def make(model: Model) -> Model:
        there = model.index.organisation.clinic(clinic)
        old = there.pools[pool]
        new = replace(old, fallback_notice=days, notice=min(old.notice, days))
        asks = tuple(replace(ask, notice=days) if ask.pool == pool else ask for ask in model.asks)
        changed = model.with_clinic(replace(there, pools={**there.pools, pool: new}))
        return replace(changed, asks=asks)

    return make


def _due_earlier(days: int) -> Callable[[Model], Model]:
    def make(model: Model) -> Model:
        changed = model.with_task(lambda task: replace(task, due=task.due - days * _DAY))
        return replace(
            changed,
            asks=tuple(
                ask
                if ask.earliest_from is None
                else replace(ask, earliest_from=ask.earliest_from - days * _DAY)
                for ask in changed.asks
            ),
        )

    return make


PLACE_LOOSENINGS: tuple[Family, ...] = (fallback_notice, due)
