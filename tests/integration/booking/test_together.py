"""Many pieces of work in one transaction: as each alone, and no failure spoils another's."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from tests.world import ORGANISATION, Post, World
from timevalg.booking.work import KINDS, do_work, do_works, due_work
from timevalg.letters import Letters
from timevalg.model.errors import LeaseLost
from timevalg.model.principal import worker
from timevalg.store import Memory

WHO = worker(ORGANISATION)
PATIENTS = [f"p-{n}" for n in range(6)]


@dataclass
class Counted:
    """A store that counts the transactions that write."""

    store: object
    written: int = 0

    def __getattr__(self, name):
        return getattr(self.store, name)

    def run(self, organisation, body, *, write=True):
        self.written += write
        return self.store.run(organisation, body, write=write)


def chosen(world):
    for patient in PATIENTS:
        world.chosen(patient)
    return world


def together(world, **ports):
    """Do all that is due; gives how often what came of it."""
    outcomes, ports = Counter(), replace(world.ports, **ports)
    while due := due_work(ports, ORGANISATION):
        kind = due[0].kind
        keys = [work.id for work in due if work.kind == kind]
        outcomes += Counter((kind, done.outcome) for _, done in do_works(ports, WHO, kind, keys))
    return outcomes


def told(world):
    """Who was told what, and what the three logs say, but for ids and order."""
    events = Counter((e.type, e.subject, e.version, str(e.old), str(e.new)) for e in world.events())
    audit = world.read(lambda unit: unit.audit.find())
    works = world.read(lambda unit: unit.work.find())
    letters = Counter((x.kind, x.patient, x.html) for x in world.post.sent)
    return (
        events,
        Counter((a.verb, a.subject, a.patient) for a in audit),
        Counter((w.kind, w.state, w.due_at, w.attempts, w.fence) for w in works),
        letters,
    )


def test_together_is_as_one_after_the_other(make_world, quick):
    alone = chosen(quick)
    while due := due_work(alone.ports, ORGANISATION):
        for work in due:
            assert do_work(alone.ports, WHO, work.id).outcome == "done"
    world = chosen(make_world())
    outcomes = together(world)
    assert {outcome for _, outcome in outcomes} == {"done"}
    assert told(world) == told(alone)
    assert world.promises_broken() == {}


def test_many_pieces_take_few_transactions(world):
    """Guard off: one after the other they take three and more for each piece."""
    chosen(world)
    at_once = Counted(world.store)
    done = sum(together(world, store=at_once).values())
    assert done > 3 * len(PATIENTS)
    assert at_once.written <= 2 * 4 + 1  # a lease and the doing for each kind, two for sending
    again = chosen(World(Memory))
    alone = Counted(again.store)
    for work in due_work(again.ports, ORGANISATION, kinds=["check"]):
        do_work(replace(again.ports, store=alone), WHO, work.id)
    assert alone.written == 2 * len(PATIENTS)


def test_one_that_fails_undoes_no_other(world):
    class Spoilt(Letters):
        def render(self, kind, facts):
            if facts.patient == "Kari":
                raise RuntimeError("no paper")
            return super().render(kind, facts)

    world.desk.register("p-2", name="Kari")
    chosen(world)
    outcomes = together(world, typesetter=Spoilt())
    assert outcomes["letter", "failed"] == 1
    assert outcomes["send letter", "done"] == len(world.post.sent) == len(PATIENTS) - 1
    (left,) = world.read(lambda unit: unit.work.find(kind="letter", state="waiting"))
    assert (left.attempts, left.error[:13]) == (1, "RuntimeError:")
    world.later(minutes=1)
    assert len(world.post.sent) == len(PATIENTS)
    assert len(world.events("letter.pending")) == len(PATIENTS)


def test_what_another_worker_has_taken_meanwhile_is_its_own(world):
    chosen(world)
    works = due_work(world.ports, ORGANISATION, kinds=["check"])
    keys = [work.id for work in works]

    def lease(some):
        return world.store.run(
            ORGANISATION, lambda u: u.work.lease(some, u.now(), u.now() + timedelta(minutes=1), "x")
        )

    slow = lease(keys)
    world.clock.advance(timedelta(minutes=2))
    assert lease(keys[:1])
    check = KINDS["check"].together
    with pytest.raises(LeaseLost):
        check(world.ports, WHO, slow, lambda: True)
    assert world.events("task.confirmed") == []
    done = together(world)
    assert done["check", "done"] == len(PATIENTS) - 1
    assert len(world.events("task.confirmed")) == len(PATIENTS) - 1


class Killed(BaseException):
    """The process dies."""


@dataclass
class Dying(Post):
    """A channel in the middle of whose letters the process dies."""

    left: int = 2

    def send(self, effect, letter):
        if not self.left:
            raise Killed
        self.left -= 1
        return super().send(effect, letter)


@pytest.mark.parametrize("deduplicates", [True, False])
def test_where_a_process_dies_among_letters_only_what_was_in_flight_is_unsure(quick, deduplicates):
    """Guard off: sent together without a receiver that deduplicates, all would be unknown."""
    chosen(quick)
    for kind in ("check", "letter"):
        keys = [work.id for work in due_work(quick.ports, ORGANISATION, kinds=[kind])]
        list(do_works(quick.ports, WHO, kind, keys))
    post = Dying(deduplicates=deduplicates)
    with pytest.raises(Killed):
        together(quick, channels=(post,))
    sending = quick.letters(state="sending")
    assert len(sending) == (len(PATIENTS) if deduplicates else 1)
    quick.clock.advance(timedelta(minutes=1))
    post.left = 100
    together(quick, channels=(post,))
    states = Counter(letter.state for letter in quick.letters())
    times = Counter(letter.id for letter in post.sent)
    if deduplicates:
        assert states == {"sent": len(PATIENTS)}
        assert sorted(times.values()) == [1] * 4 + [2] * 2
    else:
        assert states == {"sent": len(PATIENTS) - 1, "unknown": 1}
        assert set(times.values()) == {1}
        assert len(quick.cases("letter-unknown")) == 1


def test_a_channel_that_fails_among_many_is_asked_by_each_alone(quick):
    class Down(Post):
        def send(self, effect, letter):
            if letter.patient == "p-3":
                raise OSError("the disk is full")
            return super().send(effect, letter)

    chosen(quick)
    post = Down()
    outcomes = together(quick, channels=(post,))
    assert outcomes["send letter", "failed"] == 1
    assert Counter(x.patient for x in post.sent) == dict.fromkeys(set(PATIENTS) - {"p-3"}, 1)
    assert [x.patient for x in quick.letters(state="sending")] == ["p-3"]
