"""A machine that plays weeks of a clinic; after each step it looks whether anybody is stranded."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.integration.booking.crowded import (
    BEGINNINGS,
    NIGHTS,
    SHORT,
    WEEKDAYS,
    Crowded,
    a_visit,
    clinic,
    few,
    number,
    task_in,
)
from tests.world import OSLO, World
from timevalg.booking.search import Sought
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import (
    Conflict,
    IllegalMove,
    InvalidInput,
    NotFound,
    NotServable,
    WouldStrand,
)
from timevalg.model.states import LIVE


class Weeks(Crowded):
    """Everything that can happen to a clinic's choice tasks, in any order."""

    @initialize(
        some=st.lists(st.tuples(number, st.integers(1, 8), few, few), min_size=4, max_size=9),
        first=st.sampled_from(BEGINNINGS),
    )
    def begin(self, some, first=BEGINNINGS[0]):
        self.openings = SHORT if first == BEGINNINGS[0] else NIGHTS
        self.world = World(self.make_store, clinic(openings=self.openings))
        self.world.clock.set(datetime(first.year, first.month, first.day, 8, tzinfo=OSLO))
        self.away = []
        self.edited = {}
        self.refs = {}
        self.dead = set()
        self.seen = set()
        self.homeless = set()
        self.cause = None
        for n, first, width, lead in some:
            self.invite(n, first, width, lead)

    # -- the hospital invites ----------------------------------------------------------------

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

    def offered(self, me, task):
        """Look; there is something as long as the task's own place may be chosen."""
        offers = me.offers(task, 100).offers
        starts = [(s.pool, s.start) for s in self.world.sessions(task=task.id)]
        free = [] if offers else self.world.desk.search(Sought(task=task.id))
        assert not [f for f in free if (f.pool, f.start) in starts]
        return offers

    @task_in("open", "overdue", "with-staff")
    @rule(n=number, which=number)
    def choose(self, n, which):
        task = self.one(n, "open", "overdue", "with-staff")
        me = self.world.patient(task.patient)
        offers = self.offered(me, task)
        if offers:  # shown is honoured
            offer = offers[which % len(offers)]
            visit = self.doing(None, me.choose, task, offer)
            assert (visit.start, visit.pool) == (offer.start, offer.pool)

    @task_in("open", "overdue", "with-staff")
    @rule(n=number, which=number)
    def hold(self, n, which):
        task = self.one(n, "open", "overdue", "with-staff")
        me = self.world.patient(task.patient)
        offers = self.offered(me, task)
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
        self.doing("an absence", self.world.publish, self.file())

    @precondition(lambda self: self.away)
    @rule(n=number)
    def back_again(self, n):
        self.away.pop(n % len(self.away))
        self.doing("a new plan", self.world.publish, self.file())

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

    def file(self):
        return clinic(self.away, self.openings, **self.edited)

    @rule(n=number, most=st.integers(1, 4))
    def edit_pools(self, n, most):
        """Publish a file with other terms of one pool, and another quota."""
        terms = [
            {"notice": n % 5, "fallback_notice": 5 + n % 4},
            {"horizon": 7 + n % 30},
            {"raster": [15, 60, 30][n % 3]},
            {"fallback": ["assign", "staff"][n % 2], "check": ["auto", "manual", "record"][n % 3]},
            {"resources": [["dr-a", "room"], ["dr-b", "room"], ["dr-a"]][n % 3]},
            {
                "open": [
                    {"days": WEEKDAYS[n % 5 :], "from": "09:00", "to": "12:00", "release": n % 9}
                ]
            },
        ][n // 7 % 6]
        name = ["auto", "manual", "record", "staff", "long"][n // 5 % 5]
        self.edited = {"terms": {"id": name, **terms}, "most": most}
        self.doing("a new plan", self.world.publish, self.file())

    @rule(n=number)
    def back_to_another_version(self, n):
        versions = self.world.desk.versions("clinic")
        to = versions[n % len(versions)].version
        self.doing("a new plan", self.world.desk.roll_back, "clinic", to)

    @rule(n=number, which=number)
    def ask_what_if(self, n, which):
        """An edited file, before it is published: says what that would do, and does nothing."""
        away = [*self.away, (which, self.today + timedelta(days=1 + n % 12))]
        before = self.world.dump()
        self.doing(None, self.world.desk.forecast, "clinic", clinic(away, self.openings))
        after = self.world.dump()
        assert {k: v for k, v in after.items() if k != "audit"} == {
            k: v for k, v in before.items() if k != "audit"
        }

    @rule(n=number)
    def other_openings(self, n):
        days = [d for k, d in enumerate(WEEKDAYS) if n >> k & 1] or WEEKDAYS
        hours = [("08:00", "09:00"), ("08:00", "11:00"), ("01:00", "04:00")][n % 3]
        self.openings = [{"days": days, "from": hours[0], "to": hours[1]}]
        self.doing("a new plan", self.world.publish, self.file())

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
