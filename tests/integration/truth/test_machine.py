"""Everything at random, one call after another, beside the plain model; on all three stores."""

import shutil
from datetime import timedelta
from itertools import count

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.contract.conftest import _EMPTY
from tests.integration.truth.plain import (
    BOOKED,
    CLOSED,
    DAYS,
    HOLD,
    LENGTH,
    LIVE,
    POOLS,
    STARTS,
    Held,
    Invited,
    Plain,
    clinic,
)
from tests.world import MONDAY, ORGANISATION, World
from timevalg.booking import cancel as cancelling
from timevalg.booking.expire import expire_holds
from timevalg.booking.hold import RENEWALS
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import IllegalMove, TimeTaken
from timevalg.model.principal import worker
from timevalg.model.session import Session
from timevalg.store import Database, Memory

SHARE = {"memory": 10, "sqlite": 33, "postgresql": 33}
"""One of how many examples of the profile each store gets."""

has_tasks = precondition(lambda self: self.plain.tasks)
has_visits = precondition(lambda self: {t.state for t in self.plain.tasks.values()} & BOOKED)
which = st.integers(0, 9)
starts = st.sampled_from([*STARTS, *STARTS, CLOSED])


class Machine(RuleBasedStateMachine):
    open_store = staticmethod(Memory)

    def __init__(self):
        super().__init__()
        self.world = World(type(self).open_store, clinic())
        self.plain = Plain(MONDAY)
        self.refs = count(1)
        self.versions = {}

    def teardown(self):
        self.world.store.close()

    # -- the two side by side ------------------------------------------------------------------

    def task(self, number, states=frozenset()):
        """Give a task, mostly one in the states that the call is for."""
        tasks = list(self.plain.tasks.values())
        fit = [t for t in tasks if t.state in states]
        tasks = fit if fit and number < 8 else tasks
        return tasks[number % len(tasks)]

    def visited(self, number):
        """Give a task that has, or had, a visit."""
        tasks = [t for t in self.plain.tasks.values() if t.state in BOOKED]
        return tasks[number % len(tasks)]

    def visit(self, task):
        return self.world.visit(task.id).id

    def does(self, call, refused):
        """Do it; gives whether it was done, which it must be unless it must be refused."""
        if refused:
            with pytest.raises(tuple(refused)):
                call()
            return False
        call()
        return True

    def lose(self, before):
        """Note who has lost their place, where that could not be helped."""
        names = {c.task for c in self.world.cases("capacity-loss")}
        has = {s.task for s in self.world.sessions() if s.kind == "place" or s.is_place}
        lost = [t for t in self.plain.needing() if t.id not in has]
        if lost:
            assert not before
            assert {t.id for t in lost} <= names
        for task in lost:
            task.placed = False

    # -- what people do ------------------------------------------------------------------------

    @rule(who=st.integers(1, 3), pool=st.sampled_from(list(POOLS)), days=st.sampled_from("ab+"))
    @precondition(lambda self: len(self.plain.tasks) < 9)
    def invite(self, who, pool, days):
        days = {"a": DAYS[:1], "b": DAYS[1:], "+": DAYS}[days]
        answer = self.world.invite(
            f"p-{who}", (pool,), not_before=days[0], not_after=days[-1], letters=False
        )
        task = answer.task or answer.draft
        state = self.plain.invite(Invited(task.id, f"p-{who}", pool, days))
        assert task.state == state
        assert (answer.shortage is None) == (state == "open")

    @has_tasks
    @rule(number=which, start=starts)
    def hold(self, number, start):
        task, last = self.task(number, LIVE), self.plain.held(self.task(number, LIVE).patient)
        again = last is not None and (last.task, last.start) == (task.id, start)
        renewed = last.renewed + 1 if again else 0
        refused = set() if task.state in LIVE and renewed <= RENEWALS else {IllegalMove}
        if not refused and not self.plain.offered(task, start):
            refused = {TimeTaken}
        if self.does(lambda: self.world.patient(task.patient).hold(task.id, start), refused):
            until = self.plain.now + HOLD
            held = Held(task.id, task.pool, task.patient, start, until, renewed)
            self.plain.holds[task.patient] = held
            task.placed = True

    @has_tasks
    @rule(number=which, start=starts, held=st.booleans())
    def choose(self, number, start, held):
        task = self.task(number, LIVE)
        hold = self.plain.holds.get(task.patient)
        if held and hold is not None and hold.task == task.id:
            start = hold.start  # its own, live or expired
        refused = set() if task.state in LIVE else {IllegalMove}
        if not refused and not self.plain.offered(task, start):
            refused = {TimeTaken}
        if self.does(lambda: self.world.patient(task.patient).choose(task.id, start), refused):
            self.plain.book(task, start, "chosen")

    @has_visits
    @rule(number=which, start=starts)
    def change(self, number, start):
        task = self.visited(number)
        refused = set() if task.booking is not None else {IllegalMove}
        moves = task.booking != start
        if not refused and moves and not self.plain.offered(task, start):
            refused = {TimeTaken}
        if self.does(lambda: self.world.desk.change(self.visit(task), start), refused) and moves:
            self.plain.holds.pop(task.patient, None)
            task.booking = start

    @has_visits
    @rule(number=which)
    def cancel(self, number):
        task = self.visited(number)
        refused = set() if task.booking is not None else {IllegalMove}
        if self.does(lambda: self.world.desk.cancel(self.visit(task)), refused):
            if task.state == "confirmed":
                task.booking = None
            else:
                self.plain.give_back(task, "with-staff")

    @has_tasks
    @rule(number=which)
    def confirm(self, number):
        task = self.task(number, {"chosen", "assigned"})
        refused = set() if task.state in {"chosen", "assigned"} else {IllegalMove}
        if self.does(lambda: self.world.desk.check(task.id, confirm=True), refused):
            task.state = "confirmed"

    @has_visits
    @rule(number=which)
    def refuse(self, number):
        task = self.visited(number)
        refused = set() if task.state in {"chosen", "assigned"} else {IllegalMove}
        if self.does(lambda: self.world.dips.refuse(self.visit(task), reason="no"), refused):
            self.plain.give_back(task, "open" if task.state == "chosen" else "with-staff")

    @has_tasks
    @rule(number=which)
    def withdraw(self, number):
        task = self.task(number)
        refused = {IllegalMove} if task.state == "declined" else set()
        if self.does(lambda: self.world.desk.withdraw(task=task.id), refused):
            stays = task.state == "confirmed" and task.booking is None
            if not stays:
                self.plain.end(task, "withdrawn")

    @has_tasks
    @rule(number=which)
    def decline(self, number):
        task = self.task(number, {"open"})
        refused = set() if task.state == "open" else {IllegalMove}
        if self.does(lambda: self.world.patient(task.patient).decline(task.id), refused):
            self.plain.end(task, "declined")

    @has_tasks
    @rule(number=which)
    def none_suits(self, number):
        task = self.task(number, {"open"})
        refused = set() if task.state == "open" else {IllegalMove}
        if self.does(lambda: self.world.patient(task.patient).none_suits(task.id), refused):
            task.state = "with-staff"

    @has_tasks
    @rule(number=which)
    def take(self, number):
        task = self.task(number)
        refused = set() if task.state in {"open", "declined", "chosen"} else {IllegalMove}
        if self.does(lambda: self.world.desk.take(task.id), refused):
            if task.placed:
                task.state = "with-staff"
            else:
                self.plain.give_back(task, "with-staff")

    @has_tasks
    @rule(number=which, start=starts, override=st.booleans())
    def assign(self, number, start, override):
        task = self.task(number, {"with-staff"})
        refused = self.plain.refusals_of_staff(task, start, override)
        doctor, room = POOLS[task.pool]
        resources = {"doctor": [doctor], "room": [room]}
        could = not self.plain.strands(task, start)

        def call():
            self.world.desk.assign(
                task.id, start=start, resources=resources, reason="urgent", override=override
            )

        if self.does(call, refused):
            self.plain.book(task, start, "assigned")
            self.lose(could)

    @rule(pool=st.sampled_from(list(POOLS)), start=st.sampled_from(STARTS))
    def block(self, pool, start):
        """The record system has something else at that time; places and holds give way."""
        ref = f"kontakt/{next(self.refs)}"
        doctor, room = POOLS[pool]
        resources = {"doctor": (doctor,), "room": (room,)}
        row = CalendarRow(ref, 1, False, "clinic", "talk", start, resources)
        came = self.world.dips.sync([row])
        booked = [(t.pool, t.booking) for t in self.plain.tasks.values() if t.booking is not None]
        if (pool, start) in [*booked, *self.plain.blocks.values()]:
            assert came.conflicts == (ref,)
            return
        assert came.applied == (ref,)
        self.plain.blocks[ref] = (pool, start)
        for patient, hold in list(self.plain.holds.items()):
            if (hold.pool, hold.start) == (pool, start):
                del self.plain.holds[patient]
        self.lose(self.plain.can_all_be_placed(self.plain.firm(), self.plain.needing()))

    @rule(number=which, late=st.booleans())
    @precondition(lambda self: self.plain.blocks)
    def unblock(self, number, late):
        """It is gone; a message that says the same as before does no harm."""
        ref = list(self.plain.blocks)[number % len(self.plain.blocks)]
        came = self.world.dips.sync([CalendarRow(ref, 1 if late else 2, deleted=True)])
        assert (came.stale if late else came.applied) == (ref,)
        if not late:
            del self.plain.blocks[ref]

    @has_tasks
    @rule(number=which)
    def tidy(self, number):
        """Workers plan places anew; nothing that people see changes."""
        self.world.tidied(self.task(number).id)

    @rule(minutes=st.sampled_from([1, 5, 10]))
    def clock_on(self, minutes):
        self.world.clock.advance(timedelta(minutes=minutes))
        self.plain.now += timedelta(minutes=minutes)

    @rule()
    def expire(self):
        expire_holds(self.world.ports, worker(ORGANISATION))
        holds = self.world.sessions(kind="hold")
        assert len(holds) == len([p for p in self.plain.holds if self.plain.held(p)])

    # -- what must be so after each ------------------------------------------------------------

    @invariant()
    def states_agree(self):
        tasks = self.world.read(lambda unit: unit.tasks.find())
        assert {t.id: t.state for t in tasks} == {t.id: t.state for t in self.plain.tasks.values()}
        visits = self.world.read(lambda unit: unit.appointments.find(state="booked"))
        booked = {t.id: t.booking for t in self.plain.tasks.values() if t.booking is not None}
        assert {v.task: v.start for v in visits if v.task} == booked
        assert {t.state for t in self.plain.tasks.values() if t.booking} <= BOOKED

    @invariant()
    def calendars_agree(self):
        sessions = self.world.sessions()
        now = self.world.clock.now()
        for session in sessions:
            assert_claims(session)
        firm = sorted(
            (s.task or "", s.start, sorted(s.spans)) for s in sessions if s.kind == "booking"
        )
        wanted = [(t.id, t.booking, t.pool) for t in self.plain.tasks.values() if t.booking]
        wanted += [("", start, pool) for pool, start in self.plain.blocks.values()]
        assert firm == sorted((task, start, sorted(POOLS[pool])) for task, start, pool in wanted)
        held = {(s.task, s.start, s.until) for s in sessions if s.kind == "hold" and s.is_live(now)}
        live = [h for p in self.plain.holds if (h := self.plain.held(p)) is not None]
        assert held == {(h.task, h.start, h.until) for h in live}
        places = [s for s in sessions if s.kind == "place" or s.is_place]
        having = sorted(t.id for t in self.plain.tasks.values() if t.is_live and t.placed)
        assert sorted(s.task for s in places) == having
        assert self.world.overlaps() == []
        assert self.world.promises_broken() == {}


