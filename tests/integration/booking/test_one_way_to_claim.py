"""Every path claims time through one function, with certificates, locks and the verifier."""

import ast
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

import timevalg
from tests.world import ORGANISATION, Post, World, document, oslo, pool
from timevalg.booking import claiming, reliving, running
from timevalg.booking.claiming import Wanted, claim_all
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import Busy, TimeTaken
from timevalg.model.time import Span
from timevalg.solver.places import Certificate
from timevalg.store import Database, Memory
from timevalg.wiring import ports_on

AT, LATER = oslo(2027, 1, 20, 9), oslo(2027, 1, 21, 9)
DAY = date(2027, 1, 20)
ROOM = {"doctor": ("dr-a",), "room": ("room",)}
LISTED = {
    "id": "b-1",
    "patient": "p-8",
    "service": "talk",
    "start": "2027-01-22T09:00",
    "resources": {"doctor": ["dr-a"], "room": ["room"]},
}


def row(ref="kontakt/1", version=1, start=AT, **more):
    return CalendarRow(ref, version, False, "clinic", "talk", start, ROOM, "p-9", **more)


def writers(source):
    """Functions of a module that take or give back time themselves."""
    return {
        function.name
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr in {"claim", "release"}
        and ast.unparse(node.value).rpartition(".")[2] == "sessions"
    }


def test_sessions_are_written_in_one_place_only():
    folder = Path(timevalg.__file__).parent
    found = {
        path.relative_to(folder).as_posix(): names
        for path in (*folder.rglob("*.py"), *(folder.parent / "workers").rglob("*.py"))
        if (names := writers(path.read_text()))
    }
    assert found == {"booking/claiming.py": {"_write", "_places_left_by"}}


def test_a_second_place_would_be_seen():
    assert writers("def sly(act):\n take = act.unit.sessions.claim\n take([1])") == {"sly"}


def test_all_that_is_claimed_on_any_path_went_through_it(monkeypatch):
    through, write = set(), claiming._write

    def seen(unit, gone, new):
        new = list(new)
        through.update(s.id for s in new)
        return write(unit, gone, new)

    monkeypatch.setattr(claiming, "_write", seen)
    world = World(Memory, document(bookings=[LISTED]))
    task, other = world.invited(), world.invited("p-2", pools=("record",), not_before=DAY)
    world.patient().hold(task, AT)
    world.later(minutes=11)
    visit = world.patient().choose(task, AT)
    world.dips.move(visit, start=oslo(2027, 1, 20, 11))
    world.patient("p-2").choose(other, AT)
    world.dips.refuse(world.visit(other), reason="no")
    world.dips.sync([row(), row("kontakt/2", start=world.sessions(task=other.id)[0].start)])
    world.publish(document(pools=[pool(n, raster=60) for n in ("auto", "record")]))
    world.at(other.after_due + timedelta(days=1))
    claimed = {
        e.key
        for e in world.read(lambda unit: unit.events.read(limit=10_000, internal=True))
        if e.type == "session.claimed"
    }
    assert len(claimed) > 8
    assert claimed <= through


@pytest.mark.parametrize("guarded", [False, True])
def test_a_wrong_plan_for_many_is_refused_by_the_verifier(quick, monkeypatch, guarded):
    task = quick.invited(not_before=DAY)
    place = quick.sessions(task=task.id)[0]
    real = reliving.plan

    def plan(picture, tasks, now):
        made = real(picture, tasks, now)
        early = [replace(c.claim, start=AT - timedelta(days=9)) for c in made.placed]
        return replace(made, placed=tuple(Certificate((s,)) for s in early))

    monkeypatch.setattr(reliving, "plan", plan)
    if guarded:
        before = quick.dump()
        with pytest.raises(TimeTaken, match=f"place of task {task.id} is not valid"):
            quick.dips.sync([row(start=place.start)])
        assert quick.dump() == before
    else:
        monkeypatch.setattr(claiming, "_check_place", lambda *_: None)
        quick.dips.sync([row(start=place.start)])
        assert list(quick.promises_broken()) == [task.id]


def test_a_later_certificate_may_move_what_an_earlier_one_claimed(world):
    task = world.invited(not_before=DAY)
    place = world.sessions(task=task.id)[0]
    by = AT - place.start
    spans = {r: Span(s.start + by, s.end + by) for r, s in place.spans.items()}
    away = replace(place, start=AT, spans=spans)
    wanted = [Wanted(Certificate((away,), (place,))), Wanted(Certificate((place,), (away,)))]

    def body(act):
        claim_all(act, claiming.whole_picture(act), wanted)

    running.run(world.ports, world.desk.principal, "invite", body)
    assert world.sessions() == [place]
    with pytest.raises(TimeTaken):  # nothing is given up twice
        running.run(
            world.ports,
            world.desk.principal,
            "invite",
            lambda act: claim_all(act, claiming.whole_picture(act), [wanted[0], wanted[0]]),
        )


def test_bulk_work_waits_for_whoever_is_booking(open_store, request):
    world = World(lambda clock: open_store("postgresql", clock))
    impatient = Database(request.getfixturevalue("emptied_postgres_url"), patience=0.05)
    dips = replace(world.dips, ports=ports_on(impatient, Post()))

    def booking(unit):
        unit.lock(["r:somebody-else"])
        with pytest.raises(Busy):
            dips.sync([row()])

    world.store.run(ORGANISATION, booking)
    impatient.close()
    assert world.dips.sync([row()]).applied == ("kontakt/1",)
