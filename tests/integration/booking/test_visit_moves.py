"""Every legal move of an appointment and of its preparations, with its one event."""

from datetime import date, timedelta

import psycopg
import pytest

from tests.integration.booking.ways import visit_in
from tests.world import World, document, oslo, pool
from timevalg.booking.sync import CalendarRow
from timevalg.model.errors import IllegalMove, InvalidInput, RuleBroken, TimeTaken, WouldStrand

NINE, TEN = oslo(2027, 1, 20, 9), oslo(2027, 1, 20, 10)
ROOM_A = {"doctor": ("dr-a",), "room": ("room",)}


def booked(world, at=NINE, patient="p-1", **more):
    """A confirmed visit whose letter has gone."""
    task = world.invited(patient, **more)
    visit = world.patient(patient).choose(task, at)
    world.work()
    return world.desk.appointment(visit.id)


def of_visit(world, type_):
    return [e for e in world.events(type_) if e.subject == "appointment"]


def test_a_change_is_one_event_from_old_to_new(world):
    visit = booked(world)
    before = len(world.events())
    world.patient().acknowledge(visit)
    moved = world.patient().change(visit, TEN)
    assert (moved.start, moved.wall, moved.moves, moved.moves_by_patient) == (
        TEN,
        "2027-01-20T10:00:00",
        1,
        1,
    )
    assert moved.acknowledged_at is None  # said of another time
    assert [e.type for e in world.events()[before:]] == [
        "appointment.acknowledged",
        "appointment.changed",
    ]
    event = world.events("appointment.changed")[0]
    assert (event.old["start"], event.new["start"]) == (
        "2027-01-20T08:00:00+00:00",
        "2027-01-20T09:00:00+00:00",
    )
    assert [s.start for s in world.sessions(task=visit.task)] == [TEN]
    assert world.task(visit.task).state == "confirmed"


def test_moving_to_where_it_is_changes_nothing_and_uses_no_change_up(world):
    visit = booked(world)
    moved = world.patient().change(visit, TEN)
    events = world.events()
    assert world.patient().change(visit, TEN) == moved
    assert world.events() == events


def test_a_world_tells_the_same_of_what_happened_whoever_else_is_at_work(open_store, postgres):
    """Where an event stands is not known before every older transaction of the server has ended."""
    with psycopg.connect(postgres.url) as other:
        other.execute("SELECT pg_current_xact_id()")
        world = World(lambda clock: open_store("postgresql", clock))
        booked(world)
        stored = world.read(lambda unit: unit.events.read(limit=100, internal=True))
        assert {e.cursor for e in stored} == {""}
        told = world.events()
    assert world.events() == told


def test_patients_change_so_often_and_so_late_as_the_pool_says(quick):
    visit = booked(quick)
    quick.clock.set(oslo(2027, 1, 19, 23, 58))  # until 23:59 on the working day before
    for number, hour in enumerate((10, 11)):
        moved = quick.patient().change(visit, oslo(2027, 1, 27, hour))
        assert moved.moves_by_patient == number + 1
    with pytest.raises(IllegalMove, match="changed 2 times already"):
        quick.patient().change(visit, oslo(2027, 1, 27, 9))
    assert quick.desk.change(visit, oslo(2027, 1, 27, 9)).moves_by_patient == 2


def test_the_last_minute_is_past(quick):
    visit = booked(quick)
    quick.clock.set(oslo(2027, 1, 19, 23, 59))
    with pytest.raises(IllegalMove, match="until 2027-01-19 23:59"):
        quick.patient().change(visit, oslo(2027, 1, 27, 9))
    with pytest.raises(IllegalMove, match="until 2027-01-19 23:59"):
        quick.patient().cancel(visit)
    assert quick.desk.cancel(visit).state == "cancelled"


def test_where_the_pool_says_nothing_patients_may_neither(make_world):
    world = make_world(document(pools=[pool("auto", change=None, cancel=None)]))
    visit = booked(world)
    for verb in (lambda: world.patient().change(visit, TEN), lambda: world.patient().cancel(visit)):
        with pytest.raises(IllegalMove, match="call them"):
            verb()


