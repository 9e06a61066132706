"""A machine that plays weeks of a clinic, and looks after each step whether anybody is stranded.

Small and crowded: four starts a day, so that places move at nearly every step.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.world import ORGANISATION, OSLO, World, document, pool
from timevalg.booking.examine import examine
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import (
    Conflict,
    IllegalMove,
    InvalidInput,
    NotFound,
    NotServable,
    WouldStrand,
)
from timevalg.model.principal import Principal, RoleName
from timevalg.model.states import LIVE

FIRST = date(2027, 1, 4)
LAST = date(2027, 1, 29)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
SHORT = [{"days": WEEKDAYS, "from": "08:00", "to": "10:00"}]

number = st.integers(0, 999)
few = st.integers(0, 4)


def task_in(*states):
    """Only when there is a task in one of the states."""
    return precondition(lambda self: bool(self.tasks(*states)))


a_visit = precondition(lambda self: self.visit(0) is not None)


def clinic(away=(), openings=SHORT):
    """Two doctors, one room; three kinds of fallback and check, and quotas across them."""
    source = document()
    source["services"].append(
        {
            "id": "long",
            "length": 60,
            "roles": [
                {"id": "doctor", "kind": "clinician", "skills": ["talk"], "start": 15},
                {"id": "room", "kind": "room", "length": 75},
            ],
        }
    )
    for role in source["services"][-1]["roles"]:
        role.setdefault("length", 45)
    source["pools"] = [
        pool("auto", open=openings, fallback_notice=2, cancel={"until": 0}),
        pool("manual", open=openings, check="manual", notice=1),
        pool("record", open=openings, check="record"),
        pool("staff", open=openings, fallback="staff", notice=1, fallback_notice=4),
        pool("long", "long", open=openings, notice=1),
    ]
    source["quotas"] = [
        {"pools": ["auto", "manual", "record"], "per": "day", "max": 3},
        {"pools": ["auto", "staff", "long"], "each": "clinician", "per": "week", "max": 9},
    ]
    for which, day in away:
        resource = source["resources"][which % 3]
        resource.setdefault("away", []).append({"from": day, "to": day})
    return source


class Weeks(RuleBasedStateMachine):
    """Everything that can happen to a clinic's choice tasks, in any order."""

    make_store: Callable

    @initialize(
        some=st.lists(st.tuples(number, st.integers(1, 8), few, few), min_size=4, max_size=9)
    )
    def begin(self, some):
        self.world = World(self.make_store, clinic())
        self.away = []
        self.openings = SHORT
        self.refs = {}
        self.dead = set()
        self.seen = set()
        self.homeless = set()
        self.cause = None
        for n, first, width, lead in some:
            self.invite(n, first, width, lead)

    # -- drawing -----------------------------------------------------------------------------

    @property
    def today(self):
        return self.world.clock.now(None).astimezone(OSLO).date()

    def tasks(self, *states):
        found = self.world.read(lambda unit: unit.tasks.find())
        return [t for t in found if not states or t.state in states]

    def one(self, n, *states):
        found = self.tasks(*states)
        return found[n % len(found)]

    def visit(self, n):
        booked = self.world.read(lambda unit: unit.appointments.find(state="booked"))
        booked = [v for v in booked if v.start > self.world.clock.now(None)]
        return booked[n % len(booked)] if booked else None

    def moment(self, n):
        day = self.today + timedelta(days=1 + n % 9)
        half_hours = n // 9 % 6
        return datetime(day.year, day.month, day.day, 8, tzinfo=OSLO) + timedelta(
            minutes=30 * half_hours
        )

    def doing(self, cause, verb, *args, refusals=(), **more):
        """Do something; `cause` is why a place may be lost by it, if it may."""
        self.cause = cause
        try:
            return verb(*args, **more)
        except refusals:
            return None

    # -- the hospital invites ----------------------------------------------------------------

    def window(self, first, width, lead):
        opens = self.today + timedelta(days=lead % 3)
        start = opens + timedelta(days=first)
        return {
            "opens": opens,
            "due": opens + timedelta(days=lead),
            "not_before": start,
            "not_after": start + timedelta(days=width),
        }

    @rule(n=number, first=st.integers(1, 10), width=st.integers(0, 8), lead=few)
    def invite(self, n, first, width, lead):
        pools = [["auto"], ["manual"], ["record"], ["staff"], ["long"], ["auto", "long"]][n % 6]
        more = {"extra": 15} if n % 7 == 0 else {}
        more |= {"only": {"doctor": ["dr-a"]}} if n % 11 == 0 else {}
        answer = self.doing(
            None,
            self.world.invite,
            f"q-{n % 9}",
            pools,
            priority=1 + n % 5,
            refusals=IllegalMove,
            **self.window(first, width, lead),
            **more,
        )
        assert self.dead if answer is None else (answer.task is None) == bool(answer.shortage)

    @rule(n=number, count=st.integers(2, 6), first=st.integers(1, 8), width=few, lead=few)
    def invite_many(self, n, count, first, width, lead):
        common = {"pools": ["auto"], **self.window(first, width, lead)}
        many = [{"patient": f"q-{(n + k) % 9}", **common} for k in range(count)]
        answers = self.doing(None, self.world.desk.invite_many, many, refusals=IllegalMove)
        assert self.dead or answers
        assert all((a.task is None) == (a.shortage is not None) for a in answers or ())

    @task_in("draft", *LIVE)
    @rule(n=number, first=few, width=few, lead=few, extra=st.sampled_from([0, 0, 15]))
    def amend(self, n, first, width, lead, extra):
        """Other terms; refused where they cannot be served."""
        task = self.one(n, "draft", *LIVE)
        window = self.window(first + 1, width, lead)
        terms = [
            {"not_before": window["not_before"], "not_after": window["not_after"]},
            {"due": max(window["due"], task.opens)},
            {"pools": [["auto"], ["staff"], ["long"], ["long", "manual"]][n % 4]},
            {"extra": extra, "done": ["form"]},
        ][n % 4 - 1]
        refusals = (NotServable, InvalidInput)
        self.doing(None, self.world.desk.amend, task, refusals=refusals, **terms)

    # -- patients ----------------------------------------------------------------------------

    @task_in("open", "overdue", "with-staff")
    @rule(n=number, which=number)
    def choose(self, n, which):
        task = self.one(n, "open", "overdue", "with-staff")
        me = self.world.patient(task.patient)
        offers = me.offers(task, 100).offers
        if offers:  # shown is honoured
            offer = offers[which % len(offers)]
            visit = self.doing(None, me.choose, task, offer)
            assert (visit.start, visit.pool) == (offer.start, offer.pool)

    @task_in("open", "overdue", "with-staff")
    @rule(n=number, which=number)
    def hold(self, n, which):
        task = self.one(n, "open", "overdue", "with-staff")
        me = self.world.patient(task.patient)
        offers = me.offers(task, 100).offers
        if offers:  # what can be held no more, or not at all, can be chosen
            offer = offers[which % len(offers)]
            if self.doing(None, me.hold, task, offer, refusals=IllegalMove) is None:
                assert self.doing(None, me.choose, task, offer).start == offer.start

    @precondition(lambda self: self.world.sessions(kind="hold"))
    @rule(n=number)
    def renew(self, n):
        """As often as it may be; also one that has expired, if its time is still free."""
        held = self.world.sessions(kind="hold")
        hold = held[n % len(held)]
        refusals = (IllegalMove, Conflict)
        self.doing(None, self.world.patient(hold.patient).renew, hold, refusals=refusals)

    @a_visit
    @rule(n=number, which=number)
    def change(self, n, which):
        visit = self.visit(n)
        if visit.pool is None:
            return
        offers = self.world.desk.offers_to_change(visit, 100).offers
        if offers:
            offer = offers[which % len(offers)]
            moved = self.doing(None, self.world.desk.change, visit, offer)
            assert moved.start == offer.start

    @a_visit
    @rule(n=number)
    def cancel(self, n):
        visit = self.visit(n)
        self.doing("a return to life", self.world.desk.cancel, visit)

    @task_in("open", "overdue")
    @rule(n=number)
    def none_suits(self, n):
        task = self.one(n, "open", "overdue")
        self.doing(None, self.world.patient(task.patient).none_suits, task, "mornings")

    @task_in("open")
    @rule(n=number)
    def decline(self, n):
        task = self.one(n, "open")
        self.doing(None, self.world.patient(task.patient).decline, task)

    # -- staff -------------------------------------------------------------------------------

    @task_in("chosen", "assigned")
    @rule(n=number, yes=st.booleans())
    def check(self, n, yes):
        task = self.one(n, "chosen", "assigned")
        self.doing("a return to life", self.world.desk.check, task, confirm=yes)

    @task_in("chosen", "assigned")
    @rule(n=number)
    def refuse(self, n):
        task = self.one(n, "chosen", "assigned")
        visit = self.world.visit(task)
        self.doing("a return to life", self.world.dips.refuse, visit, reason="no")

    @task_in("chosen", "assigned", "confirmed")
    @rule(n=number)
    def undo(self, n):
        task = self.one(n, "chosen", "assigned", "confirmed")
        self.doing("a return to life", self.world.desk.undo, task, reason="x", refusals=IllegalMove)

    @task_in("open", "overdue", "declined")
    @rule(n=number)
    def take(self, n):
        task = self.one(n, "open", "overdue", "declined")
        self.doing("a return to life", self.world.desk.take, task)

    @task_in("with-staff")
    @rule(n=number, days=few)
    def reopen(self, n, days):
        task = self.one(n, "with-staff")
        due = self.today + timedelta(days=days)
        self.doing(
            None, self.world.desk.reopen, task, due=due, refusals=(InvalidInput, NotServable)
        )

    @rule(n=number)
    def place_again(self, n):
        """Whoever has lost their place gets another if there is one by now."""
        lost = self.world.desk.replan().lost
        if lost:
            one = lost[n % len(lost)]
            placed = self.doing(None, self.world.desk.amend, one.task, refusals=NotServable)
            assert (placed is None) == (one.place is None)

    @task_in("overdue", "with-staff")
    @rule(n=number)
    def keep_waiting(self, n):
        task = self.one(n, "overdue", "with-staff")
        self.doing(None, self.world.desk.keep_waiting, task, "abroad")

    @task_in()
    @rule(n=number)
    def withdraw(self, n):
        task = self.one(n)
        self.doing(None, self.world.desk.withdraw, task=task.id, refusals=IllegalMove)

    def resources(self, n):
        return {"doctor": (["dr-a", "dr-b"][n % 2],), "room": ("room",)}

    @task_in("overdue", "with-staff")
    @rule(n=number, when=number, override=st.booleans())
    def assign(self, n, when, override):
        task = self.one(n, "overdue", "with-staff")
        self.doing(
            "an override" if override else None,
            self.world.desk.assign,
            task,
            start=self.moment(when),
            resources=self.resources(n),
            reason="by phone",
            override=override,
            refusals=Conflict,
        )

    @a_visit
    @rule(n=number, when=number, override=st.booleans())
    def move(self, n, when, override):
        visit = self.visit(n)
        self.doing(
            "an override" if override else None,
            self.world.desk.move,
            visit,
            start=self.moment(when),
            resources=self.resources(n),
            reason="by phone",
            override=override,
            refusals=Conflict,
        )

    # -- capacity comes and goes -------------------------------------------------------------

    @rule(n=number, which=number)
    def absence(self, n, which):
        self.away.append((which, self.today + timedelta(days=1 + n % 12)))
        self.doing("an absence", self.world.publish, clinic(self.away, self.openings))

    @precondition(lambda self: self.away)
    @rule(n=number)
    def back_again(self, n):
        self.away.pop(n % len(self.away))
        self.doing("a new plan", self.world.publish, clinic(self.away, self.openings))

    @rule(n=number, day=st.integers(1, 12), days=few)
    def absence_by_itself(self, n, day, days):
        """Said of one resource, without a file."""
        first = self.today + timedelta(days=day)
        last = first + timedelta(days=days)
        name = ["dr-a", "dr-b", "room"][n % 3]
        self.doing("an absence", self.world.desk.add_absence, "clinic", name, first, last)

    @rule(n=number, which=few)
    def absence_taken_back(self, n, which):
        name = ["dr-a", "dr-b", "room"][n % 3]
        verb = self.world.desk.remove_absence
        self.doing(None, verb, "clinic", name, which, refusals=NotFound)

    @rule(n=number, on=st.booleans(), override=st.booleans())
    def switch_pool(self, n, on, override):
        """Off it is refused where somebody has no other place, unless staff insist."""
        self.doing(
            "an override" if override and not on else None,
            self.world.desk.switch_pool,
            "clinic",
            ["auto", "manual", "record", "staff", "long"][n % 5],
            on,
            reason="a strike",
            override=override,
            refusals=WouldStrand,
        )

    @rule(n=number)
    def rebook(self, n):
        """Carry out one of the proposals for visits that cannot stand."""
        proposals = self.world.desk.replan().proposals
        if proposals:
            visit = proposals[n % len(proposals)].visit
            refusals = (IllegalMove, NotServable)
            self.doing("a return to life", self.world.desk.rebook, visit, refusals=refusals)

    @rule(n=number)
    def other_openings(self, n):
        days = [d for k, d in enumerate(WEEKDAYS) if n >> k & 1] or WEEKDAYS
        self.openings = [{"days": days, "from": "08:00", "to": ["09:00", "11:00"][n % 2]}]
        self.doing("a new plan", self.world.publish, clinic(self.away, self.openings))

    @rule(n=number, when=number, half_hours=st.integers(1, 4), override=st.booleans())
    def block(self, n, when, half_hours, override):
        start = self.moment(when)
        names = [["dr-a"], ["dr-b"], ["room"], ["dr-a", "dr-b"]][n % 4]
        self.doing(
            "an override" if override else None,
            self.world.desk.block,
            "clinic",
            names,
            start,
            start + timedelta(minutes=30 * half_hours),
            reason="a course",
            override=override,
            refusals=Conflict,
        )

    @precondition(lambda self: self.world.sessions(kind="block"))
    @rule(n=number)
    def unblock(self, n):
        blocks = self.world.sessions(kind="block")
        self.doing(None, self.world.desk.unblock, blocks[n % len(blocks)])

    @rule(n=number, into=number)
    def merge(self, n, into):
        """Two patients turn out to be one: their times may meet."""
        refusals = (IllegalMove, InvalidInput, Conflict)
        names = (f"q-{n % 9}", f"q-{into % 9}")
        self.doing("a merge", self.world.dips.merge, *names, refusals=refusals)

    @rule(n=number)
    def deceased(self, n):
        name = f"q-{n % 9}"
        self.doing("a return to life", self.world.dips.deceased, name)
        self.dead.add(name)

    @rule(n=number, when=number, gone=st.booleans())
    def import_row(self, n, when, gone):
        ref = f"kontakt/{n % 4}"
        version = self.refs[ref] = self.refs.get(ref, 0) + 1
        row = CalendarRow(
            ref,
            version,
            deleted=gone,
            clinic="clinic",
            service="talk",
            start=self.moment(when),
            resources=self.resources(n),
            patient=f"x-{n % 4}",
            pool=[None, "auto"][n % 2],
        )
        self.doing("an import", self.world.dips.sync, [row])

    @task_in("chosen", "assigned", "confirmed")
    @rule(n=number, when=number)
    def record_system_moves(self, n, when):
        """A visit made here gets a ref, and is moved there."""
        task = self.one(n, "chosen", "assigned", "confirmed")
        visit = self.world.visit(task)
        if visit.state != "booked":
            return
        ref = visit.ref or f"henv/{visit.id}"
        self.doing(None, self.world.dips.accept, visit, ref=ref)
        version = self.refs[ref] = self.refs.get(ref, 0) + 1
        row = CalendarRow(ref, version, deleted=n % 5 == 0, start=self.moment(when))
        self.doing("an import", self.world.dips.sync, [row])

    # -- the clock ---------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([5, 11, 60, 600]))
    def later(self, minutes):
        self.doing("silence", self.world.work)
        self.doing("silence", self.world.later, minutes=minutes)

    @rule(days=st.integers(1, 3))
    def days_pass(self, days):
        for _ in range(days):
            self.to_morrow()

    def to_morrow(self):
        self.doing("silence", self.world.work)
        self.nobody_is_stranded()
        self.doing("silence", self.world.at, self.today + timedelta(days=1), 0)
        self.nobody_is_stranded()

    # -- what must hold ----------------------------------------------------------------------

    @invariant()
    def nobody_is_stranded(self):
        broken = self.world.promises_broken()
        assert not broken, (broken, self.today, [self.world.task(key) for key in broken])
        lost = self.world.read(lambda unit: unit.cases.find(kind="capacity-loss"))
        new = [c for c in lost if c.id not in self.seen]
        assert not new or self.cause is not None, [c.reason for c in new]
        self.seen.update(c.id for c in new)
        if self.cause == "silence":
            allowed = ("no valid place is left after 'undo'", "staff said to wait")
            allowed += ("no valid place is left after 'hand to staff'",)
            again = [c for c in new if not c.reason.startswith(allowed)]
            assert not [c for c in again if c.task not in self.homeless], [c.reason for c in again]
        self.homeless = {c.task for c in self.world.cases("capacity-loss")}

    @invariant()
    def visits_and_sessions_agree(self):
        bookings = {s.id: s for s in self.world.sessions(kind="booking")}
        booked = self.world.read(
            lambda unit: unit.appointments.find(state={"booked", "arrived", "fulfilled"})
        )
        assert {v.session for v in booked} == bookings.keys()
        for visit in booked:
            session = bookings[visit.session]
            assert (visit.start, visit.task) == (session.start, session.task)
        holders = {s.task for s in bookings.values()}
        assert not [t.id for t in self.tasks(*LIVE) if t.id in holders]
        open_visits = {v.task for v in booked}
        assert all(t.id in open_visits for t in self.tasks("chosen", "assigned"))

    @invariant()
    def an_examination_finds_nothing(self):
        auditor = Principal("doctor", RoleName.AUDITOR, ORGANISATION)
        assert examine(self.world.ports, auditor).findings == ()

    def teardown(self):
        """Nobody chooses any more: everybody has a visit in the end, or a named cause why not."""
        if not hasattr(self, "world"):
            return
        try:
            end = self.today + timedelta(days=26)
            while self.today < end and self.tasks(*LIVE):
                self.to_morrow()
            assert self.world.overlaps() == []
            for task in self.tasks(*LIVE):
                assert task.id in self.homeless, (task, self.world.sessions(task=task.id))
        finally:
            self.world.store.close()
