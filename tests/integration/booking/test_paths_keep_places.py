"""Every path by which a place could get lost: its guard off, somebody is stranded and unnoticed.

One start a day, so that every step touches somebody's place. With the guards on each path moves
the place, names the loss, or is refused; `World.promises_broken` asks the independent verifier.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.world import WEEKDAYS, World, document, oslo, pool
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import NotServable, TimeTaken, TimevalgError, WouldStrand
from timevalg.model.session import SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, session_for
from timevalg.solver.certificates import Certificate, own_place
from timevalg.solver.places import conflicts, make_room
from timevalg.store import Memory

DAY, NEXT = date(2027, 1, 20), date(2027, 1, 21)
NINE = oslo(2027, 1, 20, 9)
THERE = {"doctor": ["dr-a"], "room": ["room"]}


def narrow(minutes=30, **changes):
    """One start a day in each pool, at nine; the long visit's at ten."""
    openings = [{"days": WEEKDAYS, "from": "09:00", "to": f"09:{minutes}"}]
    source = document(**changes)
    long = {"id": "long", "length": 60, "roles": source["services"][0]["roles"]}
    source["services"].append(long)
    names = {"auto": {}, "manual": {"check": "manual"}, "record": {"check": "record"}}
    source["pools"] = [pool(n, open=openings, **more) for n, more in names.items()]
    later = [{"days": WEEKDAYS, "from": "10:00", "to": "11:00"}]
    source["pools"].append(pool("long", "long", open=later))
    return source


def away():
    source = narrow()
    source["resources"][2]["away"] = [{"from": DAY, "to": DAY}]
    return source


def listed():
    """A file that brings a booking of its own."""
    one = {"id": "b-1", "service": "talk", "start": "2027-01-20T09:00", "resources": THERE}
    return narrow() | {"bookings": [one]}


# -- guards that do not look ---------------------------------------------------------------------


def careless(picture, task, pool, start, now, *, kind, key, until, ask, clinicians):
    """Take a start without asking where those go whose places it takes."""
    resources = assign(picture.index, ask, start)
    claim = session_for(
        picture.index.organisation, ask, start, resources, id=key, kind=kind, until=until
    )
    own = tuple(picture.index.by_task(task.id))
    bare = picture.apply(removed=[s.id for s in own])
    return Certificate((claim,), own, tuple(conflicts(bare, claim)))


def silent_about_the_lost(picture, session, now, *, override):
    """Make room as far as that goes, and tell of nobody for whom it does not."""
    return make_room(picture, session, now, override=override)[0], ()


def careless_fallback(ports, picture, task, pools, before):
    """Book, at the end of `due`, whatever start there is."""
    ask = Ask.for_task(picture.index, task, pools[0], picture.now, changing=True)
    how = {"kind": SessionKind.BOOKING, "key": ports.keys.new("session"), "until": None}
    more = {"ask": ask, "clinicians": None}
    return ask, careless(picture, task, ask.pool, NINE, picture.now, **how, **more)


def gone_with_its_place(act, holds):
    """Remove holds, and the places that they were."""
    act.unit.sessions.release([hold.id for hold in holds])
    return []


def where_it_was(picture, task):
    """Leave a place where it is, whatever the new terms say."""
    old = own_place(picture, task)
    return Certificate((old,), (old,))


UNSAFE = {"timevalg.booking.choose.safe": careless}
FORGETFUL = {"timevalg.booking.reliving.claim": lambda *_: None}
UNASKED = {"timevalg.booking.change.make_room": silent_about_the_lost}
UNNAMED = {"timevalg.booking.change.lose": lambda *_: None}
LEFT = {"timevalg.booking.publish._move_invalid_places": lambda *_: ()}
UNPLANTED = {"timevalg.booking.outside.replant": lambda act, picture, keys: (picture, ())}
UNCHECKED = {"timevalg.booking.claiming._check_place": lambda *_: None}
OLD_TERMS = {"timevalg.booking.amend.renewed_place": where_it_was, **UNCHECKED}
OLD_DUE = {"timevalg.booking.take_up.renewed_place": where_it_was, **UNCHECKED}
UNCLAIMED = {"timevalg.booking.invite._claim": lambda *_: None}