def test_a_change_that_fails_leaves_the_old_time(world):
    visit, other = booked(world), booked(world, TEN, "p-2")
    with pytest.raises(TimeTaken) as refused:
        world.patient().change(visit, other.start)
    assert refused.value.alternatives
    assert other.start not in {o.start for o in refused.value.alternatives}
    assert world.desk.appointment(visit.id) == visit
    assert [s.start for s in world.sessions(task=visit.task)] == [NINE]


def test_the_hospital_moves_to_a_time_and_resources_of_its_choice(world):
    visit = booked(world)
    world.dips.accept(visit, ref="kontakt/88")
    at = oslo(2027, 1, 20, 14)  # when patients may not choose
    with pytest.raises(RuleBroken, match="opening"):
        world.dips.move("kontakt/88", start=at)
    moved = world.dips.move(
        "kontakt/88", start=at, resources=ROOM_A, reason="8446:1", override=True
    )
    assert (moved.start, dict(moved.resources), moved.moves, moved.moves_by_patient) == (
        at,
        ROOM_A,
        1,
        0,
    )
    event = world.events("appointment.changed")[0]
    assert (event.reason, event.origin, event.by, event.version) == (
        "8446:1",
        "dips",
        "dips",
        moved.version,
    )


def test_nothing_ever_overlaps_whatever_is_overridden(world):
    visit, other = booked(world), booked(world, TEN, "p-2")
    before = world.dump()
    with pytest.raises(TimeTaken):
        world.dips.move(
            visit, start=other.start, resources=other.resources, reason="x", override=True
        )
    with pytest.raises(InvalidInput, match="nothing called dr-x"):
        world.dips.move(
            visit, start=TEN, resources={"doctor": ("dr-x",)}, reason="x", override=True
        )
    with pytest.raises(InvalidInput, match=r"resources\.doctor: is one text, not several"):
        world.dips.move(visit, start=TEN, resources={"doctor": "dr-a"}, reason="x", override=True)
    assert world.dump() == before


def test_a_move_that_would_strand_somebody_is_refused_by_name_or_named_as_a_loss(world):
    day = date(2027, 1, 20)
    tasks = world.desk.invite_many(
        [
            {
                "patient": f"q-{n}",
                "pools": ["auto"],
                "opens": date(2027, 1, 4),
                "due": date(2027, 1, 8),
                "not_before": day,
                "not_after": day,
            }
            for n in range(8)
        ]
    )
    assert all(t.task for t in tasks)
    visit = booked(world, oslo(2027, 1, 21, 9))
    with pytest.raises(WouldStrand) as refused:
        world.dips.move(visit, start=NINE)
    (stranded,) = refused.value.tasks
    assert stranded in {t.task.id for t in tasks}
    world.dips.move(visit, start=NINE, reason="8446:9", override=True)
    (case,) = world.cases("capacity-loss")
    assert world.task(case.task).state == "open"
    assert "8446:9" in case.reason
    assert world.promises_broken() == {}
    assert world.overlaps() == []


@pytest.mark.parametrize("who", ["patient", "desk", "dips"])
def test_cancelled_the_time_is_free_at_once(world, who):
    visit = booked(world)
    view = {"patient": world.patient(), "desk": world.desk, "dips": world.dips}[who]
    view.cancel(visit, reason="8445:22", version=visit.version)
    assert world.sessions(task=visit.task) == []
    assert world.task(visit.task).state == "confirmed"
    assert booked(world, NINE, "p-2").start == NINE


def test_a_record_system_cancels_on_the_patients_wish(world):
    visit = booked(world)
    world.dips.cancel(visit, reason="8445:22", by="patient")
    event = world.events("appointment.cancelled")[0]
    assert (event.reason, event.by, event.origin) == ("8445:22", "patient", "dips")


def test_cancelled_before_it_was_confirmed_the_task_goes_to_staff(world):
    visit = world.chosen(pools=("manual",), not_before=date(2027, 1, 20))[1]
    world.patient().cancel(visit)
    assert world.task(visit.task).state == "with-staff"
    assert world.promises_broken() == {}


