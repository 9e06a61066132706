"""Clinic files, pools, resources and absences over HTTP."""

from __future__ import annotations

import copy

import pytest
import yaml

from tests.world import document, oslo

CLINIC = "/v1/planner/clinics/clinic"
FILE = f"{CLINIC}/file"


@pytest.fixture
def anna(caller):
    return caller("planner:anna")


def with_notice(days):
    source = document()
    source["pools"][0]["notice"] = days
    return source


def put(anna, source, version='"1"', **more):
    return anna("PUT", FILE, {"document": source, **more}, If_Match=version)


def test_from_check_to_roll_back(anna):
    file = {"text": yaml.safe_dump(with_notice(5), allow_unicode=True)}
    checked = anna.post(f"{FILE}/check", file).json()
    assert checked["valid"]
    assert checked["summary"]["pools"] == 4
    (difference,) = anna.post(f"{FILE}/diff", file).json()["differences"]
    assert difference == {"key": "pools[auto].notice", "old": None, "new": 5}
    assert anna.post(f"{FILE}/what-if", file).json()["clinics"] == ["clinic"]
    read = anna.get(FILE)
    assert (read.headers["ETag"], read.json()["version"]) == ('"1"', 1)
    done = anna("PUT", FILE, file, If_Match=read.headers["ETag"])
    assert (done.status_code, done.json()["version"], done.headers["ETag"]) == (200, 2, '"2"')
    assert done.json()["clinics"] == ["clinic"]
    versions = anna.get(f"{CLINIC}/versions?limit=1").json()
    assert ([v["version"] for v in versions["versions"]], versions["next"]) == ([2], 2)
    older = anna.get(f"{CLINIC}/versions?below=2").json()
    assert ([v["version"] for v in older["versions"]], older["next"]) == ([1], None)
    back = anna.get(f"{CLINIC}/versions/1/diff").json()["differences"]
    assert back == [{"key": "pools[auto].notice", "old": 5, "new": None}]
    assert anna.get(f"{CLINIC}/versions/2/diff?to=1").json()["differences"] == [difference]
    rolled = anna.post(f"{CLINIC}/rollback", {"version": 1}, version='"2"')
    assert (rolled.status_code, rolled.json()["version"]) == (200, 3)
    assert anna.get(FILE).json()["document"] == anna.get(f"{CLINIC}/versions/1").json()["document"]
    assert [c["version"] for c in anna.get("/v1/planner/clinics").json()["clinics"]] == [3]


def test_all_that_is_wrong_is_said_with_its_line(anna):
    text = """format: 1
clinic:
  id: clinic
  organisation: '999999999'
  timezone: Mars
rooms: []
"""
    checked = anna.post(f"{FILE}/check", {"text": text}).json()
    assert not checked["valid"]
    assert {(e["line"], e["key"]) for e in checked["errors"]} >= {
        (5, "clinic.timezone"),
        (6, "rooms"),
    }
    refused = anna("PUT", FILE, {"text": text}, If_Match="*")
    assert (refused.status_code, refused.json()["type"]) == (
        422,
        "urn:timevalg:problem:invalid-input",
    )
    assert {e["line"] for e in refused.json()["errors"]} >= {5, 6}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "x", "document": {}},
        {"text": "[" * 50},
        {"text": "a: &a [*a]"},
        {"text": "\x00"},
        {"document": {"clinic": 7}},
        {"document": {"clinic": {"id": 7}}},
        {"document": {"format": 1, "clinic": {"id": "other"}}},
        {"text": "format: 1\nclinic: {id: clinic, organisation: '1', timezone: Europe/Oslo}\n"},
    ],
)
def test_odd_files_are_refused_and_nothing_changes(world, anna, body):
    before = world.read(lambda unit: unit.publications.find())
    for path in ("/check", "/diff", "/what-if"):
        answer = anna.post(FILE + path, body)
        assert answer.status_code == 422 or not answer.json()["valid"], answer.text
    assert anna("PUT", FILE, body, If_Match="*").status_code == 422
    assert world.read(lambda unit: unit.publications.find()) == before


def test_another_clinics_file_is_refused_in_its_place(anna):
    source = document()
    source["clinic"]["id"] = "other"
    answer = put(anna, source, "*")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "clinic.id"
    new = anna("PUT", "/v1/planner/clinics/other/file", {"document": other()}, If_Match='"0"')
    assert (new.status_code, new.json()["version"]) == (200, 1)


