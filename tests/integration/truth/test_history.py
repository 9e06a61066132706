"""Histories of many processes, and the checker that must accept them and nothing untrue."""

import json
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count, pairwise

import pytest

from benchmarks.history import clinic
from benchmarks.history.check import faults
from benchmarks.history.crowd import history, open_clinic
from benchmarks.history.model import overlap
from benchmarks.history.record import DONE, LOST, Change, History, Operation, Taken, merged
from benchmarks.history.writer import Noting, Writer, sessions
from tests.world import TestKeys
from timevalg.booking.hold import RENEWALS
from timevalg.channels.sink import Sink
from timevalg.store import Database
from timevalg.wiring import ports_on

SITES = 12
"""Places of the history at which each mutation is tried."""


# --- real processes on real databases


@pytest.mark.parametrize(
    ("url", "writers", "least"), [("emptied_postgres_url", 6, 20), ("sqlite_url", 3, 20)]
)
def test_a_history_of_processes_can_be_true(request, url, writers, least):
    found = history(request.getfixturevalue(url), writers, 1.5, least=least, kills=1)
    assert faults(found) == []
    assert len(found.operations) > (writers - 1) * least / 2
    assert {"choose", "hold"} <= {o.verb for o in found.operations if o.outcome == DONE}
    assert {"TimeTaken", "IllegalMove"} & {o.outcome for o in found.operations}


# --- a history without chance, and what it must not be


@dataclass
class Ticking:
    """A clock that goes on by a second each time it is read."""

    seconds: int = 0

    def now(self, unit=None):
        self.seconds += 1
        return clinic.MONDAY + timedelta(seconds=self.seconds)


class Old:
    """Pictures that are looked at again only every few calls."""

    def __init__(self, pictures, every):
        self._pictures, self._every, self._calls = pictures, every, count()

    def current(self, organisation, unit=None):
        if next(self._calls) % self._every == 0:
            self._seen = self._pictures.current(organisation, unit)
        return self._seen


def taking_turns(url, steps, every=1):
    """A history of three writers who take turns in this process."""
    clock = Ticking()
    store = Database(url, clock)
    keys = TestKeys()
    try:
        open_clinic(ports_on(store, Sink(), keys))
        initial = clinic.taken(sessions(store))
        notes = [[], [], []]
        writers = []
        for number, own in enumerate(notes):
            ports = ports_on(Noting(store, own.append), Sink(), keys)
            ports = replace(ports, pictures=Old(ports.pictures, every))
            writers.append(Writer(ports, clock, own.append, random.Random(number)))
        for step in range(steps):
            writers[step % 3].step()
        operations = merged(b"".join(own) for own in notes)
        return History(clinic.rules(), initial, operations, clinic.taken(sessions(store)))
    finally:
        store.close()


_RECORDED = {}


@pytest.fixture
def recorded(sqlite_url):
    if not _RECORDED:
        _RECORDED["history"] = taking_turns(sqlite_url, 180)
    return _RECORDED["history"]


def test_a_history_of_turns_can_be_true(recorded):
    assert faults(recorded) == []
    verbs = {o.verb for o in recorded.operations if o.outcome == DONE}
    assert verbs >= {"choose", "hold", "change", "cancel", "assign", "withdraw", "confirm"}
    assert {o.outcome for o in recorded.operations} >= {DONE, "TimeTaken", "IllegalMove"}


def with_(history, *changed):
    """The history with operations put in the place of others: pairs of (old, new)."""
    new = {id(old): fresh for old, fresh in changed}
    operations = [new.get(id(o), o) for o in history.operations]
    return replace(history, operations=tuple(o for o in operations if o is not None))


def successes(history):
    """Those that took or gave back a booking or a hold: what has an id of its own."""

    def is_one(operation):
        change = operation.change
        return (
            operation.outcome == DONE
            and change is not None
            and (
                any(t.kind != "place" for t in change.claimed)
                or any(not key.startswith("place:") for key in change.released)
            )
        )

    return [o for o in history.operations if is_one(o)]


def refusals(history, outcome):
    return [o for o in history.operations if o.outcome == outcome and o.verb in {"choose", "hold"}]