def test_around_the_visit(quick):
    visit = booked(quick)
    assert quick.patient().acknowledge(visit).acknowledged_at == quick.clock.now(None)
    quick.clock.set(NINE)
    assert quick.desk.arrive(visit).state == "arrived"
    assert quick.desk.fulfil(visit).state == "fulfilled"
    types = [e.type for e in quick.events() if e.appointment == visit.id]
    assert types[-3:] == [
        "appointment.acknowledged",
        "appointment.arrived",
        "appointment.fulfilled",
    ]


def test_who_does_not_come_frees_what_is_left(world):
    visit = booked(world)
    world.clock.set(NINE + timedelta(minutes=15))
    assert world.desk.no_show(visit).state == "no-show"
    assert world.sessions(task=visit.task) == []


def test_preparations_start_are_missed_and_are_done(world):
    visit = booked(world)
    form, diet = world.preparations(visit)
    assert (form.rule, form.due, diet.rule, diet.start, diet.due) == (
        "form",
        date(2027, 1, 17),
        "diet",
        date(2027, 1, 18),
        date(2027, 1, 20),
    )
    world.at(date(2027, 1, 18), 7)
    assert [p.state for p in world.preparations(visit)] == ["planned", "planned"]
    world.at(date(2027, 1, 18), 8)
    assert [p.state for p in world.preparations(visit)] == ["overdue", "started"]
    assert [c.appointment for c in world.cases("preparation-overdue")] == [visit.id]
    done = world.patient().complete(form, "no infection")
    assert (done.state, done.answer, done.done_at) == (
        "done",
        "no infection",
        world.clock.now(None),
    )
    assert world.events("preparation.done")[0].task == visit.task


def test_preparations_are_planned_anew_when_the_visit_moves(quick):
    visit = booked(quick)
    quick.at(date(2027, 1, 18))
    quick.patient().change(visit, oslo(2027, 1, 28, 9))
    dates = {p.rule: (p.state, p.start, p.due) for p in quick.preparations(visit)}
    assert dates == {
        "form": ("planned", None, date(2027, 1, 25)),
        "diet": ("planned", date(2027, 1, 26), date(2027, 1, 28)),
    }
    quick.at(date(2027, 1, 26))
    assert [p.state for p in quick.preparations(visit)] == ["overdue", "started"]


def test_what_is_done_already_limits_no_change(quick):
    visit = booked(quick)
    quick.at(date(2027, 1, 11))
    soonest = min(o.start for o in quick.patient().offers_to_change(visit, 100).offers)
    assert soonest.date() == date(2027, 1, 14)  # the form is due three days before
    quick.patient().complete(quick.preparations(visit)[0])
    soonest = min(o.start for o in quick.patient().offers_to_change(visit, 100).offers)
    assert soonest.date() == date(2027, 1, 11)
    moved = quick.patient().change(visit, soonest)
    assert [p.state for p in quick.preparations(moved) if p.rule == "form"] == ["done"]


def test_also_where_the_visit_came_of_no_task(world):
    resources = {"doctor": ("dr-a",), "room": ("room",)}
    row = CalendarRow("k/1", 1, False, "clinic", "talk", NINE, resources, "p-1", "auto")
    world.dips.sync([row])
    visit = world.desk.appointment("k/1")
    world.at(date(2027, 1, 11))
    soonest = min(o.start for o in world.patient().offers_to_change(visit, 100).offers)
    assert soonest.date() == date(2027, 1, 14)
    world.patient().complete(world.preparations(visit)[0])
    soonest = min(o.start for o in world.patient().offers_to_change(visit, 100).offers)
    assert world.patient().change(visit, soonest).start.date() == date(2027, 1, 11)


def test_preparations_are_called_off_with_the_visit(world):
    visit = visit_in(world, "booked")
    world.desk.complete(world.preparations(visit)[0])
    world.desk.cancel(visit)
    assert [p.state for p in world.preparations(visit)] == ["done", "void"]
    world.at(date(2027, 2, 1))
    assert world.cases("preparation-overdue") == []
