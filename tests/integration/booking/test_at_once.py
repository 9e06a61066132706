"""Those who claim time at the same moment are done in one transaction, as if each came alone."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from benchmarks.race.same_sql import recorded
from tests.meanwhile import meanwhile
from tests.world import MONDAY, ORGANISATION, Post, World, document, oslo, pool
from timevalg.booking import at_once, choose, line
from timevalg.booking.line import Line
from timevalg.library.patient import PatientView
from timevalg.model.errors import IllegalMove, InFlight, NotFound, TimeTaken, TimevalgError, Unsure
from timevalg.model.principal import Principal, RoleName
from timevalg.store import Memory
from timevalg.wiring import ports_on

DAY = date(2027, 1, 20)
TIMES = [oslo(2027, 1, 20, 8 + n // 2, n % 2 * 30) for n in range(8)]


class Counting:
    """A store that counts the transactions that write; `after` sees each before its commit."""

    def __init__(self, store, after=lambda number: None):
        self._store, self._after, self.number = store, after, 0

    def run(self, organisation, body, *, write=True):
        self.number += write
        number = self.number

        def seen(unit):
            result = body(unit)
            if write:
                self._after(number)
            return result

        return self._store.run(organisation, seen, write=write)


def me(ports, name):
    return PatientView(ports, Principal(name, RoleName.PATIENT, ORGANISATION, patient=name))


def counted(world, after=lambda number: None):
    store = Counting(world.store, after)
    return store, replace(world.ports, store=store)


def tasks(world, number=3, **more):
    return [world.invited(f"p-{n}", **more) for n in range(number)]


def choosing(ports, task, start, **more):
    return lambda: me(ports, task.patient).choose(task, start, **more)


def in_order(world):
    assert world.overlaps() == []
    assert world.promises_broken() == {}


def told(world, of):
    """What the logs say of some tasks, by whom and in which order; ids left out."""
    patients = {task.id: task.patient for task in of}
    events = [(e.type, e.version, e.by, e.new) for e in world.events() if e.task in patients]
    audit = world.read(lambda unit: unit.audit.find(order="id"))
    works = world.read(lambda unit: unit.work.find(order="id"))
    return (
        sorted(map(str, events)),
        Counter((a.verb, a.principal, a.patient, a.subject) for a in audit if a.key in patients),
        Counter((w.kind, patients.get(w.entity)) for w in works),
    )


def test_whoever_waits_is_done_in_one_transaction(world):
    of = tasks(world)
    store, ports = counted(world)
    calls = [choosing(ports, t, at, idempotency_key=t.id) for t, at in zip(of, TIMES, strict=False)]
    visits = meanwhile(ports, *calls)
    assert store.number == 1
    assert [v.start for v in visits] == TIMES[:3]
    assert [world.visit(task) for task in of] == visits
    assert {world.task(task).state for task in of} == {"chosen"}
    in_order(world)
    assert [call() for call in calls] == visits  # each with the answer to its key
    world.work()
    assert {world.task(task).state for task in of} == {"confirmed"}


def test_their_picture_is_read_in_that_transaction(world, monkeypatch):
    of = tasks(world)
    calls = [choosing(world.ports, t, at) for t, at in zip(of, TIMES, strict=False)]
    read, keeper = [], world.ports.pictures
    current = keeper.current
    monkeypatch.setattr(
        keeper,
        "current",
        lambda organisation, *unit: read.append(unit) or current(organisation, *unit),
    )
    meanwhile(world.ports, *calls)
    assert [len(unit) for unit in read] == [1]
    in_order(world)
    assert len(keeper.current(ORGANISATION).index.sessions) == len(world.sessions())


def test_of_their_tasks_what_the_picture_has_is_not_read_and_what_stays_is_not_written(open_store):
    database = World(lambda clock: open_store("postgresql", clock))
    of = tasks(database)
    database.ports.pictures.current(ORGANISATION)
    calls = [choosing(database.ports, t, at) for t, at in zip(of, TIMES, strict=False)]
    with recorded() as heard:
        meanwhile(database.ports, *calls)
    (update,) = (s.sql for s in heard if s.sql.startswith("UPDATE tasks"))
    assert "state=" in update and "patient=" not in update
    asked = [row for s in heard if s.sql.startswith("SELECT tasks.") for row in s.rows]
    assert not [row for row in asked if any(task.id in str(row) for task in of)]
    in_order(database)


def test_what_is_written_is_what_each_alone_would_write(make_world):
    worlds = make_world(), World(Memory)
    for together, world in zip((True, False), worlds, strict=True):
        of = tasks(world)
        holding = lambda task, at, ports=world.ports: lambda: me(ports, task.patient).hold(task, at)  # noqa: E731
        calls = [choosing(world.ports, of[0], TIMES[0]), holding(of[1], TIMES[1])]
        calls += [choosing(world.ports, of[2], TIMES[3])]
        if together:
            meanwhile(world.ports, *calls)
        else:
            for call in calls:
                call()
        world.told = told(world, of)
        world.taken = [(s.start, s.kind, s.patient, s.resources) for s in world.sessions()]
        in_order(world)
    assert worlds[0].told == worlds[1].told
    assert sorted(map(str, worlds[0].taken)) == sorted(map(str, worlds[1].taken))


def test_whoever_is_refused_has_an_answer_of_their_own_and_the_others_theirs(world):
    of = tasks(world, 4)
    world.dips.withdraw(task=of[1].id)
    store, ports = counted(world)
    strange = lambda: me(ports, "p-9").choose(of[0], TIMES[0])  # noqa: E731 - somebody else's
    calls = [choosing(ports, t, at) for t, at in zip(of, TIMES, strict=False)]
    first, withdrawn, *others, stranger = meanwhile(ports, *calls, strange)
    assert isinstance(withdrawn, IllegalMove)
    assert isinstance(stranger, NotFound)
    assert [world.visit(of[n]) for n in (0, 2, 3)] == [first, *others]
    assert store.number == 3  # all who could in one, each of the others in one that came to nothing
    looked = world.read(lambda unit: unit.audit.find(verb="choose"))
    assert Counter(a.principal for a in looked) == {"p-0": 1, "p-2": 1, "p-3": 1}
    in_order(world)


def test_of_two_who_want_the_same_time_the_first_has_it(world):
    of = tasks(world)
    visits = meanwhile(world.ports, *(choosing(world.ports, t, TIMES[0]) for t in of[:2]),
                       choosing(world.ports, of[2], TIMES[2]))  # fmt: skip
    assert [v.start for v in (visits[0], visits[2])] == [TIMES[0], TIMES[2]]
    assert isinstance(visits[1], TimeTaken)
    assert visits[1].alternatives
    assert world.visit(of[1]) is None
    in_order(world)


def test_whoever_is_refused_looks_for_alternatives_alone_and_once(world, monkeypatch):
    of = tasks(world)
    together, looked = [], []
    in_one, look = at_once._in_one, choose.look

    def noted(*given):
        together.append(True)
        found = in_one(*given)
        together.clear()
        return found

    def looking(*given):
        looked.append(bool(together))
        return look(*given)

    monkeypatch.setattr(at_once, "_in_one", noted)
    monkeypatch.setattr(choose, "look", looking)
    calls = [choosing(world.ports, t, TIMES[0]) for t in of[:2]]
    held = lambda: me(world.ports, "p-2").hold(of[2], TIMES[0])  # noqa: E731 - beside the others
    first, *refused = meanwhile(world.ports, *calls, held)
    assert first.start == TIMES[0]
    assert [type(error) for error in refused] == [TimeTaken] * 2
    assert all(error.alternatives for error in refused)
    assert looked.count(True) == 0
    assert len(looked) == 3  # who holds asks whether it could be chosen too


def test_one_who_has_already_chosen_meanwhile_is_refused(world):
    task, other = tasks(world, 2)
    calls = [(task, TIMES[0]), (task, TIMES[1]), (other, TIMES[2])]
    visits = meanwhile(world.ports, *(choosing(world.ports, t, at) for t, at in calls))
    refused = [v for v in visits if isinstance(v, TimevalgError)]
    assert [type(e) for e in refused] == [IllegalMove]
    assert visits[2].start == TIMES[2]
    in_order(world)


def test_a_hold_is_confirmed_by_one_who_waits(world):
    of = tasks(world)
    held = me(world.ports, "p-0").hold(of[0], TIMES[0])
    visit, *_ = meanwhile(world.ports, *(choosing(world.ports, t, at)
                                         for t, at in zip(of, TIMES, strict=False)))  # fmt: skip
    assert (visit.start, visit.resources) == (held.start, held.resources)
    assert world.sessions(kind="hold") == []
    in_order(world)


def test_a_task_whose_time_has_come_is_opened_together_with_others(world):
    of = tasks(world, 2, opens=date(2027, 1, 5))
    world.clock.set(MONDAY + timedelta(days=1))  # and no worker has got to it yet
    store, ports = counted(world)
    meanwhile(ports, *(choosing(ports, t, at) for t, at in zip(of, TIMES, strict=False)))
    assert store.number == 1
    assert Counter(e.type for e in world.events() if e.type.startswith("task."))["task.open"] == 2
    in_order(world)


def test_an_opened_task_that_is_refused_undoes_what_was_done_together(world):
    of = tasks(world, 3, opens=date(2027, 1, 5))
    world.clock.set(MONDAY + timedelta(days=1))
    late = oslo(2027, 2, 20, 9)
    calls = [choosing(world.ports, of[0], late)]
    calls += [choosing(world.ports, t, at) for t, at in zip(of[1:], TIMES, strict=False)]
    refused, *visits = meanwhile(world.ports, *calls)
    assert isinstance(refused, TimeTaken)
    assert [v.start for v in visits] == TIMES[:2]
    assert world.task(of[0]).state == "scheduled"
    opened = [e.task for e in world.events("task.open")]
    assert sorted(opened) == sorted(t.id for t in of[1:])
    in_order(world)


class Crash(Exception):
    pass


def test_what_fails_together_leaves_nothing_and_each_does_theirs_alone(world):
    of = tasks(world)

    def crash(number):
        if number == 1:
            raise Crash

    store, ports = counted(world, crash)
    visits = meanwhile(ports, *(choosing(ports, t, at) for t, at in zip(of, TIMES, strict=False)))
    assert store.number == 1 + len(of)
    assert [world.visit(task) for task in of] == visits
    looked = world.read(lambda unit: unit.audit.find(verb="choose"))
    assert Counter(a.principal for a in looked) == {"p-0": 1, "p-1": 1, "p-2": 1}
    assert Counter(e.task for e in world.events("task.chosen")) == {t.id: 1 for t in of}
    in_order(world)


@pytest.mark.parametrize("keyed", [True, False])
def test_where_nobody_knows_whether_it_was_done_all_are_told_so(world, keyed):
    of = tasks(world)

    class Cut(Counting):
        def run(self, organisation, body, *, write=True):
            result = super().run(organisation, body, write=write)
            if write and self.number == 1:
                raise Unsure  # it was: the connection went while it was committed
            return result

    ports = replace(world.ports, store=Cut(world.store))
    keys = [{"idempotency_key": t.id} if keyed else {} for t in of]
    calls = [choosing(ports, t, at, **k) for t, at, k in zip(of, TIMES, keys, strict=False)]
    outcomes = meanwhile(ports, *calls)
    if keyed:  # which tells what became of it
        assert outcomes == [world.visit(task) for task in of]
    else:
        assert [type(outcome) for outcome in outcomes] == [Unsure] * 3
    assert len(world.events("task.chosen")) == 3


def test_a_key_is_used_once_among_those_who_wait(world):
    of = tasks(world)
    calls = [choosing(world.ports, t, at, idempotency_key="k-1")
             for t, at in zip(of, TIMES, strict=False)]  # fmt: skip
    before = calls[0]()
    waiting = [calls[0], calls[1], choosing(world.ports, of[2], TIMES[4], idempotency_key="k-1")]
    again, *visits = meanwhile(world.ports, *waiting)
    assert again == before
    assert [v.start for v in visits] == [TIMES[1], TIMES[4]]  # keys of others
    assert len(world.events("task.chosen")) == 3


def test_the_same_call_twice_among_those_who_wait_is_in_flight(world):
    of = tasks(world, 2)
    same = choosing(world.ports, of[0], TIMES[0], idempotency_key="k-1")
    answers = []

    def twice():
        inside = threading.Thread(target=lambda: answers.append(_outcome(same)))
        inside.start()
        inside.join(10)
        return me(world.ports, "p-1").choose(of[1], TIMES[1])

    first, _ = meanwhile(world.ports, same, twice)
    assert [type(answer) for answer in answers] == [InFlight]
    assert same() == first
    in_order(world)


def _outcome(call):
    try:
        return call()
    except TimevalgError as error:
        return error


class Old:
    """Pictures of which the first is as it was before."""

    def __init__(self, pictures):
        self._pictures, self._old = pictures, pictures.current(ORGANISATION)

    def current(self, organisation, unit=None):
        old, self._old = self._old, None
        return old or self._pictures.current(organisation, unit)


@pytest.mark.parametrize("guarded", [True, False])
def test_one_who_is_overtaken_leaves_the_others_alone(database, guarded, monkeypatch):
    of = tasks(database, 4)
    store, ports = counted(database)
    ports = replace(ports, pictures=Old(ports.pictures))
    elsewhere = ports_on(database.store, Post())  # another process
    me(elsewhere, "p-3").choose(of[3], TIMES[0])
    if not guarded:  # all claim or none does
        monkeypatch.setattr(at_once, "claim_each", at_once_all)
    visits = meanwhile(
        ports, *(choosing(ports, t, at) for t, at in zip(of, TIMES[:3], strict=False))
    )
    assert isinstance(visits[0], TimeTaken)
    assert [v.start for v in visits[1:]] == TIMES[1:3]
    assert (store.number <= 3) is guarded
    in_order(database)


def at_once_all(act, picture, wanted):
    from timevalg.booking.claiming import claim_all

    return claim_all(act, picture, wanted)


def test_without_the_line_each_has_a_transaction(world, monkeypatch):
    monkeypatch.setattr(line, "MOST", 1)
    of = tasks(world)
    store, ports = counted(world)
    meanwhile(ports, *(choosing(ports, t, at) for t, at in zip(of, TIMES, strict=False)))
    assert store.number == len(of)
    in_order(world)


def both(line, served):
    """Have two join; gives when both are served."""
    threads = [threading.Thread(target=line.join, args=(n, served.append)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_where_two_came_together_the_next_waits_for_two():
    waiting, served = Line(patience=30), []
    waiting._expected = 2
    both(waiting, served)
    both(waiting, served)
    assert [len(together) for together in served] == [2, 2]
    assert waiting._waiting == []


def test_whoever_comes_alone_waits_for_nobody():
    waiting, served = Line(patience=3600), []
    waiting.join(1, served.append)
    waiting.join(2, served.append)
    assert served == [[1], [2]]


def test_patience_has_an_end():
    waiting, served = Line(patience=0.001), []
    waiting._expected = 2
    waiting.join(1, served.append)
    waiting.join(2, served.append)
    assert served == [[1], [2]]


def test_nobody_is_left_waiting_where_serving_fails():
    waiting = Line()
    with pytest.raises(Crash):
        waiting.join(1, _crash)
    served = []
    waiting.join(2, served.extend)
    assert served == [2]


def _crash(_):
    raise Crash


def test_many_in_two_processes_break_no_promise(database):
    """Who waits with whom is left to chance here."""
    of = tasks(database, 16, not_before=DAY, not_after=DAY + timedelta(days=2))
    processes = [ports_on(database.store, Post()) for _ in range(2)]
    outcomes = []

    def go(number, task):
        view = me(processes[number % 2], task.patient)
        start = TIMES[number % len(TIMES)] + timedelta(days=number % 3)
        held = _outcome(lambda: view.hold(task, start)) if number % 4 == 0 else None
        outcomes.append((held, _outcome(lambda: view.choose(task, start))))

    threads = [threading.Thread(target=go, args=each) for each in enumerate(of)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    won = [came for _, came in outcomes if not isinstance(came, TimevalgError)]
    assert len(outcomes) == len(of)
    assert all(isinstance(came, TimeTaken) for _, came in outcomes if came not in won)
    assert len(won) == len(database.sessions(kind="booking"))
    assert all(came in won for held, came in outcomes if held and not isinstance(held, Exception))
    in_order(database)


JUDGED = {"earliness": 0, "wishes": 0, "same_clinician": 1, "gaps": 0, "scarcity": 0}
LOOKS = f"{ORGANISATION} list offers"


def looking(ports, task, patient=None):
    return lambda: me(ports, patient or task.patient).offers(task)


def shown(found):
    return [
        (offer.start, offer.pool, offer.score, offer.session.resources) for offer in found.offers
    ]


def test_those_who_look_are_written_down_in_one_transaction(world):
    of = tasks(world)
    alone = [shown(looking(world.ports, task)()) for task in of]
    store, ports = counted(world)
    found = meanwhile(ports, *(looking(ports, task) for task in of), line=LOOKS)
    assert store.number == 1
    assert [shown(offers) for offers in found] == alone
    looked = world.read(lambda unit: unit.audit.find(verb="list offers"))
    assert Counter((a.principal, a.key) for a in looked) == {(t.patient, t.id): 2 for t in of}


def test_whoever_may_not_look_is_refused_alone(world):
    of = tasks(world)
    store, ports = counted(world)
    calls = [looking(ports, of[0]), looking(ports, of[1], "p-0"), looking(ports, of[2])]
    first, stranger, last = meanwhile(ports, *calls, line=LOOKS)
    assert isinstance(stranger, NotFound)
    assert first.offers
    assert last.offers
    assert store.number == 2
    looked = world.read(lambda unit: unit.audit.find(verb="list offers"))
    assert Counter(a.principal for a in looked) == {"p-0": 1, "p-2": 1}


def test_what_fails_while_many_look_leaves_no_trace_but_of_each_alone(world):
    of = tasks(world)

    def crash(number):
        if number == 1:
            raise Crash

    store, ports = counted(world, crash)
    found = meanwhile(ports, *(looking(ports, task) for task in of), line=LOOKS)
    assert all(offers.offers for offers in found)
    assert store.number == 4
    looked = world.read(lambda unit: unit.audit.find(verb="list offers"))
    assert Counter(a.principal for a in looked) == {"p-0": 1, "p-1": 1, "p-2": 1}


def test_whom_each_met_last_is_known_among_many_who_look(make_world):
    world = make_world(document(pools=[pool("auto", weights=JUDGED)]))
    visits = [world.chosen(f"p-{n}", number=3 * n)[1] for n in range(3)]
    world.work()
    world.at(date(2027, 1, 25))
    of = [
        world.invited(v.patient, opens=date(2027, 1, 25), due=date(2027, 1, 29),
                      not_after=date(2027, 2, 19)) for v in visits
    ]  # fmt: skip
    alone = [shown(looking(world.ports, task)()) for task in of]
    found = meanwhile(world.ports, *(looking(world.ports, task) for task in of), line=LOOKS)
    assert [shown(offers) for offers in found] == alone
    parts = [dict(offers.offers[0].parts) for offers in found]
    assert all("same_clinician" in part for part in parts), parts