def assert_claims(session):
    """Just the doctor, the room and the patient, for just as long as the visit."""
    rows = {(c.subject, c.span.start, c.span.end) for c in session.claims()}
    span = (session.start, session.start + LENGTH)
    subjects = {f"r:{r}" for ids in session.resources.values() for r in ids}
    subjects |= {f"p:{session.patient}"} if session.patient else set()
    assert rows == {(subject, *span) for subject in subjects}
    assert len(rows) == (3 if session.patient else 2)


@pytest.mark.parametrize("kind", SHARE)
def test_the_library_and_the_plain_model_agree(kind, request, tmp_path):
    numbers = count()

    def store(clock):
        if kind == "memory":
            return Memory(clock)
        if kind == "sqlite":
            migrated = request.getfixturevalue("migrated")
            path = shutil.copy(migrated, tmp_path / f"{next(numbers)}.db")
            return Database(f"sqlite:///{path}", clock)
        url = request.getfixturevalue("emptied_postgres_url")
        with psycopg.connect(url) as connection:
            connection.execute(";".join(_EMPTY))
        return Database(url, clock)

    machine = type("Machine", (Machine,), {"open_store": staticmethod(store)})
    examples = max(1, settings().max_examples // SHARE[kind])
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=25)
    )


def test_a_visit_that_is_cancelled_and_not_freed_is_noticed(monkeypatch):
    """What the machine would do, with the fault put in."""
    machine = Machine()
    machine.invite(who=1, pool="one", days="+")
    machine.choose(number=0, start=STARTS[0], held=False)
    machine.confirm(number=0)
    machine.calendars_agree()
    monkeypatch.setattr(cancelling, "release", lambda *_: None)
    machine.cancel(number=0)
    with pytest.raises(AssertionError):
        machine.calendars_agree()


def test_a_hold_that_counts_after_its_time_is_noticed(monkeypatch):
    machine = Machine()
    machine.invite(who=1, pool="one", days="+")
    machine.invite(who=2, pool="one", days="+")
    machine.hold(number=0, start=STARTS[0])
    machine.clock_on(minutes=10)
    monkeypatch.setattr(Session, "is_live", lambda *_: True)
    with pytest.raises(TimeTaken):
        machine.choose(number=1, start=STARTS[0], held=False)


def test_a_hold_renewed_too_often_is_refused_in_both():
    machine = Machine()
    machine.invite(who=1, pool="one", days="+")
    for _ in range(RENEWALS + 2):
        machine.hold(number=0, start=STARTS[0])
    assert machine.plain.held("p-1").renewed == RENEWALS
