"""A clinic with one room, and two days on which it is open for as long as each test says.

Starts each half-hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from tests.unit.solver.small import DAY, NOW, OSLO, TODAY, organisation, resource, task
from timevalg.model.clinic import Clinic
from timevalg.model.pool import Pool
from timevalg.model.resource import Kind
from timevalg.model.roster import Opening, WorkingHours
from timevalg.model.service import Role, Service
from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.model.text import Text
from timevalg.model.time import Span
from timevalg.solver.ask import Ask
from timevalg.solver.certificates import Certificate
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.safety import Settling

ONE, TWO = TODAY + DAY, TODAY + 2 * DAY


def hours(start: float, end: float, *days: date) -> tuple[WorkingHours, ...]:
    week = frozenset(day.weekday() for day in days or (ONE, TWO))
    return (WorkingHours(days=week, start=round(60 * start), end=round(60 * end)),)


class OneRoom:
    """A clinic with one room, and who has a place in it.

    Parameters
    ----------
    visits : mapping
        Pool → minutes, and who may see the patient. Every visit takes the room as well, but a talk.
    people : mapping
        Clinician → working hours.
    room : tuple of WorkingHours
    """

    def __init__(
        self,
        visits: Mapping[str, tuple[int, frozenset[str]]],
        people: Mapping[str, tuple[WorkingHours, ...]],
        room: tuple[WorkingHours, ...],
    ) -> None:
        sees = {
            who: frozenset(v for v, (_, several) in visits.items() if who in several)
            for who in people
        }
        everybody = [resource(who, hours=h, skills=sees[who]) for who, h in people.items()]
        everybody.append(resource("room", Kind.ROOM, hours=room))
        services, pools = {}, {}
        for name, (minutes, several) in visits.items():
            roles = [] if name == "talk" else [Role("room", Kind.ROOM, minutes)]
            if several:
                roles.append(Role("doctor", Kind.CLINICIAN, minutes, 0, frozenset({name})))
            services[name] = Service(name, Text.plain(name), minutes, tuple(roles))
            pools[name] = Pool(name, "c", name, (Opening(start=480, end=1020),), 30, 5)
        self._clinic = Clinic(
            "c",
            "o",
            Text.plain("c"),
            OSLO,
            resources={r.id: r for r in everybody},
            services=services,
            pools=pools,
        )
        self._tasks: dict[str, Task] = {}
        self._places: list[Session] = []

    def placed(
        self,
        name: str,
        pool: str,
        start: datetime,
        first: date,
        last: date,
        who: str = "",
        others: tuple[str, ...] = (),
    ) -> OneRoom:
        """Add a task with a place, which could be on some days, and in other pools as well."""
        one = task(pools=(pool, *others), not_before=first, not_after=last, patient=name)
        self._tasks[name] = replace(one, id=name)
        service = self._clinic.services[pool]
        resources = {r.id: ("room",) if r.kind is Kind.ROOM else (who,) for r in service.roles}
        span = Span(start, start + service.length * (DAY / 1440))
        self._places.append(
            Session(
                f"place:{name}",
                SessionKind.PLACE,
                start=start,
                length=service.length,
                resources=resources,
                spans={n: span for names in resources.values() for n in names},
                pool=pool,
                clinic="c",
                service=pool,
                task=name,
                patient=name,
            )
        )
        return self

    def asked(self, pool: str) -> tuple[Settling, Ask]:
        """Give what settles the starts that somebody else asks for, and by which rules."""
        asking = task(pools=(pool,), not_before=ONE, not_after=TWO, patient="kim")
        tasks = {**self._tasks, asking.id: asking}
        picture = Picture(Index.of(organisation(self._clinic), self._places), tasks, NOW)
        ask = Ask.for_task(picture.index, asking, pool, NOW)
        return Settling(picture, asking, NOW, ask.ignore, key="new"), ask

    def told(self, pool: str, start: datetime) -> str:
        """Tell what is said of a start that somebody asks for: safe, unsafe, or nothing."""
        settling, ask = self.asked(pool)
        unsafe = settling.is_unsafe(ask, start)
        if isinstance(settling.settle(ask, start), Certificate):
            assert not unsafe, "although it is safe"
            return "safe"
        return "unsafe" if unsafe else ""
