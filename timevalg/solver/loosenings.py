"""The loosenings there are: one function for each, giving those that an ask's conditions allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from timevalg.model.pool import Quota
from timevalg.model.resource import Resource
from timevalg.model.roster import Hours, WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.text import Text
from timevalg.model.time import DAY_NAMES, MINUTES_A_DAY
from timevalg.solver.ask import Ask
from timevalg.solver.bits import lowest
from timevalg.solver.conditions import Change, Conditions, Loosening, is_step, rows_with
from timevalg.solver.trial import Model, allowing

_DAY = timedelta(days=1)
_NUMBERS = ("no", "one", "two", "three", "four", "five")
_WEEKDAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_MOST_VISITS = 100
"""By how much a quota is raised at most."""
_NAMED = 3
"""Resources proposed by name at most, those that give most first."""

Family = Callable[[Conditions], Iterator[Loosening]]


def notice(here: Conditions) -> Iterator[Loosening]:
    """The pool's notice, in days."""
    old = here.pool.notice

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        new = max(0, (here.date(gained.bit_length() - 1) - here.today).days)
        if new < old:
            bits = here.since(here.today + new * _DAY)
            text, make = f"notice {old} -> {new}", _pool(here, notice=new)
            yield [Change(text, old - new, make, True, bits)]

    if old:
        yield Loosening("notice", "notice", changes)


def horizon(here: Conditions) -> Iterator[Loosening]:
    """The pool's horizon, in days."""
    old = here.pool.horizon

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        new = (here.date(lowest(gained)) - here.today).days
        if new > old:
            bits = here.until(here.today + new * _DAY)
            text, make = f"horizon {old} -> {new}", _pool(here, horizon=new)
            yield [Change(text, new - old, make, True, bits)]

    yield Loosening("horizon", "horizon", changes)


def not_before(here: Conditions) -> Iterator[Loosening]:
    """The first date that task and ask allow."""
    ask, task = here.ask, here.ask.task
    dates = [d for d in (ask.not_before, task.not_before if task else None) if d is not None]

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        new = here.date(gained.bit_length() - 1)
        days = (max(dates) - new).days
        if is_step(days):
            make = _bounds(lambda d: None if d is None else min(d, new), lambda d: d)
            yield [Change(f"not_before -{_count(days)}", days, make, False, here.since(new))]

    if dates:
        yield Loosening("not_before", "not_before", changes)


def not_after(here: Conditions) -> Iterator[Loosening]:
    """The last date that task and ask allow, as far as the task's legal deadline."""
    ask, task = here.ask, here.ask.task
    dates = [d for d in (ask.not_after, task.not_after if task else None) if d is not None]

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        new = here.date(lowest(gained))
        days = (new - min(dates)).days
        if is_step(days):
            make = _bounds(lambda d: d, lambda d: None if d is None else max(d, new))
            yield [Change(f"not_after +{_count(days)}", days, make, False, here.until(new))]

    if dates:
        deadline = task.deadline if task else None
        bits = -1 if deadline is None else here.until(deadline)
        yield Loosening("not_after", "not_after", changes, bits)


def planned_until(here: Conditions) -> Iterator[Loosening]:
    """How far the clinic has planned its rosters."""
    old = here.clinic.planned_until

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        new = here.date(lowest(gained))
        if old is not None and new > old:
            days = (new - old).days
            clinic = here.clinic.id

            def make(model: Model) -> Model:
                there = model.index.organisation.clinic(clinic)
                return model.with_clinic(replace(there, planned_until=new))

            yield [Change(f"planned_until +{_count(days)}", days, make, True, here.until(new))]

    if old is not None:
        yield Loosening("planned_until", "planned_until", changes)


def release(here: Conditions) -> Iterator[Loosening]:
    """How long before openings are kept back, in days."""
    rows = here.look.window.rows()

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        for old, starts in rows:
            if old is not None and starts & gained:
                new = (here.date(lowest(starts & gained)) - here.today).days
                if new > old:
                    bits = here.parts["release"] | starts & here.until(here.today + new * _DAY)
                    openings = tuple(
                        replace(row, release=new) if row.release == old else row
                        for row in here.pool.open
                    )
                    make = _pool(here, open=openings)
                    yield [Change(f"release {old} -> {new}", new - old, make, True, bits)]

    if any(old is not None for old, _ in rows):
        yield Loosening("release", "release", changes)