def untouched(history, operation):
    """Whether nothing of the initial places is where a refused start is."""
    rules = history.rules
    span = (operation.start, operation.start + rules.length)
    subjects = {f"r:{r}" for r in rules.resources[operation.pool]} | {f"p:{operation.patient}"}
    wanted = replace(history.initial[0], spans=dict.fromkeys(subjects, span))
    days = [t.start // rules.day for t in history.initial]
    return days.count(operation.start // rules.day) < rules.per_day and not any(
        overlap(wanted, t) for t in history.initial
    )


def swapped_outcomes(history):
    """Who was refused says that it was done, and the other way round."""
    for done in successes(history):
        for other in refusals(history, "TimeTaken"):
            if other.task != done.task:
                to = {"outcome": done.outcome, "change": done.change, "told": done.told}
                back = {"outcome": other.outcome, "change": None, "told": {}}
                yield with_(history, (done, replace(done, **back)), (other, replace(other, **to)))


def swapped_replies(history):
    """Each of two was told what the other got."""
    told = [o for o in successes(history) if o.told]
    for one, other in pairwise(told):
        if one.told != other.told:
            yield with_(
                history,
                (one, replace(one, told=other.told)),
                (other, replace(other, told=one.told)),
            )


def dropped(history):
    for done in successes(history):
        yield with_(history, (done, None))


def dropped_effect(history):
    """It says that it was done, and nothing has changed."""
    for done in successes(history):
        if done.verb != "expire":
            yield with_(history, (done, replace(done, change=None)))


def duplicated(history):
    for done in successes(history):
        yield replace(history, operations=(*history.operations, done))


def done_again_later(history):
    """The same once more after all the others, with a number of its own."""
    last = max(o.ended for o in history.operations) + 1
    highest = max(o.change.number for o in history.operations if o.change) + 1
    for done in successes(history):
        again = replace(
            done, began=last, ended=last + 1, change=replace(done.change, number=highest)
        )
        yield replace(history, operations=(*history.operations, again))


def refused_when_nothing_was_live(history):
    """A refusal, moved to before anybody had taken anything."""
    for refused in refusals(history, "TimeTaken"):
        if untouched(history, refused):
            yield with_(history, (refused, replace(refused, began=-2, ended=-1)))


def refused_when_it_was_open(history):
    invited = {t.task for t in history.initial}
    for refused in refusals(history, "IllegalMove"):
        if refused.task in invited:
            yield with_(history, (refused, replace(refused, began=-2, ended=-1)))


def refused_for_no_reason_there_is(history):
    for refused in refusals(history, "TimeTaken"):
        yield with_(history, (refused, replace(refused, outcome="StaleVersion")))


def real_time_broken(history):
    """Two that followed each other change their times."""
    for one, other in pairwise(successes(history)):
        if one.ended < other.began:
            yield with_(
                history,
                (one, replace(one, began=other.began, ended=other.ended)),
                (other, replace(other, began=one.began, ended=one.ended)),
            )


def numbers_swapped(history):
    for one, other in pairwise(successes(history)):
        if one.ended < other.began:
            a, b = one.change, other.change
            yield with_(
                history,
                (one, replace(one, change=replace(a, number=b.number))),
                (other, replace(other, change=replace(b, number=a.number))),
            )


def a_time_that_was_taken(history):
    """A booking says that it has the time of another that stands."""
    rules = history.rules
    for done in successes(history):
        if done.verb != "choose":
            continue
        (booking,) = (t for t in done.change.claimed if t.kind == "booking")
        for other in history.final:
            if other.kind == "booking" and other.start != booking.start:
                span = (other.start, other.start + rules.length)
                moved = replace(
                    booking, start=other.start, spans=dict.fromkeys(booking.spans, span)
                )
                claimed = [moved if t is booking else t for t in done.change.claimed]
                change = replace(done.change, claimed=tuple(claimed))
                told = {**done.told, "start": other.start}
                yield with_(
                    history, (done, replace(done, start=other.start, change=change, told=told))
                )


def something_else_in_the_database(history):
    for number, taken in enumerate(history.final):
        rest = (*history.final[:number], *history.final[number + 1 :])
        yield replace(history, final=rest)
        yield replace(history, final=(*rest, replace(taken, start=taken.start + 1)))


MUTATIONS = [
    swapped_outcomes,
    swapped_replies,
    dropped,
    dropped_effect,
    duplicated,
    done_again_later,
    refused_when_nothing_was_live,
    refused_when_it_was_open,
    refused_for_no_reason_there_is,
    real_time_broken,
    numbers_swapped,
    a_time_that_was_taken,
    something_else_in_the_database,
]


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_history_that_was_changed_is_found_out(recorded, mutation):
    mutants = list(mutation(recorded))
    assert mutants
    some = random.Random(0).sample(mutants, min(SITES, len(mutants)))
    assert [m for m in some if not faults(m)] == []


# --- a hold that is renewed


@pytest.mark.parametrize("renewals", range(RENEWALS + 1))
def test_a_hold_is_refused_once_it_has_been_renewed_so_often_and_not_before(renewals):
    rules = clinic.rules()
    spans = dict.fromkeys(("r:dr-a", "r:room", "p:p-1"), (0, rules.length))
    place = Taken("place:t", "place", "t", "p-1", "one", 0, spans)

    def held(now):
        return replace(place, id="s", kind="hold", until=now + rules.hold, is_place=True)

    def hold(now, gone, outcome=DONE):
        change = Change(now, now, (gone,), (held(now),)) if outcome == DONE else None
        return Operation("hold", "t", "p-1", "one", 0, now, now, outcome, change)

    done = [hold(1, "place:t"), *(hold(2 + n, "s") for n in range(renewals))]
    refused = hold(90, "s", "IllegalMove")
    history = History(rules, (place,), (*done, refused), (held(len(done)),))
    found = faults(history)
    assert bool(found) == (renewals < RENEWALS), found


@pytest.mark.parametrize("taken", [True, False])
def test_a_hold_that_could_be_chosen_is_refused_only_where_nothing_else_would_be_left(taken):
    rules = clinic.rules()
    others = [
        Taken(
            f"b{number}",
            "booking",
            "",
            "",
            "one",
            start,
            dict.fromkeys(("r:dr-a", "r:dr-b", "r:room"), (start, start + rules.length)),
        )
        for number, start in enumerate(rules.places)
    ]
    there = tuple(others if taken else others[:2])
    refused = Operation("hold", "t", "p-1", "one", 0, 90, 90, "OnlyChoosable", None)
    place = Taken("place:t", "place", "t", "p-1", "one", 0, {"r:dr-a": (0, rules.length)})
    history = History(rules, (place, *there), (refused,), (place, *there))
    assert bool(faults(history)) == (not taken)


# --- lost replies


def lost(operation, change):
    return replace(operation, outcome=LOST, ended=None, told={}, change=change)


def test_a_lost_reply_may_have_been_a_success(recorded):
    done = random.Random(1).sample(successes(recorded), 4)
    assert faults(with_(recorded, *((o, lost(o, o.change)) for o in done))) == []
    assert faults(with_(recorded, *((o, lost(o, None)) for o in done)))


def test_a_lost_reply_may_have_been_no_success(recorded):
    """It had written everything, and was not committed."""
    other = refusals(recorded, "TimeTaken")[-1]
    span = (other.start, other.start + recorded.rules.length)
    subjects = {f"r:{r}" for r in recorded.rules.resources[other.pool]} | {f"p:{other.patient}"}
    booking = replace(
        recorded.initial[0],
        id="s-lost",
        kind="booking",
        task=other.task,
        patient=other.patient,
        pool=other.pool,
        start=other.start,
        spans=dict.fromkeys(subjects, span),
    )
    highest = max(o.change.number for o in recorded.operations if o.change) + 1
    change = Change(highest, other.began, (), (booking,))
    assert faults(with_(recorded, (other, lost(other, change)))) == []
    told = {"session": "s-lost", "start": other.start}
    said = replace(other, outcome=DONE, change=change, told=told)
    assert faults(with_(recorded, (other, said)))


def test_notes_of_a_killed_process_end_anywhere():
    begins = {
        "note": "begins",
        "verb": "choose",
        "task": "t",
        "patient": "p",
        "pool": "one",
        "start": 0,
        "began": 1,
    }
    changes = {"note": "changes", "number": 7, "now": 2, "released": ["a"], "claimed": []}
    ends = {"note": "ends", "outcome": "TimeTaken", "told": {}, "ended": 3}
    lines = [json.dumps(note).encode() + b"\n" for note in (begins, changes, ends)]
    (cut,) = merged([b"".join(lines)[: len(lines[0]) + 5]])
    assert (cut.outcome, cut.change, cut.ended) == (LOST, None, None)
    (unanswered,) = merged([lines[0] + lines[1]])
    assert (unanswered.outcome, unanswered.change) == (LOST, Change(7, 2, ("a",)))
    (refused,) = merged([b"".join(lines)])
    assert (refused.outcome, refused.change) == ("TimeTaken", None)  # rolled back
    assert merged([b"", lines[0][:-1]]) == ()


# --- the guards off


def test_without_guards_the_history_cannot_be_true(scratch):
    """Writers with old pictures, whom neither check nor constraint holds back."""
    scratch.no_constraint()
    scratch.no_check()
    found = faults(taking_turns(scratch.url, 60, every=9))
    assert [fault for fault in found if "overlaps" in fault]
