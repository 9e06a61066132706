"""A small clinic in a store of one's choice, and the people in it, for tests of use cases."""

import functools
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from unittest import mock
from zoneinfo import ZoneInfo

from tests.proving import Here
from timevalg.booking.publish import publish
from timevalg.booking.tidy import tidy_places
from timevalg.booking.whatif import what_if
from timevalg.booking.work import do_work, due_work
from timevalg.channels.sink import Sink
from timevalg.clinic import from_sources
from timevalg.library import Timevalg
from timevalg.model.contents import Source
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.states import LIVE
from timevalg.solver import tidy
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.verify import broken
from timevalg.store import SetClock
from timevalg.wiring import ports_on

OSLO = ZoneInfo("Europe/Oslo")
ORGANISATION = "999999999"
MONDAY = datetime(2027, 1, 4, 8, tzinfo=OSLO)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]


def pool(name, service="talk", **more):
    fields = {
        "id": name,
        "service": service,
        "open": [{"days": WEEKDAYS, "from": "08:00", "to": "12:00"}],
        "raster": 30,
        "horizon": 90,
        "change": {"until": 1, "times": 2},
        "cancel": {"until": 1},
        **more,
    }
    return {key: value for key, value in fields.items() if value is not None}


def document(**changes):
    """A clinic of two doctors and one room, with a pool for each policy."""
    return {
        "format": 1,
        "clinic": {
            "id": "clinic",
            "organisation": ORGANISATION,
            "timezone": "Europe/Oslo",
            "name": {"nb": "Klinikken", "en": "The clinic"},
            "holidays": [],
            "hours": [{"days": WEEKDAYS, "from": "08:00", "to": "16:00"}],
            "place": {"name": "Sykehuset", "room": "2. etg."},
        },
        "resources": [
            {"id": "dr-a", "kind": "clinician", "skills": ["talk"]},
            {"id": "dr-b", "kind": "clinician", "skills": ["talk"]},
            {"id": "room", "kind": "room"},
        ],
        "services": [
            {
                "id": "talk",
                "name": {"nb": "Samtale", "en": "Talk"},
                "length": 30,
                "roles": [
                    {"id": "doctor", "kind": "clinician", "skills": ["talk"]},
                    {"id": "room", "kind": "room"},
                ],
                "preparations": [
                    {"id": "form", "name": "Skjema", "kind": "form", "due": 3},
                    {"id": "diet", "name": "Diett", "start": 2, "limits": False},
                ],
            }
        ],
        "pools": [
            pool("auto"),
            pool("manual", check="manual"),
            pool("record", check="record"),
            pool("staff", fallback="staff"),
        ],
        **changes,
    }


class TestKeys:
    """Ids in order."""

    __test__ = False

    def __init__(self):
        self._next = count(1)

    def new(self, kind):
        return f"{kind[0]}-{next(self._next):05d}"


@dataclass
class Post(Sink):
    """A channel that remembers what went through it."""

    name: str = "post"
    deduplicates: bool = True
    rate: int = 0
    sent: list = field(default_factory=list)

    def send(self, effect, letter):
        self.sent.append(letter)
        return f"receipt {effect}"


def _read(*sources):
    return from_sources({s["clinic"]["id"]: Source(s, {}) for s in sources})


@functools.cache
def _usual():
    return _read(document())


