"""Attendance, visits, what must move, searches and explanations over HTTP."""

from __future__ import annotations

import pytest

from tests.world import OSLO

VISITS = "/v1/planner/appointments"
LIST = "/v1/planner/clinics/clinic/attendance"
SEARCH, EXPLAIN = "/v1/planner/search", "/v1/planner/explain"


@pytest.fixture
def anna(caller):
    return caller("planner:anna")


@pytest.fixture
def visit(world):
    made = world.chosen()[1]
    world.work()
    return world.visit(made.task)


def day_of(visit):
    return visit.start.astimezone(OSLO).date().isoformat()


def test_the_attendance_list(world, anna, visit):
    world.desk.register("p-1", name="Kari Nordmann")
    world.patient().complete(world.preparations(visit)[0])
    world.patient().acknowledge(visit)
    (line,) = anna.get(f"{LIST}?first={day_of(visit)}").json()["visits"]
    assert line == {
        "appointment": visit.id,
        "version": 3,
        "start": visit.start.astimezone(OSLO).isoformat(),
        "length": 30,
        "state": "booked",
        "confirmed": True,
        "service": "Samtale",
        "mode": "physical",
        "patient": "p-1",
        "name": "Kari Nordmann",
        "preparations_done": 1,
        "preparations": 2,
        "clinicians": list(visit.resources["doctor"]),
        "resources": {role: list(ids) for role, ids in visit.resources.items()},
        "letter_sent": True,
    }
    seen = world.read(lambda unit: unit.audit.find(patient="p-1", verb="attendance list"))
    assert [(entry.principal, entry.key) for entry in seen] == [("anna", visit.id)]
    world.desk.cancel(visit)
    assert anna.get(f"{LIST}?first={day_of(visit)}").json()["visits"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?first=today", 422),
        ("?first=2027-01-10&last=2027-01-09", 422),
        ("?first=2027-01-01&last=2027-02-01", 422),
        ("?first=2027-01-01&last=2027-01-31", 200),
        ("?first=2027-03-28&last=2027-03-28", 200),
        ("?first=9999-12-31", 422),
    ],
)
def test_days_of_the_attendance_list(anna, query, status):
    assert anna.get(LIST + query).status_code == status


def test_a_visit_is_moved_attended_and_done(world, anna, visit):
    path = f"{VISITS}/{visit.id}"
    tag = anna.get(path).headers["ETag"]
    body = {"start": "2027-01-20T13:00:00+01:00", "reason": "8446:1"}
    refused = anna.post(f"{path}/move", body, key="m", version=tag)
    assert refused.json()["type"] == "urn:timevalg:problem:rule-broken"
    moved = anna.post(f"{path}/move", body | {"override": True}, key="m-2", version=tag)
    assert (moved.status_code, moved.json()["start"]) == (200, "2027-01-20T12:00:00Z")
    world.work()
    tag = anna.get(path).headers["ETag"]
    for verb in ("arrive", "no-show", "cancel", "move"):
        stale = anna.post(f"{path}/{verb}", body if verb == "move" else {}, key="s", version='"1"')
        assert stale.status_code == 412, verb
    here = anna.post(f"{path}/arrive", version=tag)
    assert here.json()["state"] == "arrived"
    done = anna.post(f"{path}/fulfil", version=here.headers["ETag"])
    assert done.json()["state"] == "fulfilled"
    for verb in ("arrive", "fulfil", "no-show", "cancel"):
        assert anna.post(f"{path}/{verb}").status_code == 409, verb
    assert [v["id"] for v in anna.get(VISITS).json()["appointments"]] == [visit.id]


def test_nobody_came_or_it_is_cancelled(world, anna, visit):
    assert anna.post(f"{VISITS}/{visit.id}/no-show").json()["state"] == "no-show"
    other = world.chosen("p-2")[1]
    gone = anna.post(f"{VISITS}/{other.id}/cancel", {"by": "patient", "reason": "8445:22"})
    assert gone.json()["state"] == "cancelled"


def test_a_letter_is_written_where_staff_do_that(world, anna):
    source = world.desk.clinic_file("clinic").document
    pools = [p | ({"letter": "manual"} if p["id"] == "auto" else {}) for p in source["pools"]]
    world.desk.publish_file("clinic", {**source, "pools": pools})
    visit = world.chosen()[1]
    world.work()
    assert [c.kind for c in world.cases()] == ["letter-wanted"]
    letter = anna.post(f"{VISITS}/{visit.id}/letter")
    assert (letter.status_code, letter.json()["kind"]) == (200, "appointment")


def test_what_must_move_and_the_smallest_harm(world, anna, visit):
    away = {"from": day_of(visit), "to": day_of(visit)}
    anna.post("/v1/planner/clinics/clinic/resources/room/absences", away)
    (proposal,) = anna.get("/v1/planner/replan?clinic=clinic").json()["proposals"]
    assert (proposal["appointment"], proposal["change"]) == (visit.id, "time")
    assert proposal["to"]["start"][:10] != away["from"]
    assert anna.get("/v1/planner/replan?clinic=other").json()["proposals"] == []
    path = f"{VISITS}/{visit.id}/rebook"
    assert anna.post(path, {}, key="s", version='"1"').status_code == 412
    done, again = (
        anna.post(path, {"reason": "syk"}, key="k", version=f'"{proposal["version"]}"')
        for _ in "ab"
    )
    assert (done.status_code, done.json()) == (200, again.json())
    assert done.json()["appointment"]["state"] == "cancelled"
    assert done.json()["task"]["state"] == "open"