def times(here: Conditions) -> Iterator[Loosening]:
    """The hours at which the patient can come."""

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        def make(model: Model) -> Model:
            return model.with_task(lambda task: replace(task, times=()))

        yield [Change("times -> any", 6, make, False)]

    if "times" in here.parts:
        yield Loosening("times", "times", changes)


def preparation(here: Conditions) -> Iterator[Loosening]:
    """One preparation that limits, done."""
    for part in here.parts:
        if part.startswith("preparation "):
            yield _prepared(part, part.removeprefix("preparation "))


def _prepared(part: str, name: str) -> Loosening:
    def make(model: Model) -> Model:
        return replace(model, asks=tuple(replace(a, done=a.done | {name}) for a in model.asks))

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        yield [Change(f"{part} done", 2, make, False)]

    return Loosening(part, part, changes)


def quota(here: Conditions) -> Iterator[Loosening]:
    """The `max` of a quota that counts its pools together."""
    for number, row in here.look.pool.together:
        yield _quota(here, number, row)


def _quota(here: Conditions, number: int, row: Quota) -> Loosening:
    tally = here.look.index.tally(here.clinic.id, number)

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        need = 1
        if row.max > 0 and tally is not None:
            mine = here.look.periods((here.clinic.id, number), here.look.ignored)
            ask, need = here.ask, row.max + 1
            while need < row.max + _MOST_VISITS:
                again = allowing(tally, need)
                if gained & ~again.mask(here.days, row, ask.now, mine, ask.count_places):
                    break
                need += 1
        if need > row.max:
            yield [_more_of_quota(here, number, row, need)]

    return Loosening(f"quota {number}", f"quota {number}", changes)


def each_quota(here: Conditions) -> Iterator[Loosening]:
    """The `max` of a quota for each resource of a kind."""
    for number, row in here.look.pool.each:
        yield _each_quota(here, number, row)


def _each_quota(here: Conditions, number: int, row: Quota) -> Loosening:
    def changes(gained: int) -> Iterator[Sequence[Change]]:
        yield [_more_of_quota(here, number, row, row.max + more) for more in (1, 2, 3, 5, 10, 30)]

    return Loosening(
        f"quota {number}", None, changes, supply=lambda supply: replace(supply, no_each=True)
    )


def _more_of_quota(here: Conditions, number: int, row: Quota, most: int) -> Change:
    clinic = here.clinic.id

    def make(model: Model) -> Model:
        there = model.index.organisation.clinic(clinic)
        quotas = tuple(
            replace(q, max=most) if n == number else q for n, q in enumerate(there.quotas)
        )
        return model.with_clinic(replace(there, quotas=tuple(quotas)))

    counted = f"for each {row.each}" if row.each else f"for {', '.join(sorted(row.pools))}"
    text = f"quota {row.max} -> {most} per {row.per} {counted}"
    return Change(text, 2 * (most - row.max), make)


def only(here: Conditions) -> Iterator[Loosening]:
    """One more resource among those named for the task."""
    task = here.ask.task
    for role in here.service.roles:
        if task is not None and role.id in task.only:
            yield _only(here, role, task.only[role.id])


def _only(here: Conditions, role: Role, named: tuple[str, ...]) -> Loosening:
    others = frozenset(row for row in here.supply.only if row[0] != role.id)

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        helps = []
        for resource in here.clinic.candidates(here.pool, role):
            if resource.id in named or resource.group in named:
                continue
            wider = replace(here.supply, only=others | {(role.id, (*named, resource.id))})
            count = here.served(wider, gained).bit_count()
            if count:
                helps.append((-count, resource.id))
        for _, name in sorted(helps)[:_NAMED]:
            make = _named(role.id, (*named, name))
            yield [Change(f"only {role.id} + {name}", 3, make, False)]

    return Loosening(
        f"only {role.id}",
        None,
        changes,
        supply=lambda supply: replace(
            supply, only=frozenset(row for row in supply.only if row[0] != role.id)
        ),
    )


def _named(role: str, names: tuple[str, ...]) -> Callable[[Model], Model]:
    return lambda model: model.with_task(
        lambda task: replace(task, only={**task.only, role: names})
    )