def test_a_section_left_out_stays_and_an_empty_one_is_emptied(anna):
    quota = {"pools": ["auto"], "per": "day", "max": 2}
    assert put(anna, document(quotas=[quota]), "*").status_code == 200
    whole = with_notice(2)
    part = {key: whole[key] for key in ("format", "clinic", "pools")}
    (differ,) = anna.post(FILE + "/diff", {"document": part}).json()["differences"]
    assert differ["key"] == "pools[auto].notice"
    assert anna.post(FILE + "/check", {"document": part}).json()["valid"]
    assert put(anna, part, "*").status_code == 200
    assert anna.get(FILE).json()["document"] == whole | {"quotas": [quota]}
    assert put(anna, part | {"quotas": []}, "*").status_code == 200
    assert anna.get(FILE).json()["document"] == whole | {"quotas": []}


def other():
    source = document()
    source["clinic"]["id"] = "other"
    source["resources"] = [{"id": "dr-o", "kind": "clinician", "skills": ["talk"]}]
    source["services"][0]["roles"] = source["services"][0]["roles"][:1]
    return source


def test_a_version_that_is_not_in_force_any_more_is_not_replaced(anna):
    assert put(anna, with_notice(1)).status_code == 200
    for answer in (
        put(anna, with_notice(2)),
        anna.post(f"{CLINIC}/rollback", {"version": 1}, version='"1"'),
        anna("PUT", f"{CLINIC}/pools/auto", {"on": False}, If_Match='"1"'),
        anna.post(
            f"{CLINIC}/resources/dr-a/absences",
            {"from": "2027-03-01", "to": "2027-03-01"},
            version='"1"',
        ),
        anna("DELETE", f"{CLINIC}/resources/dr-a/absences/0", If_Match='"1"'),
    ):
        assert answer.status_code == 412, answer.text
        assert (answer.json()["expected"], answer.json()["actual"]) == (1, 2)
    assert anna("PUT", FILE, {"document": with_notice(2)}).status_code == 428


def test_clinics_and_versions_that_are_not_there(anna):
    for path in (
        "/v1/planner/clinics/none/file",
        "/v1/planner/clinics/none/versions",
        "/v1/planner/clinics/none/pools",
        "/v1/planner/clinics/none/resources",
        f"{CLINIC}/versions/9",
        f"{CLINIC}/versions/9/diff",
        f"{CLINIC}/versions/1/diff?to=9",
    ):
        assert anna.get(path).status_code == 404, path
    assert anna.post(f"{CLINIC}/rollback", {"version": 9}).status_code == 404
    assert anna("PUT", f"{CLINIC}/pools/none", {"on": True}, If_Match="*").status_code == 404
    assert anna("DELETE", f"{CLINIC}/resources/dr-a/absences/0", If_Match="*").status_code == 404
    assert anna("DELETE", "/v1/planner/blocks/none").status_code == 404


def test_another_clinics_planner_finds_nothing(caller, world):
    bo = caller("planner:bo:elsewhere")
    assert bo.get("/v1/planner/clinics").json()["clinics"] == []
    for path in ("/file", "/versions", "/versions/1", "/versions/1/diff", "/pools", "/resources"):
        assert bo.get(CLINIC + path).status_code == 404, path
    file = {"document": document()}
    for path in ("/check", "/diff", "/what-if"):
        assert bo.post(FILE + path, {"document": with_notice(3)}).status_code == 404, path
    assert bo("PUT", FILE, file, If_Match="*").status_code == 404
    assert bo.post(f"{CLINIC}/rollback", {"version": 1}).status_code == 404
    assert bo("PUT", f"{CLINIC}/pools/auto", {"on": False}, If_Match="*").status_code == 404
    away = {"from": "2027-03-01", "to": "2027-03-01"}
    assert bo.post(f"{CLINIC}/resources/dr-a/absences", away).status_code == 404
    block = {"resources": ["dr-a"], "start": "2027-02-01T09:00:00+01:00", "reason": "x"}
    block["end"] = "2027-02-01T10:00:00+01:00"
    assert bo.post(f"{CLINIC}/blocks", block, key="k").status_code == 404


def test_secretaries_do_not_publish(caller):
    answer = caller("secretary:s")("PUT", FILE, {"document": document()}, If_Match="*")
    assert answer.status_code == 403


