"""A small and crowded clinic for machines: what is drawn in it, its clock, and what must hold."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.world import ORGANISATION, OSLO, document, pool
from timevalg.booking.examine import examine
from timevalg.model.principal import Principal, RoleName
from timevalg.model.states import LIVE

FIRST = date(2027, 1, 4)
LAST = date(2027, 1, 29)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri"]
SHORT = [{"days": WEEKDAYS, "from": "08:00", "to": "10:00"}]
EVERY_DAY = [*WEEKDAYS, "sat", "sun"]
NIGHTS = [{"days": EVERY_DAY, "from": "01:00", "to": "04:00"}]
"""Openings in which clocks change."""
BEGINNINGS = (date(2027, 1, 4), date(2027, 3, 22), date(2027, 10, 25))
"""Mondays: an ordinary one, and before a Sunday on which clocks change."""

number = st.integers(0, 999)
few = st.integers(0, 4)


def task_in(*states):
    """Only when there is a task in one of the states."""
    return precondition(lambda self: bool(self.tasks(*states)))


a_visit = precondition(lambda self: self.visit(0) is not None)


def clinic(away=(), openings=SHORT, terms=None, most=3):
    """Two doctors, one room; three kinds of fallback and check, and quotas across them.

    Parameters
    ----------
    terms : dict or None
        Other fields of one pool, which is named under `id`.
    most : int
        Visits a day in three pools together.
    """
    source = document()
    source["clinic"]["hours"] += [{"days": EVERY_DAY, "from": "00:00", "to": "08:00"}]
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
    for row in source["pools"]:
        row |= terms if terms and terms["id"] == row["id"] else {}
    source["quotas"] = [
        {"pools": ["auto", "manual", "record"], "per": "day", "max": most},
        {"pools": ["auto", "staff", "long"], "each": "clinician", "per": "week", "max": 9},
    ]
    for which, day in away:
        resource = source["resources"][which % 3]
        resource.setdefault("away", []).append({"from": day, "to": day})
    return source


class Crowded(RuleBasedStateMachine):
    """Four starts a day, so that places move at nearly every step."""

    make_store: Callable

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
        first = datetime(
            day.year, day.month, day.day, int(self.openings[0]["from"][:2]), tzinfo=OSLO
        )
        return first.astimezone(UTC) + timedelta(minutes=30 * (n // 9 % 6))

    def doing(self, cause, verb, *args, refusals=(), **more):
        """Do something; `cause` is why a place may be lost by it, if it may."""
        self.cause = cause
        try:
            return verb(*args, **more)
        except refusals:
            return None

    def window(self, first, width, lead):
        opens = self.today + timedelta(days=lead % 3)
        start = opens + timedelta(days=first)
        return {
            "opens": opens,
            "due": opens + timedelta(days=lead),
            "not_before": start,
            "not_after": start + timedelta(days=width),
        }

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

    @task_in(*LIVE)
    @rule(n=number)
    def tidy(self, n):
        self.doing(None, self.world.tidied, self.one(n, *LIVE).id)

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
        """Nobody chooses any more: everybody has a visit in the end, or a named cause why not.

        Unless staff have the task, and still time: a place that is later.
        """
        if not hasattr(self, "world"):
            return
        try:
            end = self.today + timedelta(days=26)
            while self.today < end and self.tasks(*LIVE):
                self.to_morrow()
            assert self.world.overlaps() == []
            for task in self.tasks(*LIVE):
                places = self.world.sessions(task=task.id)
                waits = task.state == "with-staff" and places and places[0].start.date() > end
                assert task.id in self.homeless or waits, (task, places)
        finally:
            self.world.store.close()