class World:
    """A store with the clinic published, at Monday 4 January 2027, 08:00 in Oslo."""

    def __init__(self, make_store, source=None, prover=None):
        self.clock = SetClock(MONDAY)
        self.store = make_store(self.clock)
        self.post = Post()
        ports = ports_on(self.store, self.post, TestKeys(), prover=prover or Here())
        self.valg = Timevalg(ports, ORGANISATION)
        self.desk = self.valg.planner("anna")
        self.dips = self.valg.system("dips")
        self.published = self.put_in_force(_read(source) if source else _usual())

    @property
    def ports(self):
        return self.valg.ports

    def publish(self, *sources):
        return self.put_in_force(_read(*sources))

    def what_if(self, *sources):
        who = Principal("anna", RoleName.PLANNER, ORGANISATION)
        return what_if(self.ports, who, _read(*sources))

    def put_in_force(self, files):
        who = Principal("anna", RoleName.PLANNER, ORGANISATION)
        return publish(self.ports, who, files)

    def invite(self, patient="p-1", pools=("auto",), **more):
        fields = {
            "opens": date(2027, 1, 4),
            "due": date(2027, 1, 8),
            "not_after": date(2027, 1, 29),
            **more,
        }
        return self.desk.invite(patient=patient, pools=pools, **fields)

    def invited(self, patient="p-1", pools=("auto",), **more):
        answer = self.invite(patient, pools, **more)
        assert answer.task is not None, answer.shortage
        return answer.task

    def chosen(self, patient="p-1", pools=("auto",), number=0, **more):
        task = self.invited(patient, pools, **more)
        me = self.valg.patient(patient)
        return task, me.choose(task, me.offers(task).offers[number])

    def work(self):
        done = self.valg.work()
        assert not [d for d in done if d.outcome in {"failed", "parked"}], done
        return done

    def work_kinds(self, *kinds):
        """Do what is due of some kinds only, once."""
        who = worker(ORGANISATION)
        due = due_work(self.ports, ORGANISATION, kinds=kinds)
        return [do_work(self.ports, who, work.id) for work in due]

    def at(self, day, hour=8):
        self.clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=OSLO))
        return self.work()

    def later(self, **by):
        self.clock.advance(timedelta(**by))
        return self.work()

    def read(self, body):
        return self.store.run(ORGANISATION, body, write=False)

    def task(self, key):
        return self.read(lambda unit: unit.tasks.get(key if isinstance(key, str) else key.id))

    def sessions(self, **criteria):
        return self.read(lambda unit: unit.sessions.find(**criteria))

    def events(self, type_=None):
        # Unlike the feed, this does not wait for transactions of other tests on the same server;
        # and says nothing of the place in it, which changes when one of those ends.
        found = self.read(lambda unit: unit.events.read(limit=10_000, internal=True))
        found = [replace(e, cursor="") for e in found if e.subject != "session"]
        return [e for e in found if type_ is None or e.type == type_]

    def cases(self, kind=None):
        found = self.read(lambda unit: unit.cases.find(order="created_at", closed_at=None))
        return [c for c in found if kind is None or c.kind == kind]

    def patient(self, name="p-1"):
        return self.valg.patient(name)

    def visit(self, task):
        key = task if isinstance(task, str) else task.id
        found = self.read(lambda unit: unit.appointments.find(task=key, order="-created_at"))
        standing = [a for a in found if a.state != "cancelled"]
        return next(iter(standing + found), None)

    def letters(self, **criteria):
        return self.read(lambda unit: unit.letters.find(order="created_at", **criteria))

    def preparations(self, visit, **criteria):
        return self.read(
            lambda unit: unit.preparations.find(order="due", appointment=visit.id, **criteria)
        )

    def put(self, value):
        """Change a row behind the use cases' back."""
        return self.store.run(ORGANISATION, lambda unit: unit.tasks.save(value))

    def dump(self):
        """Every row there is, for "nothing has changed"."""

        def rows(unit):
            kinds = (unit.tasks, unit.appointments, unit.preparations, unit.letters, unit.cases)
            found = {str(n): kind.find() for n, kind in enumerate(kinds)}
            found |= {"sessions": unit.sessions.find(), "work": unit.work.find(order="id")}
            found |= {"audit": unit.audit.find(order="id"), "patients": unit.patients.find()}
            events = unit.events.read(limit=10_000, internal=True)
            return found | {"events": sorted(e.id for e in events)}

        return self.read(rows)

    def only_work(self, kind):
        """Have the one work of a kind done that is waiting; gives it as it was."""
        (work,) = self.read(lambda unit: unit.work.find(kind=kind))
        (done,) = self.work_kinds(kind)
        assert done.outcome == "done"
        return work

    def tidied(self, task):
        """Plan places anew near a task, whether or not more is open then; gives how many moved."""
        fewer = count(1000, -1)
        with mock.patch.object(tidy, "_left_open", lambda *_: iter([next(fewer)])):
            return tidy_places(self.ports, worker(ORGANISATION), task)

    def promises_broken(self):
        """Live tasks without a valid place that no ``capacity-loss`` names, and why.

        Asks the independent verifier, with no picture but one read here and now.
        """
        organisation = self.ports.pictures.current(ORGANISATION).index.organisation

        def look(unit):
            sessions, now = unit.sessions.find(), unit.now()
            index = Index.of(organisation, sessions)
            named = {c.task for c in unit.cases.find(kind="capacity-loss", closed_at=None)}
            faults = {}
            for task in unit.tasks.find(state=LIVE):
                places = [s for s in index.by_task(task.id) if s.kind == "place" or s.is_place]
                if len(places) != 1:
                    faults[task.id] = f"{len(places)} places"
                    continue
                place = places[0]
                ask = Ask.for_place(index, task, place.pool, now)
                others = [s for s in sessions if s.id != place.id]
                rules = replace(ask, ignore=frozenset())
                verdict = broken(organisation, others, rules, place.start, place.resources)
                if verdict:
                    faults[task.id] = "; ".join(verdict)
            return {key: why for key, why in faults.items() if key not in named}

        return self.read(look)

    def overlaps(self):
        """Pairs of sessions that take the same thing at the same time; the database forbids it."""
        claims = [(c, s.id) for s in self.sessions() for c in s.claims()]
        return [
            (a, b)
            for n, (one, a) in enumerate(claims)
            for other, b in claims[:n]
            if one.subject == other.subject and one.span.overlaps(other.span)
        ]


def utc(*when):
    return datetime(*when, tzinfo=UTC)


def oslo(*when):
    return datetime(*when, tzinfo=OSLO)