def test_a_pool_is_closed_and_opened_as_it_was(world, anna):
    two = world.invited(pools=("auto", "manual"))
    openings = {p["id"]: p for p in anna.get(f"{CLINIC}/pools").json()["pools"]}
    assert openings and all(p["on"] for p in openings.values())
    off = anna("PUT", f"{CLINIC}/pools/auto", {"on": False}, If_Match='"1"')
    assert (off.status_code, off.json()["lost"]) == (200, [])
    assert {o.pool for o in world.patient().offers(two).offers} == {"manual"}
    assert world.promises_broken() == {}
    now = {p["id"]: p for p in anna.get(f"{CLINIC}/pools").json()["pools"]}
    assert [name for name, p in now.items() if not p["on"]] == ["auto"]
    on = anna("PUT", f"{CLINIC}/pools/auto", {"on": True}, If_Match='"2"')
    assert on.status_code == 200
    assert {p["id"]: p for p in anna.get(f"{CLINIC}/pools").json()["pools"]} == openings
    assert {o.pool for o in world.patient().offers(two).offers} == {"auto", "manual"}


def test_closing_a_pool_strands_nobody_unless_overridden_with_a_reason(world, anna):
    task = world.invited()
    path, before = f"{CLINIC}/pools/auto", world.dump()
    refused = anna("PUT", path, {"on": False}, If_Match="*")
    assert (refused.status_code, refused.json()["tasks"]) == (409, [task.id])
    assert refused.json()["type"] == "urn:timevalg:problem:would-strand"
    assert anna("PUT", path, {"on": False, "override": True}, If_Match="*").status_code == 422
    assert world.dump() == before
    done = anna("PUT", path, {"on": False, "override": True, "reason": "fire"}, If_Match="*")
    assert (done.status_code, done.json()["lost"]) == (200, [task.id])
    assert [c.task for c in world.cases("capacity-loss")] == [task.id]
    again = anna("PUT", f"{CLINIC}/pools/manual", {"on": False}, If_Match="*")
    assert again.status_code == 200  # who was lost before is not lost by this


def test_a_pool_that_never_had_openings_cannot_be_switched_on(anna):
    source = document()
    source["pools"].append(copy.deepcopy(source["pools"][0]) | {"id": "never", "open": []})
    assert put(anna, source).status_code == 200
    answer = anna("PUT", f"{CLINIC}/pools/never", {"on": True}, If_Match="*")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:timevalg:problem:illegal-move")


def test_an_absence_moves_places_and_lists_what_cannot_stand(world, anna):
    visit = world.chosen()[1]
    day = visit.start.astimezone(oslo(2027, 1, 1).tzinfo).date().isoformat()
    doctor = visit.resources["doctor"][0]
    path = f"{CLINIC}/resources/{doctor}/absences"
    made = anna.post(path, {"from": day, "to": day, "reason": "sykdom"}, version='"1"')
    assert (made.status_code, list(made.json()["outside"])) == (201, [visit.id])
    resources = {r["id"]: r for r in anna.get(f"{CLINIC}/resources").json()["resources"]}
    assert resources[doctor]["away"] == [{"from": day, "to": day, "reason": "sykdom"}]
    (proposal,) = anna.get("/v1/planner/replan").json()["proposals"]
    assert (proposal["appointment"], proposal["change"]) == (visit.id, "resources")
    back = anna("DELETE", f"{path}/0", If_Match=made.headers["ETag"])
    assert back.status_code == 200
    assert anna.get("/v1/planner/replan").json()["proposals"] == []


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2027-03-01T12:00", "2027-03-01T16:00", 201),
        ("2027-03-02", "2027-03-01", 422),
        ("2027-03-01", "2027-03-01T16:00", 422),
        ("2027-03-01T12:00:00+01:00", "2027-03-01T16:00:00+01:00", 422),
        ("tomorrow", "2027-03-01", 422),
        ("2027-02-30", "2027-03-01", 422),
        ("12:00", "13:00", 422),
    ],
)
def test_absences_are_dates_or_local_times(anna, first, last, status):
    answer = anna.post(f"{CLINIC}/resources/dr-a/absences", {"from": first, "to": last})
    assert answer.status_code == status, answer.text


def test_a_block_is_placed_once_and_lifted(world, anna):
    body = {
        "resources": ["room"],
        "start": "2027-02-01T09:00:00+01:00",
        "end": "2027-02-01T12:00:00+01:00",
        "reason": "service",
    }
    first, again = (anna.post(f"{CLINIC}/blocks", body, key="k") for _ in "ab")
    assert (first.status_code, first.json()) == (201, again.json())
    assert [s.id for s in world.sessions(kind="block")] == [first.json()["id"]]
    assert anna.post(f"{CLINIC}/blocks", body, key=None).status_code == 400
    assert anna.post(f"{CLINIC}/blocks", body, key="k-2").status_code == 409
    assert anna("DELETE", f"/v1/planner/blocks/{first.json()['id']}").status_code == 200
    assert world.sessions(kind="block") == []