# -- what is done --------------------------------------------------------------------------------


def other(world, last=NEXT, first=DAY, pools=("auto",)):
    """Somebody whose place is in the way: on the 20th, or the 21st if need be."""
    return world.invited("p-2", pools, not_before=first, not_after=last)


def placed_at(world, task, day):
    return [s.start.date() for s in world.sessions(task=task.id)] == [day]


def take_its_place(world, verb):
    """Somebody else chooses (or holds, or moves to) just where a place is."""
    stranger = other(world)
    mine = world.invited(not_before=DAY)
    (place,) = world.sessions(task=stranger.id)
    verb(world, mine, place.start)


def choose(world):
    take_its_place(world, lambda w, task, start: w.patient().choose(task, start))


def hold(world):
    take_its_place(world, lambda w, task, start: w.patient().hold(task, start))


def change(world):
    mine = world.invited(not_before=date(2027, 1, 19))
    visit = world.patient().choose(mine, oslo(2027, 1, 19, 9))
    world.work()
    stranger = other(world)
    (place,) = world.sessions(task=stranger.id)
    world.desk.change(world.visit(visit.task), place.start)


def hold_expires(world):
    task = other(world, DAY)
    assert world.patient("p-2").hold(task, NINE).is_place
    world.later(minutes=11)
    assert world.sessions(kind="hold") == []


def chosen(world, pools=("manual",)):
    task = other(world, pools=pools)
    return task, world.patient("p-2").choose(task, NINE)


def cancel(world):
    world.desk.cancel(chosen(world)[1])


def undo(world):
    world.desk.undo(chosen(world)[0], reason="not ready")


def refuse(world):
    world.dips.refuse(chosen(world, ("record",))[1], reason="no")


def check_says_no(world):
    world.desk.check(chosen(world)[0], confirm=False)


def staff_take(world):
    stranger = other(world, DAY)
    task = world.invited(not_before=DAY)
    world.desk.take(task)
    return stranger, task


def assign_there(world, **more):
    _, task = staff_take(world)
    world.desk.assign(task, start=NINE, resources=THERE, reason="by phone", **more)


def move_there(world):
    visit = world.patient().choose(world.invited(not_before=DAY), oslo(2027, 1, 21, 9))
    world.work()
    other(world, DAY)
    world.desk.move(world.visit(visit.task), start=NINE, resources=THERE, reason="by phone")


def block(world):
    other(world, DAY)
    world.desk.block("clinic", ["room"], NINE, NINE + timedelta(hours=1), reason="a course")


def override(world):
    assign_there(world, override=True)


def absence(world, last=NEXT):
    task = other(world, last)
    if not placed_at(world, task, DAY):  # late first: it is on the 21st
        world.desk.add_absence("clinic", "room", NEXT, NEXT)
        return
    world.desk.add_absence("clinic", "room", DAY, DAY)


def absence_of_the_only_day(world):
    absence(world, DAY)


def publish(world):
    other(world, DAY)
    world.publish(away())


def pool_off(world):
    task = other(world, pools=("auto", "manual"))
    (place,) = world.sessions(task=task.id)
    world.desk.switch_pool("clinic", place.pool, on=False)


def only_pool_off(world):
    other(world, DAY)
    world.desk.switch_pool("clinic", "auto", on=False)


def import_rows(world):
    (place,) = world.sessions(task=other(world).id)
    there = {"service": "talk", "start": place.start, "resources": place.resources}
    world.dips.sync([CalendarRow("op/1", 1, clinic="clinic", **there)])


def import_file(world):
    other(world, DAY)
    world.publish(listed())


def invite(world):
    other(world)


def invite_many(world):
    windows = [(DAY, DAY), (NEXT, NEXT)]
    common = {"pools": ["auto"], "opens": date(2027, 1, 4), "due": date(2027, 1, 8)}
    many = [
        {"patient": f"q-{n}", "not_before": first, "not_after": last, **common}
        for n, (first, last) in enumerate(windows)
    ]
    assert all(answer.task for answer in world.desk.invite_many(many))


