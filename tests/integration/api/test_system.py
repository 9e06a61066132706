"""The record system's story over HTTP."""

from __future__ import annotations

import pytest

from tests.world import document

SYSTEM = "/v1/system"
ASKED = {
    "patient": "p-1",
    "pools": ["record"],
    "opens": "2027-01-04",
    "due": "2027-01-08",
    "not_after": "2027-01-29",
    "ref": "oppgave/4711",
    "referral": "henv/9",
}


@pytest.fixture
def dips(caller):
    return caller("system:dips")


def invite(dips, *invitations, key="k-1", **more):
    return dips.post(f"{SYSTEM}/invitations", {"invitations": invitations, **more}, key=key)


@pytest.fixture
def task(dips):
    (answer,) = invite(dips, ASKED).json()["invitations"]
    return answer["task"]


@pytest.fixture
def visit(world, me, task):
    start = me.get(f"/v1/patient/tasks/{task['id']}/offers").json()["offers"][0]["start"]
    return me.post(f"/v1/patient/tasks/{task['id']}/choice", {"start": start}, key="k").json()


def test_from_the_invitation_to_the_cancellation(dips, visit):
    feed = dips.get("/v1/events").json()
    chosen = next(e for e in feed["events"] if e["type"] == "appointment.chosen")
    assert chosen["refs"] == {"task": "oppgave/4711", "referral": "henv/9"}
    path = f"{SYSTEM}/appointments/{chosen['appointment']}"
    accepted = dips.post(f"{path}/accept", {"ref": "kontakt/88"}, version=f'"{chosen["version"]}"')
    assert (accepted.status_code, accepted.json()["ref"]) == (200, "kontakt/88")
    path = f"{SYSTEM}/appointments/kontakt%2F88"
    assert dips.get(path).json()["id"] == chosen["appointment"]
    assert dips.get(f"{SYSTEM}/appointments/kontakt/88").json()["id"] == chosen["appointment"]
    moved = dips.post(
        f"{path}/move",
        {"start": "2027-01-15T10:00:00+01:00", "reason": "8446:1"},
        key="m",
        version=accepted.headers["ETag"],
    )
    assert (moved.status_code, moved.json()["wall"]) == (200, "2027-01-15T10:00:00"), moved.text
    gone = dips.post(f"{path}/cancel", {"reason": "8445:22", "by": "patient"}, key="c")
    again = dips.post(f"{path}/cancel", {"reason": "8445:22", "by": "patient"}, key="c")
    assert (gone.json()["state"], again.json()) == ("cancelled", gone.json())
    after = dips.get(f"/v1/events?after={feed['next']}").json()
    assert [e["type"] for e in after["events"]] == [
        "appointment.accepted",
        "task.confirmed",
        "appointment.confirmed",
        "appointment.changed",
        "appointment.cancelled",
    ]
    assert dips.get(f"/v1/events?after={after['next']}").json() == {
        "events": [],
        "next": after["next"],
    }


def test_the_feed_in_small_pages_skips_nothing(dips, visit):
    whole = [e["id"] for e in dips.get("/v1/events").json()["events"]]
    found, after = [], ""
    while page := dips.get(f"/v1/events?limit=2&after={after}").json()["events"]:
        found += [e["id"] for e in page]
        after = page[-1]["id"]
    assert found == whole
    assert dips.get("/v1/events?after=nothing").json()["type"] == "urn:timevalg:problem:cursor-lost"


def test_a_refusal_opens_the_task_again(dips, task, visit):
    refused = dips.post(f"{SYSTEM}/appointments/{visit['id']}/refuse", {"reason": "8446:1"})
    assert (refused.json()["id"], refused.json()["state"]) == (task["id"], "open")


def test_many_are_invited_at_once_and_shortages_told(dips):
    narrow = ASKED | {"ref": None, "not_after": "2027-01-09", "not_before": "2027-01-09"}
    few = dips.post(f"{SYSTEM}/invitations", {"invitations": [narrow]}, key="all")
    assert few.json()["invitations"][0]["task"] is None
    answer = invite(dips, ASKED, narrow, key="k-2").json()["invitations"]
    assert answer[0]["task"]["state"] == "open"
    assert (answer[1]["task"], answer[1]["draft"]["state"]) == (None, "draft")
    assert answer[1]["shortage"]["first"] == "2027-01-09"
    none = invite(dips, narrow, key="k-3", all_or_nothing=True)
    assert (none.status_code, none.json()["type"]) == (409, "urn:timevalg:problem:not-servable")
    assert none.json()["shortage"]["words"] in none.json()["detail"]