def test_every_feasible_start_page_by_page(world, anna):
    pool = f"{SEARCH}?clinic=clinic&pool=auto&not_before=2027-01-20&not_after=2027-01-21"
    whole = anna.get(pool).json()
    assert [s["start"][:16] for s in whole["starts"]][:2] == [
        "2027-01-20T08:00",
        "2027-01-20T08:30",
    ]
    assert len(whole["starts"]) == 16
    assert set(whole["starts"][0]["resources"]) == {"doctor", "room"}
    first = anna.get(f"{pool}&limit=10").json()
    rest = anna.get(f"{pool}&limit=10&cursor={first['next']}").json()
    assert first["starts"] + rest["starts"] == whole["starts"]
    assert (whole["next"], rest["next"]) == ("", "")
    task = world.invited(pools=("auto", "manual"))
    both = anna.get(f"{SEARCH}?task={task.id}&limit=2").json()["starts"]
    assert both[0]["start"] == both[1]["start"]
    assert [b["pool"] for b in both] == ["auto", "manual"]


def test_why_not(world, anna, visit):
    start = visit.start.astimezone(OSLO).isoformat().replace("+", "%2B")
    why = anna.get(f"{EXPLAIN}?clinic=clinic&pool=auto&start={start}").json()
    assert visit.session in {b["session"] for b in why["blockers"]}
    assert why["rules"][0]["rule"] == "opening"
    none = anna.get(f"{EXPLAIN}?clinic=clinic&pool=auto&not_after=2027-01-05").json()
    assert none["rules"][-1]["left"] == 0
    assert none["cures"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("?pool=auto&task=t-1", 422),
        ("?clinic=clinic&pool=none", 404),
        ("?clinic=none&pool=auto", 404),
        ("?pool=auto", 404),
        ("?task=none", 404),
        ("?clinic=clinic&pool=auto&not_before=soon", 422),
    ],
)
@pytest.mark.parametrize("path", [SEARCH, EXPLAIN])
def test_odd_questions(anna, path, query, status):
    assert anna.get(path + query).status_code == status


def test_odd_starts(anna):
    asked = "clinic=clinic&pool=auto"
    assert anna.get(f"{SEARCH}?{asked}&cursor=x").status_code == 422
    assert anna.get(f"{EXPLAIN}?{asked}&start=2027-01-20T08:00").status_code == 422
    far = anna.get(f"{EXPLAIN}?{asked}&start=2199-01-20T08:00:00Z")
    assert far.status_code == 200
    assert far.json()["blockers"]


def test_another_clinics_planner_finds_nothing(caller, world, visit):
    bo = caller("planner:bo:elsewhere")
    path, at = f"{VISITS}/{visit.id}", {"start": "2027-01-20T09:00:00+01:00"}
    assert bo.get(VISITS).json()["appointments"] == []
    assert bo.get(path).status_code == 404
    for verb in ("move", "cancel", "arrive", "fulfil", "no-show", "letter", "rebook"):
        answer = bo.post(f"{path}/{verb}", at if verb == "move" else {}, key=f"k-{verb}")
        assert answer.status_code == 404, (verb, answer.text)
    assert bo.get("/v1/planner/replan").json()["proposals"] == []
    for query in ("?clinic=clinic&pool=auto", f"?task={visit.task}"):
        assert bo.get(SEARCH + query).status_code == 404
        assert bo.get(EXPLAIN + query).status_code == 404
    assert bo.get(f"{LIST}?first=2027-01-20").status_code == 404


def test_figures(world, anna, visit):
    world.desk.move(visit, start=visit.start, resources=_others(visit))
    told = anna.get("/v1/planner/figures?first=2027-01-01&last=2027-01-31").json()
    figures = {f["name"]: f for f in told["together"]}
    assert (figures["replanned"]["count"], figures["replanned"]["of"]) == (0, 1)
    assert (figures["own_choice"]["value"], figures["touches"]["value"]) == (1.0, 100.0)
    assert told["clinics"]["clinic"] == told["together"]
    assert anna.get("/v1/planner/figures").json()["first"] == "2027-01-01"
    series = anna.get("/v1/planner/figures?first=2027-01-01&last=2027-01-31&by_month=true").json()
    assert series["months"].keys() == {"2027-01"}
    assert anna.get("/v1/planner/figures?clinic=none").status_code == 404
    assert anna.get("/v1/planner/figures?first=2027-02-01&last=2027-01-01").status_code == 422


def test_figures_are_of_ones_own_clinics(caller, visit):
    bo = caller("planner:bo:elsewhere")
    assert bo.get("/v1/planner/figures").json()["clinics"] == {}
    assert bo.get("/v1/planner/figures?clinic=clinic").status_code == 404
    assert caller("secretary:s").get("/v1/planner/figures").status_code == 403


def _others(visit):
    other = "dr-b" if visit.resources["doctor"] == ("dr-a",) else "dr-a"
    return {**visit.resources, "doctor": (other,)}


def test_a_visit_is_found_by_the_record_systems_id_too(world, anna):
    _, visit = world.chosen("p-1", pools=("record",))
    world.dips.accept(visit, ref="kontakt/88")
    found = anna.get("/v1/planner/appointments/kontakt%2F88")
    assert (found.status_code, found.json()["id"]) == (200, visit.id)
    moved = anna.post(
        "/v1/planner/appointments/kontakt/88/move",
        {"start": "2027-01-21T09:00:00+01:00"},
        key="m",
        version=found.headers["ETag"],
    )
    assert moved.status_code == 200
    letter = anna.post("/v1/planner/appointments/kontakt/88/letter", version=found.headers["ETag"])
    assert letter.status_code == 412
    assert (
        anna.post(
            "/v1/planner/appointments/kontakt/88/letter", version=moved.headers["ETag"]
        ).status_code
        == 200
    )
