"""The plain model: who has which time, as dicts, and what must be refused.

Two pools with a doctor and a room each, so that a start is all there is to choose; visits of one
length on one raster, so that two overlap if and only if they start together. Where places are is
nobody's business: only that there is a way to give everybody one, and that each has one.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.world import document, oslo, pool
from timevalg.model.errors import IllegalMove, RuleBroken, TimeTaken, WouldStrand

POOLS = {"one": ("dr-a", "room-a"), "two": ("dr-b", "room-b")}
DAYS = (date(2027, 1, 19), date(2027, 1, 20))
TIMES = [(8, 0), (8, 30)]
STARTS = [oslo(day.year, day.month, day.day, *time) for day in DAYS for time in TIMES]
CLOSED = oslo(2027, 1, 20, 10)
"""A start that no opening has."""
PER_DAY = 3
LENGTH = timedelta(minutes=30)
HOLD = timedelta(minutes=10)
LIVE = {"open", "with-staff"}
BOOKED = {"chosen", "assigned", "confirmed"}


def clinic():
    opening = [{"days": ["tue", "wed"], "from": "08:00", "to": "09:00"}]
    return document(
        resources=[
            {"id": "dr-a", "kind": "clinician", "skills": ["talk"]},
            {"id": "dr-b", "kind": "clinician", "skills": ["talk"]},
            {"id": "room-a", "kind": "room"},
            {"id": "room-b", "kind": "room"},
        ],
        pools=[
            pool(name, resources=list(resources), open=opening, check="manual", hold=10)
            for name, resources in POOLS.items()
        ],
        quotas=[{"pools": list(POOLS), "per": "day", "max": PER_DAY}],
    )


@dataclass
class Invited:
    """A task; `placed` = it has a place, in a hold or of its own."""

    id: str
    patient: str
    pool: str
    days: tuple
    state: str = "open"
    placed: bool = True
    booking: object = None

    @property
    def is_live(self):
        return self.state in LIVE

    def suits(self, start):
        return start in STARTS and start.date() in self.days


@dataclass(frozen=True)
class Held:
    task: str
    pool: str
    patient: str
    start: object
    until: object
    renewed: int = 0


@dataclass
class Plain:
    now: object
    tasks: dict = field(default_factory=dict)
    holds: dict = field(default_factory=dict)  # patient → the newest
    blocks: dict = field(default_factory=dict)  # ref → (pool, start)

    # -- what is taken -------------------------------------------------------------------------

    def held(self, patient):
        hold = self.holds.get(patient)
        return hold if hold is not None and self.now < hold.until else None

    def firm(self, without=(), patients=()):
        """Give (pool, start, patient, counts in quotas) of whatever gives way to nobody."""
        found = [
            (t.pool, t.booking, t.patient, True)
            for t in self.tasks.values()
            if t.booking is not None and t.id not in without
        ]
        found += [
            (h.pool, h.start, h.patient, True)
            for p in self.holds
            if (h := self.held(p)) is not None and p not in patients and h.task not in without
        ]
        return found + [(*block, None, False) for block in self.blocks.values()]

    def needing(self, without=(), patients=()):
        """Give the tasks that must have a place beside what is firm."""
        covered = {
            h.task for p in self.holds if (h := self.held(p)) is not None and p not in patients
        }
        return [
            t
            for t in self.tasks.values()
            if t.is_live and t.placed and t.id not in {*covered, *without}
        ]

    # -- what is possible ----------------------------------------------------------------------

    def can_all_be_placed(self, firm, tasks):
        """Tell whether there is a place for each of the tasks: tries everything."""
        if not tasks:
            return True
        ways = {t.id: [s for s in STARTS if t.suits(s) and not clash(firm, t, s)] for t in tasks}
        first = min(tasks, key=lambda t: len(ways[t.id]))
        rest = [t for t in tasks if t is not first]
        return any(
            self.can_all_be_placed([*firm, (first.pool, s, first.patient, True)], rest)
            for s in ways[first.id]
        )

    def offered(self, task, start):
        """Tell whether the patient can have the start: free, by the rules, and stranding nobody."""
        firm = self.firm({task.id}, {task.patient})
        if not task.suits(start) or clash(firm, task, start):
            return False
        mine = (task.pool, start, task.patient, True)
        return self.can_all_be_placed([*firm, mine], self.needing({task.id}, {task.patient}))

    def strands(self, task, start):
        """Tell whether a booking by staff would leave somebody without a place."""
        firm = self.firm({task.id})
        mine = (task.pool, start, task.patient, True)
        return not self.can_all_be_placed([*firm, mine], self.needing({task.id}))

    def refusals_of_staff(self, task, start, override):
        """Give the errors, any of which may refuse a booking by staff; empty = it is done."""
        if task.state != "with-staff":
            return {IllegalMove}
        firm = self.firm({task.id})
        overlapping = any(overlaps(row, task, start) for row in firm)
        if override:
            return {TimeTaken} if overlapping else set()
        errors = set()
        if not task.suits(start):
            errors.add(RuleBroken)
        elif clash(firm, task, start):
            errors.add(TimeTaken)
        if self.strands(task, start):
            errors.add(WouldStrand)
        return errors

    # -- what happens --------------------------------------------------------------------------

    def invite(self, task):
        if not self.can_all_be_placed(self.firm(), [*self.needing(), task]):
            task.state, task.placed = "draft", False
        self.tasks[task.id] = task
        return task.state

    def book(self, task, start, state):
        hold = self.holds.get(task.patient)
        if state == "chosen" or (hold is not None and hold.task == task.id):
            self.holds.pop(task.patient, None)
        task.booking, task.state, task.placed = start, state, False

    def give_back(self, task, state):
        """Undo a visit: the task has a place again, if there is any for it."""
        task.booking, task.state = None, state
        task.placed = self.can_all_be_placed(self.firm(), [*self.needing(), task])

    def end(self, task, state):
        hold = self.holds.get(task.patient)
        if hold is not None and hold.task == task.id:
            del self.holds[task.patient]
        task.booking, task.state, task.placed = None, state, False


def overlaps(row, task, start):
    pool, at, patient, _ = row
    return at == start and (pool == task.pool or patient == task.patient)


def clash(firm, task, start):
    """Tell whether the start is taken, for the pool or the patient, or the day is full."""
    counted = sum(quota and at.date() == start.date() for _, at, _, quota in firm)
    return counted >= PER_DAY or any(overlaps(row, task, start) for row in firm)