def test_the_same_ref_is_the_same_task(dips, task):
    again = invite(dips, ASKED, key="k-2").json()["invitations"][0]["task"]
    assert again["id"] == task["id"]
    assert [t["id"] for t in dips.get(f"{SYSTEM}/tasks").json()["tasks"]] == [task["id"]]


def test_terms_are_amended_and_taken_back(dips, task):
    path = f"{SYSTEM}/tasks/{task['id']}"
    etag = dips.get(path).headers["ETag"]
    amended = dips.post(
        f"{path}/amend",
        {"due": "2027-01-11", "times": [{"days": ["tue"], "from": "08:00", "to": "10:00"}]},
        key="a",
        version=etag,
    )
    assert (amended.status_code, amended.json()["due"]) == (200, "2027-01-11")
    assert dips.post(f"{path}/withdraw", version=etag).status_code == 412
    gone = dips.post(f"{path}/withdraw", {"letters": False}, version=amended.headers["ETag"])
    assert gone.json()["state"] == "withdrawn"


def test_a_referral_is_withdrawn(dips, task):
    found = dips.post(f"{SYSTEM}/referrals/find", {"referral": "henv/9"}, version=None)
    assert [t["id"] for t in found.json()["tasks"]] == [task["id"]]
    path, whole = f"{SYSTEM}/referrals/withdraw", {"referral": "henv/9"}
    assert dips.post(path, whole, version=None).status_code == 428
    assert dips.post(path, whole, version='"99"').status_code == 412
    gone = dips.post(path, whole, version=found.headers["ETag"])
    assert [t["state"] for t in gone.json()["tasks"]] == ["withdrawn"]
    assert gone.headers["ETag"] == f'"{gone.json()["version"]}"' != found.headers["ETag"]


def test_publishing_changes_what_is_in_force_once(dips):
    changed = document(pools=[*document()["pools"], {**document()["pools"][0], "id": "more"}])
    files = {"files": [{"document": changed}]}
    read = dips.get(f"{SYSTEM}/clinics")
    assert [c["clinic"] for c in read.json()["clinics"]] == ["clinic"]
    assert dips.post(f"{SYSTEM}/publications", files, version='"0"').status_code == 412
    done = dips.post(f"{SYSTEM}/publications", files, version=read.headers["ETag"])
    assert done.json()["clinics"] == ["clinic"]
    assert done.headers["ETag"] == dips.get(f"{SYSTEM}/clinics").headers["ETag"] == '"2"'
    assert dips.post(f"{SYSTEM}/publications", files).json()["clinics"] == []
    changed["clinic"]["timezone"] = "Mars/Base"
    wrong = dips.post(f"{SYSTEM}/publications", files)
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "clinic.timezone"


def test_the_calendar_is_taken_in(dips):
    row = {
        "ref": "kontakt/1",
        "version": 3,
        "clinic": "clinic",
        "service": "talk",
        "start": "2027-01-13T09:00:00+01:00",
        "resources": {"doctor": ["dr-a"], "room": ["room"]},
        "patient": "p-7",
    }
    rows = {"rows": [row, row | {"version": 2}, row | {"ref": "kontakt/2"}]}
    told = dips.post(f"{SYSTEM}/calendar", rows).json()
    assert (told["applied"], told["stale"], told["conflicts"]) == (
        ["kontakt/1"],
        ["kontakt/1"],
        ["kontakt/2"],
    )
    assert dips.post(f"{SYSTEM}/calendar", {"rows": [], "first": row["start"]}).status_code == 422
    path = f"{SYSTEM}/appointments/kontakt/1"
    for verb in ("arrive", "fulfil", "no-show"):
        assert dips.post(f"{path}/{verb}", version=None).status_code == 428, verb
        assert dips.post(f"{path}/{verb}", version='"99"').status_code == 412, verb
    tag = dips.get(path).headers["ETag"]
    here = dips.post(f"{path}/arrive", version=tag)
    assert here.json()["state"] == "arrived"
    gone = dips.post(f"{path}/fulfil", version=here.headers["ETag"])
    assert gone.json()["state"] == "fulfilled"


def test_patients_are_named_merged_and_mourned(dips, task):
    register, kari = f"{SYSTEM}/patients/register", {"patient": "p-8", "name": "Kari"}
    answer = dips.post(register, kari, version='"0"')
    told = answer.json()
    assert (told["id"], told["name"], told["language"]) == ("p-8", "Kari", "nb")
    assert dips.post(register, kari, version='"0"').status_code == 412
    found = dips.post(f"{SYSTEM}/patients/find", {"patient": "p-8"}, version=None)
    assert (found.json(), found.headers["ETag"]) == (told, answer.headers["ETag"])
    assert dips.post(f"{SYSTEM}/patients/find", {"patient": "p-0"}).status_code == 404
    assert dips.post(f"{SYSTEM}/patients/find", {}).status_code == 422
    assert (
        dips.post(f"{SYSTEM}/patients/merge", {"old": "p-8", "into": "p-1"}).json()["id"] == "p-1"
    )
    died = dips.post(f"{SYSTEM}/patients/deceased", {"patient": "p-8"}).json()
    assert (died["id"], died["deceased_at"] is not None) == ("p-1", True)
    assert dips.get(f"{SYSTEM}/tasks/{task['id']}").json()["state"] == "withdrawn"