def pool_resources(here: Conditions) -> Iterator[Loosening]:
    """One more resource in the pool's list."""
    listed = here.pool.resources
    if listed is None:
        return

    def changes(gained: int) -> Iterator[Sequence[Change]]:
        helps = []
        for resource in here.clinic.resources.values():
            if resource.id in listed or not any(r.fits(resource) for r in here.service.roles):
                continue
            wider = replace(here.supply, any_resource=True, names=listed | {resource.id})
            count = here.served(wider, gained).bit_count()
            if count:
                helps.append((-count, resource.id))
        for _, name in sorted(helps)[:_NAMED]:
            make = _pool(here, resources=listed | {name})
            yield [Change(f"resources + {name}", 3, make)]

    yield Loosening(
        "resources",
        None,
        changes,
        supply=lambda supply: replace(supply, any_resource=True, names=None),
    )


def more(here: Conditions) -> Iterator[Loosening]:
    """More people, rooms or pieces of a role on one weekday, from as few as help."""
    task = here.ask.task
    for number, role in enumerate(here.service.roles):
        if task is None or role.id not in task.only:
            for count in range(1, role.count + 1):
                yield _more(here, number, role, count)


def _more(here: Conditions, number: int, role: Role, count: int) -> Loosening:
    def changes(gained: int) -> Iterator[Sequence[Change]]:
        options = []
        for day in range(7):
            there = gained & here.days.bits(Hours(days=frozenset({day})))
            if there:
                options.append((-there.bit_count(), day))
        who = f"{_NUMBERS[count]} more {role.id}{'s' if count > 1 else ''}"
        yield [
            Change(f"{who} on {_WEEKDAYS[day]}", 5 * count, _hired(here, role, count, day))
            for _, day in sorted(options)
        ]

    return Loosening(
        f"more {role.id}",
        None,
        changes,
        supply=lambda supply: replace(supply, more=(*supply.more, (number, count))),
    )


def _hired(here: Conditions, role: Role, count: int, day: int) -> Callable[[Model], Model]:
    """Add resources of a role that work all of a weekday, and may be paired with anybody's."""
    clinic, pool = here.clinic.id, here.pool.id

    def make(model: Model) -> Model:
        there = model.index.organisation.clinic(clinic)
        hours = (WorkingHours(frozenset({day}), 0, MINUTES_A_DAY),)
        names = [f"+{role.id}/{DAY_NAMES[day]}/{i}" for i in range(count)]
        new = {
            name: Resource(name, role.kind, clinic, Text.plain(name), role.skills, hours=hours)
            for name in names
        }
        visit = there.services[there.pools[pool].service]
        listed = there.pools[pool].resources
        if listed is not None:
            listed = listed | new.keys()
        return model.with_clinic(
            replace(
                there,
                resources={**there.resources, **new},
                services={**there.services, visit.id: _paired(visit, role.id, names)},
                pools={**there.pools, pool: replace(there.pools[pool], resources=listed)},
            )
        )

    return make


def _paired(visit: Service, role: str, names: Sequence[str]) -> Service:
    groups = []
    for group in visit.together:
        rows = group.allowed
        if role in group.roles:
            for name in names:
                rows = rows_with(rows, group.roles.index(role), name)
        groups.append(replace(group, allowed=rows))
    return replace(visit, together=tuple(groups))


LOOSENINGS: tuple[Family, ...] = (
    notice,
    not_before,
    not_after,
    release,
    horizon,
    planned_until,
    preparation,
    quota,
    each_quota,
    only,
    pool_resources,
    more,
    times,
)


def _pool(here: Conditions, **changes: object) -> Callable[[Model], Model]:
    clinic, pool = here.clinic.id, here.pool.id

    def make(model: Model) -> Model:
        there = model.index.organisation.clinic(clinic)
        new = replace(there.pools[pool], **changes)  # type: ignore[arg-type]  # fields by name
        return model.with_clinic(replace(there, pools={**there.pools, pool: new}))

    return make


def _bounds(
    first: Callable[[date | None], date | None], last: Callable[[date | None], date | None]
) -> Callable[[Model], Model]:
    def moved(ask: Ask) -> Ask:
        task = ask.task
        if task is not None:
            until = last(task.not_after) or task.not_after
            task = replace(task, not_before=first(task.not_before), not_after=until)
        return replace(
            ask, task=task, not_before=first(ask.not_before), not_after=last(ask.not_after)
        )

    return lambda model: replace(model, asks=tuple(moved(ask) for ask in model.asks))


def _count(days: int) -> str:
    return f"{days} day" if days == 1 else f"{days} days"