def amend(world, **terms):
    world.desk.amend(other(world, **terms.pop("had", {})), **terms)


def amend_due(world):
    """On the day after the new due date the old place would be too early: a form takes 3 days."""
    amend(world, had={"last": DAY}, due=date(2027, 1, 18), not_after=date(2027, 1, 22))


def amend_window(world):
    amend(world, not_before=date(2027, 1, 25), not_after=date(2027, 1, 26))


def amend_service(world):
    amend(world, pools=("long",))


def amend_to_what_is_full(world):
    world.invited("p-3", not_before=DAY, not_after=DAY)
    task = other(world, NEXT, NEXT)
    world.desk.amend(task, not_before=DAY, not_after=DAY)


def ask(world):
    """A patient asks for the time that they were allowed to ask for."""
    draft = world.invite("p-2", mode="request", not_before=DAY, not_after=DAY).task
    assert world.sessions() == []
    world.patient("p-2").ask(draft)


def reopen(world):
    """By the new due date the place would be too early: a form takes 3 days."""
    task = other(world, DAY)
    world.desk.take(task)
    world.desk.reopen(task, due=date(2027, 1, 18))


def fall_due(world):
    """Who has not answered gets a time that nobody else needs."""
    world.invited(not_before=DAY, not_after=NEXT)
    world.invited("p-2", not_before=DAY, not_after=DAY, due=date(2027, 1, 15))
    world.at(date(2027, 1, 9))


def rebook(world):
    """A visit that cannot stand: its patient chooses again, and has a place meanwhile."""
    visit = chosen(world, ("auto",))[1]
    world.work()
    world.desk.add_absence("clinic", "room", DAY, DAY)
    assert world.desk.rebook(visit).task.state == "open"


def roll_back(world):
    world.publish(away())
    world.publish(narrow())
    other(world, DAY)
    world.desk.roll_back("clinic", 2)


def record_system_moves(world):
    """A visit made here is moved there, to where a place is."""
    visit = world.patient().choose(
        world.invited(not_before=DAY - timedelta(days=1)), oslo(2027, 1, 19, 9)
    )
    world.dips.accept(visit, ref="op/1")
    (place,) = world.sessions(task=other(world).id)
    world.dips.sync([CalendarRow("op/1", 2, start=place.start)])


def merge(world):
    """Two patients at the same time of day in two rooms turn out to be one."""
    source = narrow()
    source["resources"].append({"id": "room-2", "kind": "room"})
    world.publish(source)
    world.invited("p-1", not_before=DAY, not_after=DAY)
    visit = world.patient("p-2").choose(other(world, DAY), NINE)
    assert visit.start == NINE
    world.dips.merge("p-1", "p-2")


@dataclass(frozen=True)
class Path:
    """One way in which a place may get lost.

    Attributes
    ----------
    off : dict
        What the guard is, and what does not look in its stead.
    refused : type or None
        The error with which it is refused; None: it goes through.
    named : bool
        The loss is named, as a case.
    """

    does: Callable
    off: dict
    refused: type[TimevalgError] | None = None
    named: bool = False