def test_what_is_no_date_of_birth_is_not_repeated(dips):
    given = {"patient": "p-8", "birth": "01017000027"}
    answer = dips.post(f"{SYSTEM}/patients/register", given, version='"0"')
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/birth")
    assert "01017000027" not in answer.text


def test_receivers_are_set_listed_and_ended(world, dips):
    path = f"{SYSTEM}/subscriptions"
    events = dips.get("/v1/events").json()["events"]
    wanted = {"url": "https://dips.example/in", "secret": "DIPS_KEY", "after": events[-1]["id"]}
    made = dips.post(path, wanted)
    assert made.status_code == 201
    (kept,) = world.read(lambda unit: unit.subscriptions.find())
    assert world.read(lambda unit: unit.events.read(kept.cursor)) == []
    assert dips.post(path, wanted).json() == made.json()
    assert dips.get(path).json()["subscriptions"] == [made.json()]
    ended = dips("DELETE", f"{path}/{made.json()['id']}")
    assert ended.json()["ended_at"] is not None
    assert dips.get(path).json()["subscriptions"] == []
    lost = dips.post(path, wanted | {"after": "never"})
    assert (lost.status_code, lost.json()["type"]) == (410, "urn:timevalg:problem:cursor-lost")
    own = dips.post(path, wanted | {"secret": "TIMEVALG_DATABASE_URL"})
    assert own.status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"patient": "p\0"}, "/body"),
        ({"due": 20270108}, "/body/invitations/0/due"),
        ({"due": "9999-12-31"}, "/body/invitations/0/due"),
        ({"extra": "5"}, "/body/invitations/0/extra"),
        ({"letters": 1}, "/body/invitations/0/letters"),
        ({"times": [{"from": "8"}]}, "/body/invitations/0/times/0/from"),
        ({"unknown": 1}, "/body/invitations/0/unknown"),
    ],
)
def test_nothing_is_taken_for_another_type(dips, body, pointer):
    answer = invite(dips, ASKED | body)
    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]


def test_of_many_invitations_each_wrong_one_is_pointed_at(dips):
    wrong = [{}, {"due": "2027-01-01"}, {}, {"not_after": None}]
    asked = {"invitations": [ASKED | row | {"ref": f"o/{n}"} for n, row in enumerate(wrong)]}
    answer = dips.post(f"{SYSTEM}/invitations", asked, key="k")
    assert answer.status_code == 422
    places = ["/body/invitations/1", "/body/invitations/3/not_after"]
    assert [e["pointer"] for e in answer.json()["errors"]] == places


def test_what_the_clinic_does_not_have_is_pointed_at_among_many(dips):
    def pointed_at(*wrong):
        rows = [ASKED | row | {"ref": f"o/{n}"} for n, row in enumerate(wrong)]
        answer = dips.post(f"{SYSTEM}/invitations", {"invitations": rows}, key="k")
        assert answer.status_code == 422
        return [e["pointer"] for e in answer.json()["errors"]]

    pools = [{}, {"pools": ["none"]}, {"clinic": "none"}]
    assert pointed_at(*pools) == ["/body/invitations/1"]  # before it is asked for a clinic's terms
    assert pointed_at({}, {"pools": ["auto", "none"]}) == ["/body/invitations/1"]
    terms = [{"extra": 7}, {}, {"done": ["none"]}]
    assert pointed_at(*terms) == ["/body/invitations/0/extra", "/body/invitations/2/done"]


def test_an_identity_number_among_many_is_pointed_at(dips):
    asked = {"invitations": [ASKED, ASKED | {"ref": "o/2", "patient": "01017000027"}]}
    answer = dips.post(f"{SYSTEM}/invitations", asked, key="k")
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/body/invitations/1/patient"]
    assert "01017000027" not in answer.text


def test_what_is_wrong_is_said_once(dips):
    answer = dips.post(f"{SYSTEM}/invitations", {"invitations": [ASKED]}, key="k" * 201)
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/header/idempotency-key"]


def test_a_role_without_the_right_is_refused_before_its_request_is_judged(me):
    answer = me.post(f"{SYSTEM}/invitations", {"nonsense": 1})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:timevalg:problem:not-allowed")
