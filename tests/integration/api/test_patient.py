"""The patient's story over HTTP."""

from __future__ import annotations

import pytest

from tests.garbage import left_by

TASKS = "/v1/patient/tasks"
VISITS = "/v1/patient/appointments"


@pytest.fixture
def task(world):
    return world.invited()


@pytest.fixture
def start(me, task):
    return me.get(f"{TASKS}/{task.id}/offers").json()["offers"][0]["start"]


def test_from_the_invitation_to_the_visit(world, me, task, start):
    told = me.get(f"{TASKS}/{task.id}")
    assert told.json()["services"] == ["Samtale"]
    held = me.post(f"{TASKS}/{task.id}/holds", {"start": start}, key="k-1")
    assert (held.status_code, held.json()["start"]) == (201, start)
    chosen = me.post(
        f"{TASKS}/{task.id}/choice", {"start": start}, key="k-2", version=told.headers["ETag"]
    )
    assert chosen.status_code == 201, chosen.text
    visit = chosen.json()
    assert (visit["start"], visit["state"], visit["place"]) == (start, "booked", "Sykehuset")
    assert [v["id"] for v in me.get(VISITS).json()["appointments"]] == [visit["id"]]
    world.work()
    letters = me.get(f"{VISITS}/{visit['id']}/letters").json()["letters"]
    assert [letter["kind"] for letter in letters] == ["appointment"]
    first, second = me.get(f"{VISITS}/{visit['id']}/preparations").json()["preparations"]
    assert first["due"] < second["due"]
    done = me.post(f"/v1/patient/preparations/{first['id']}/answer", {"answer": "no"})
    assert (done.json()["state"], done.json()["answer"]) == ("done", "no")


def test_a_change_and_a_cancellation(world, me, task, start):
    visit = me.post(f"{TASKS}/{task.id}/choice", {"start": start}, key="k").json()
    world.work()
    path = f"{VISITS}/{visit['id']}"
    other = me.get(f"{path}/offers").json()["offers"][3]["start"]
    moved = me.post(
        f"{path}/change", {"start": other}, key="c", version=me.get(path).headers["ETag"]
    )
    assert (moved.status_code, moved.json()["start"]) == (200, other)
    assert me.post(f"{path}/acknowledge").json()["acknowledged_at"] is not None
    gone = me.post(f"{path}/cancel", {"reason": "well again"})
    assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    again = me.post(f"{path}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "urn:timevalg:problem:illegal-move")


def test_a_taken_time_comes_with_alternatives(world, me, task, start):
    for name in ("p-2", "p-3"):
        other = world.invited(name)
        world.patient(name).choose(other, world.patient(name).offers(other).offers[0])
    taken = [v.start for v in world.read(lambda unit: unit.appointments.find())]
    answer = me.post(f"{TASKS}/{task.id}/choice", {"start": taken[0].isoformat()}, key="k")
    assert answer.status_code == 409, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:timevalg:problem:time-taken"
    told = {o["start"] for o in me.get(f"{TASKS}/{task.id}/offers").json()["offers"]}
    nearest = [a["start"] for a in problem["alternatives"]]
    assert nearest and told.issuperset(nearest)  # in the clinic's zone, as offers are
    assert all(start.endswith("+01:00") for start in nearest)


def test_what_is_somebody_elses_is_not_found(caller, task, start):
    other = caller("patient:p-2")
    paths = [f"{TASKS}/{task.id}", f"{TASKS}/{task.id}/offers"]
    assert {other.get(path).status_code for path in paths} == {404}
    answer = other.post(f"{TASKS}/{task.id}/choice", {"start": start}, key="k")
    assert answer.status_code == 404
    assert other.get(TASKS).json()["tasks"] == []


def test_who_has_looked_is_told(me, task):
    me.get(f"{TASKS}/{task.id}")
    entries = me.get("/v1/patient/access-log").json()["entries"]
    assert {(e["role"], e["verb"]) for e in entries} >= {("planner", "invite"), ("patient", "read")}


@pytest.mark.parametrize("verb", ["choice", "decline", "none-suits"])
def test_a_stale_version_says_which_there_is(me, task, start, verb):
    body = {"start": start} if verb == "choice" else {}
    answer = me.post(f"{TASKS}/{task.id}/{verb}", body, key="k", version='"1"')
    assert answer.status_code == 412
    problem = answer.json()
    assert (problem["expected"], problem["actual"]) == (1, task.version)
    assert "changes" not in problem  # told in terms of the hospital


@pytest.mark.parametrize(
    ("path", "more", "status", "kind"),
    [
        ("choice", {"key": None}, 400, "key-missing"),
        ("choice", {"key": "k", "version": None}, 428, "version-missing"),
        ("choice", {"key": "k", "version": "nonsense"}, 400, "bad-request"),
        ("holds", {"key": None}, 400, "key-missing"),
        ("decline", {"version": None}, 428, "version-missing"),
        ("none-suits", {"version": None}, 428, "version-missing"),
    ],
)
def test_what_a_request_lacks_is_named(me, task, start, path, more, status, kind):
    answer = me.post(f"{TASKS}/{task.id}/{path}", {"start": start}, **more)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:timevalg:problem:{kind}")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body/start"),
        ({"start": "2027-01-07T08:00:00"}, "/body/start"),
        ({"start": "2027-01-07T08:00:00+01:00", "extra": 1}, "/body/extra"),
        ({"start": "2027-01-07T08:00:00+01:00", "pool": ""}, "/body/pool"),
        ([], "/body"),
    ],
)
def test_a_wrong_value_is_pointed_at(me, task, body, pointer):
    answer = me.post(f"{TASKS}/{task.id}/choice", body, key="k")
    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]


def test_the_same_key_gives_the_same_answer(me, task, start):
    path = f"{TASKS}/{task.id}/choice"
    first, again = (me.post(path, {"start": start}, key="k") for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    other = me.post(path, {"start": start, "pool": "auto"}, key="k")
    assert (other.status_code, other.json()["type"]) == (422, "urn:timevalg:problem:key-reused")
    assert len(me.get(VISITS).json()["appointments"]) == 1


@pytest.mark.parametrize("what", ["decline", "none-suits"])
def test_so_it_does_where_no_time_is_taken(me, task, what):
    """Whoever missed an answer asks again, with the version that they had."""
    path = f"{TASKS}/{task.id}/{what}"
    version = me.get(f"{TASKS}/{task.id}").headers["ETag"]
    first, again = (me.post(path, {}, key="k", version=version) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert me.post(path, {}, version=version).status_code in {409, 412}


def test_requests_leave_nothing_to_the_collector(world, me, task, start):
    def ask():
        assert me.get(f"{TASKS}/{task.id}").status_code == 200
        assert me.get(f"{TASKS}/{task.id}/offers").status_code == 200
        assert me.post(f"{TASKS}/{task.id}/holds", {"start": start}, key="h").status_code == 201
        assert me.post(f"{TASKS}/{task.id}/choice", {"start": start}, key="c").status_code == 201

    assert left_by(ask)["Asking"] <= 1  # the last one may still be in its thread's hands