PATHS = (
    Path(choose, UNSAFE),
    Path(hold, UNSAFE),
    Path(change, UNSAFE),
    Path(hold_expires, {"timevalg.booking.claiming._places_left_by": gone_with_its_place}),
    Path(cancel, FORGETFUL),
    Path(undo, FORGETFUL),
    Path(refuse, FORGETFUL),
    Path(check_says_no, FORGETFUL),
    Path(assign_there, UNASKED, refused=WouldStrand),
    Path(move_there, UNASKED, refused=WouldStrand),
    Path(block, UNASKED, refused=WouldStrand),
    Path(override, UNNAMED, named=True),
    Path(absence, LEFT),
    Path(absence_of_the_only_day, LEFT, named=True),
    Path(publish, LEFT, named=True),
    Path(pool_off, LEFT),
    Path(only_pool_off, LEFT, refused=WouldStrand),
    Path(import_rows, UNPLANTED),
    Path(import_file, UNPLANTED | LEFT, named=True),
    Path(invite, UNCLAIMED),
    Path(invite_many, UNCLAIMED),
    Path(amend_due, OLD_TERMS),
    Path(amend_window, OLD_TERMS),
    Path(amend_service, OLD_TERMS),
    Path(amend_to_what_is_full, OLD_TERMS, refused=NotServable),
    Path(ask, UNCLAIMED),
    Path(reopen, OLD_DUE, refused=NotServable),
    Path(fall_due, {"timevalg.booking.due.best_fallback": careless_fallback}),
    Path(rebook, {"timevalg.booking.replan.claim": lambda *_: None}),
    Path(roll_back, LEFT, named=True),
    Path(record_system_moves, UNPLANTED),
    Path(
        merge,
        {"timevalg.booking.merge.replant": lambda act, picture, keys: (picture, ())},
        named=True,
    ),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_of(request, open_store):
    """Make a world with a clinic of one's own on a database."""
    return lambda source: World(lambda clock: open_store(request.param, clock), source)


every_path = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.does.__name__)


@every_path
def test_nobody_is_stranded_without_being_named(database_of, path):
    world = database_of(narrow())
    if path.refused is None:
        path.does(world)
    else:
        with pytest.raises(path.refused):
            path.does(world)
    assert world.promises_broken() == {}
    assert bool(world.cases("capacity-loss")) == path.named


@every_path
def test_with_the_guard_off_somebody_is(open_store, path, monkeypatch):
    world = World(lambda clock: open_store("sqlite", clock), narrow())
    for name, instead in path.off.items():
        monkeypatch.setattr(name, instead)
    path.does(world)
    assert world.promises_broken() != {}


def overtaken(world, monkeypatch):
    """A place would move to another of its task's pools, which new terms take away meanwhile."""
    source = narrow()
    for row, hour in zip(source["pools"], (10, 9), strict=False):
        row["open"] = [{"days": WEEKDAYS, "from": f"{hour:02}:00", "to": f"{hour:02}:30"}]
    world.publish(source)
    stranger, mine = other(world, DAY, pools=("auto", "manual")), world.invited(not_before=DAY)
    pictures = world.ports.pictures
    old, current = pictures.current(mine.organisation), pictures.current
    world.desk.amend(stranger, pools=("auto",))
    looks = iter([old])
    monkeypatch.setattr(pictures, "current", lambda o: next(looks, None) or current(o))
    world.patient().choose(mine, oslo(2027, 1, 20, 10))


def test_a_place_moves_by_the_terms_in_force(database, monkeypatch):
    with pytest.raises(TimeTaken):
        overtaken(database, monkeypatch)
    assert database.promises_broken() == {}


def test_unchecked_it_would_move_by_those_that_were(database, monkeypatch):
    for name, instead in UNCHECKED.items():
        monkeypatch.setattr(name, instead)
    overtaken(database, monkeypatch)
    (why,) = database.promises_broken().values()
    assert why.startswith("opening: manual is no pool of task")


def moved_onto_its_last_day(world):
    """After `due` an absence moves a place to where a form of three days ends it today."""
    task = other(world, first=date(2027, 1, 14), last=DAY)
    world.desk.take(task)
    world.at(date(2027, 1, 11))
    world.desk.add_absence("clinic", "room", date(2027, 1, 15), DAY)
    assert placed_at(world, task, date(2027, 1, 14))
    world.work()
    world.at(date(2027, 1, 12), 0)
    return world.task(task).state, [c.task for c in world.cases("capacity-loss")]


def test_a_place_that_moves_onto_its_last_day_is_booked_on_it(make_world):
    assert moved_onto_its_last_day(make_world(narrow())) == ("confirmed", [])


def test_unwatched_the_clock_would_end_it(monkeypatch):
    monkeypatch.setattr("timevalg.booking.claiming.watch", lambda *_: None)
    state, (lost,) = moved_onto_its_last_day(World(Memory, narrow()))
    assert state == "with-staff"
    assert lost
