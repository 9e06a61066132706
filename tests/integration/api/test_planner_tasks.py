"""Invitations, choices to check and the staff list over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

TASKS = "/v1/planner/tasks"
INVITATION = {
    "patient": "p-1",
    "pools": ["auto"],
    "opens": "2027-01-04",
    "due": "2027-01-08",
    "not_after": "2027-01-29",
}
ROOM = {"doctor": ["dr-a"], "room": ["room"]}


@pytest.fixture
def anna(caller):
    return caller("planner:anna")


def line(number, **more):
    return {**INVITATION, "patient": f"p-{number}", "ref": f"r-{number}", **more}


def csv_of(*rows):
    headings = list(rows[0])
    cells = [[" ".join(v) if isinstance(v, list) else str(v) for v in row.values()] for row in rows]
    return "\n".join(",".join(r) for r in [headings, *cells]) + "\n"


def send_csv(anna, path, text, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = text.encode() if isinstance(text, str) else text
    return anna._client.post(
        path, content=content, headers=anna._token | {"Content-Type": "text/csv"} | named
    )


def test_one_invitation(world, anna):
    made, again = (anna.post(TASKS, INVITATION, key="k") for _ in "ab")
    assert (made.status_code, made.json()) == (201, again.json())
    key = made.json()["task"]["id"]
    read = anna.get(f"{TASKS}/{key}")
    assert read.json() == made.json()["task"]
    assert [t["id"] for t in anna.get(f"{TASKS}?state=open").json()["tasks"]] == [key]
    assert anna.get(f"{TASKS}?state=overdue").json()["tasks"] == []
    tag = read.headers["ETag"]
    amended = anna.post(f"{TASKS}/{key}/amend", {"due": "2027-01-11"}, key="a", version=tag)
    assert (amended.status_code, amended.json()["due"]) == (200, "2027-01-11")
    stale = anna.post(f"{TASKS}/{key}/withdraw", {}, version=tag)
    assert stale.status_code == 412
    assert [c["type"] for c in stale.json()["changes"]] == ["task.amended"]
    gone = anna.post(f"{TASKS}/{key}/withdraw", {}, version=amended.headers["ETag"])
    assert (gone.status_code, gone.json()["state"]) == (200, "withdrawn")


def test_who_cannot_be_promised_anything_is_not_sent_and_says_why(anna):
    answer = anna.post(TASKS, INVITATION | {"not_after": "2027-01-09"}, key="k")
    assert (answer.status_code, answer.json()["task"]) == (201, None)
    assert answer.json()["shortage"]["words"]
    assert answer.json()["draft"]["state"] == "draft"


@pytest.mark.parametrize("form", ["json", "csv"])
def test_many_are_planned_first_and_sent_up_to_a_line_or_as_a_whole(world, anna, form):
    rows = [line(1), line(2), line(3, not_after="2027-01-09"), line(4)]

    def post(path, some, **headers):
        if form == "csv":
            return send_csv(anna, path, csv_of(*some), **headers)
        key = headers.pop("Idempotency_Key", None)
        return anna.post(path, {"invitations": some}, key=key, version=None)

    before = world.dump()
    plan = post(f"{TASKS}/plan", rows)
    assert plan.status_code == 200, plan.text
    told = plan.json()
    assert [p["number"] for p in told["invitations"] if p["shortage"]] == [3]
    assert (told["servable"], told["up_to"]) == (3, 2)
    starts = [p["start"] for p in told["invitations"] if not p["shortage"]]
    assert all(start.endswith("+01:00") for start in starts)  # the clinic's zone, as offers
    assert world.dump()["0"] == before["0"]
    assert post(f"{TASKS}/bulk", rows).status_code == 400  # no key
    whole = post(f"{TASKS}/bulk", rows, Idempotency_Key="k-1")
    assert (whole.status_code, whole.json()["type"]) == (409, "urn:timevalg:problem:not-servable")
    assert world.read(lambda unit: unit.tasks.count()) == 0
    sent = post(f"{TASKS}/bulk?up_to=2", rows, Idempotency_Key="k-2")
    assert [i["task"]["ref"] for i in sent.json()["invitations"]] == ["r-1", "r-2"]
    again = post(f"{TASKS}/bulk?up_to=2", rows, Idempotency_Key="k-2")
    assert again.json() == sent.json()
    rest = post(f"{TASKS}/bulk?partly=true", rows, Idempotency_Key="k-3")
    found = rest.json()["invitations"]
    assert [i["task"] is not None for i in found] == [True, True, False, True]
    assert world.read(lambda unit: unit.tasks.count()) == 4
    assert world.promises_broken() == {}


@pytest.mark.parametrize("form", ["json", "csv"])
def test_who_has_no_ref_is_not_invited_again_with_others(world, anna, form):
    rows = [INVITATION | {"patient": f"p-{n}"} for n in range(3)]

    def send(path, some, key):
        if form == "csv":
            return send_csv(anna, path, csv_of(*some), Idempotency_Key=key)
        return anna.post(path, {"invitations": some}, key=key, version=None)

    part = send(f"{TASKS}/bulk?up_to=2", rows, "k-1").json()["invitations"]
    whole = send(f"{TASKS}/bulk", rows[::-1], "k-2").json()["invitations"]
    assert [i["task"]["id"] for i in part] == [i["task"]["id"] for i in whole[:0:-1]]
    assert world.read(lambda unit: unit.tasks.count()) == 3


HEAD = "patient,pools,opens,due"
ROW = "p-1,auto,2027-01-04,2027-01-08"


@pytest.mark.parametrize(
    ("text", "line", "pointer"),
    [
        ("", 1, "patient"),
        (f"{HEAD}\n", 1, ""),
        (f"{HEAD},colour\n{ROW},red\n", 1, "colour"),
        (f"patient,{HEAD}\n", 1, ""),
        (f"{HEAD},not_after\np-1,auto,4.1.2027,2027-01-08,2027-01-29\n", 2, "opens"),
        (f"{HEAD},not_after\n,auto,2027-01-04,2027-01-08,2027-01-29\n", 2, "patient"),
        (f"{HEAD}\n{ROW}\n", 2, "not_after"),
        (f"{HEAD.replace(',', ';')};not_after\na;b;c;d;e;f\n", 2, ""),
        (f'{HEAD}\n"p-1\n', 2, ""),
        (f"{HEAD},not_after,mode\n{ROW},2027-01-29,x\n", 2, "mode"),
        (f"{HEAD},not_after,extra\n{ROW},2027-01-29,x\n", 2, "extra"),
    ],
)
def test_odd_lines_are_named(anna, text, line, pointer):
    answer = send_csv(anna, f"{TASKS}/plan", text)
    assert answer.status_code == 422, answer.text
    assert (line, pointer) in [(e["line"], e["pointer"]) for e in answer.json()["errors"]]


def test_odd_bodies_of_many(anna):
    assert send_csv(anna, f"{TASKS}/plan", b"\xff\xfe\x00").status_code == 400
    wrong = anna.post(f"{TASKS}/plan", {"invitations": [INVITATION | {"due": "soon"}]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/body/invitations/0/due"
    assert send_csv(anna, f"{TASKS}/plan", "{", Content_Type="application/json").status_code == 422
    assert send_csv(anna, f"{TASKS}/plan", "{", Content_Type="text/plain").status_code == 415
    unknown = anna.post(TASKS, INVITATION | {"pools": ["nowhere"]}, key="k")
    assert unknown.status_code == 404
    upside = anna.post(TASKS, INVITATION | {"due": "2027-01-01"}, key="k2")
    assert upside.status_code == 422


def test_excel_writes_semicolons_and_a_mark(anna):
    headings = "\ufeffpatient;pools;opens;due;not_after;letters;ref"
    text = f"{headings}\r\np-1;auto manual;2027-01-04;2027-01-08;2027-01-29;false;\r\n\r\n"
    plan = send_csv(anna, f"{TASKS}/plan", text)
    assert plan.status_code == 200, plan.text
    assert len(plan.json()["invitations"]) == 1


def test_a_choice_is_checked_once(world, anna):
    tasks = [world.chosen(f"p-{n}", pools=("manual",), number=n)[0] for n in range(3)]
    world.work()
    first = anna.get("/v1/planner/checks?limit=2").json()
    rest = anna.get(f"/v1/planner/checks?limit=2&after={first['next']}").json()
    found = first["checks"] + rest["checks"]
    assert [c["task"]["id"] for c in found] == [t.id for t in tasks]
    assert all(c["appointment"]["task"] == c["task"]["id"] for c in found)
    assert rest["next"] == ""
    path, tag = f"{TASKS}/{tasks[0].id}/check", f'"{found[0]["task"]["version"]}"'
    assert anna.post(path, {"confirm": True}, version='"1"').status_code == 412
    done = anna.post(path, {"confirm": True}, version=tag)
    assert (done.status_code, done.json()["state"]) == (200, "confirmed")
    assert anna.post(path, {"confirm": True}).status_code == 409
    undone = anna.post(f"{TASKS}/{tasks[0].id}/undo", {"reason": "wrong"})
    assert undone.json()["state"] == "with-staff"
    refused = anna.post(f"{TASKS}/{tasks[1].id}/check", {"confirm": False, "reason": "no"})
    assert (refused.status_code, refused.json()["state"]) == (200, "with-staff")
    left = anna.get("/v1/planner/checks").json()["checks"]
    assert [c["task"]["id"] for c in left] == [tasks[2].id]
    assert world.promises_broken() == {}


def test_a_task_taken_over_waits_is_reopened_and_booked(world, anna):
    task = world.invited()
    path = f"{TASKS}/{task.id}"
    taken = anna.post(f"{path}/take", {"reason": "phone"}, version=f'"{task.version}"')
    assert (taken.status_code, taken.json()["state"]) == (200, "with-staff")
    assert anna.post(f"{path}/keep-waiting", {}).status_code == 422
    waits = anna.post(f"{path}/keep-waiting", {"reason": "tests"}, version=taken.headers["ETag"])
    assert waits.status_code == 200
    for verb, body in (
        ("reopen", {}),
        ("assignment", {"start": "2027-01-20T09:00:00+01:00", "resources": ROOM}),
        ("keep-waiting", {"reason": "x"}),
        ("take", {}),
        ("undo", {"reason": "x"}),
        ("choice", {"start": "2027-01-20T09:00:00+01:00"}),
    ):
        stale = anna.post(f"{path}/{verb}", body, key=f"s-{verb}", version='"1"')
        assert stale.status_code == 412, (verb, stale.text)
    opened = anna.post(f"{path}/reopen", {"due": "2027-01-11"}, key="r")
    assert (opened.json()["state"], opened.json()["due"]) == ("open", "2027-01-11")
    anna.post(f"{path}/take")
    booked = anna.post(
        f"{path}/assignment",
        {"start": "2027-01-20T09:00:00+01:00", "resources": ROOM},
        key="a",
    )
    assert (booked.status_code, booked.json()["state"]) == (200, "assigned")
    assert world.visit(task).start.isoformat() == "2027-01-20T08:00:00+00:00"


def test_a_time_is_chosen_for_a_patient_on_the_phone(world, anna):
    task = world.invited()
    path = f"{TASKS}/{task.id}"
    first = anna.get(f"{path}/offers?after=10:00&must=after").json()["offers"][0]
    made, again = (anna.post(f"{path}/choice", {"start": first["start"]}, key="k") for _ in "ab")
    assert (made.status_code, made.json()) == (201, again.json())
    assert made.headers["ETag"] == f'"{made.json()["version"]}"'
    assert made.json()["origin"] == "chosen"


def test_an_override_needs_a_reason_and_names_who_loses(world, anna):
    tight = {"not_before": "2027-01-20", "not_after": "2027-01-20"}
    only = {"only": {"doctor": ["dr-a"]}, "times": [{"from": "08:00", "to": "08:30"}], **tight}
    anna.post(TASKS, line(1, **only), key="k-1")
    world.invited("p-2")
    task = world.task(world.read(lambda unit: unit.tasks.find(patient="p-2"))[0])
    path = f"{TASKS}/{task.id}"
    anna.post(f"{path}/take")
    body = {"start": "2027-01-20T08:00:00+01:00", "resources": ROOM}
    refused = anna.post(f"{path}/assignment", body, key="a")
    assert refused.json()["type"] == "urn:timevalg:problem:would-strand"
    (stranded,) = refused.json()["tasks"]
    assert anna.post(f"{path}/assignment", body | {"override": True}, key="b").status_code == 422
    reason = {"override": True, "reason": "akutt"}
    done = anna.post(f"{path}/assignment", body | reason, key="c")
    assert (done.status_code, done.json()["state"]) == (200, "assigned")
    assert [c.task for c in world.cases("capacity-loss")] == [stranded]


def test_the_inbox_by_kind_page_by_page_and_closed(world, anna):
    for n in range(3):
        world.patient(f"p-{n}").decline(world.invited(f"p-{n}"))
        world.clock.advance(timedelta(minutes=1))
    world.chosen("p-9", pools=("manual",))
    world.work()
    whole = anna.get("/v1/planner/inbox").json()["cases"]
    assert [c["kind"] for c in whole] == ["declined"] * 3 + ["check-wanted"]
    first = anna.get("/v1/planner/inbox?kind=declined&limit=2").json()
    rest = anna.get(f"/v1/planner/inbox?kind=declined&limit=2&after={first['next']}").json()
    assert first["cases"] + rest["cases"] == whole[:3]
    close = f"/v1/planner/inbox/{whole[0]['id']}/close"
    assert anna.post(close, version=None).status_code == 428
    assert anna.post(close, version='"9"').status_code == 412
    closed = anna.post(close, {"reason": "called"}, version=f'"{whole[0]["version"]}"')
    assert (closed.status_code, closed.json()["closed_at"] is not None) == (200, True)
    assert anna.post(close).status_code == 409
    assert len(anna.get("/v1/planner/inbox").json()["cases"]) == 3
    standing = anna.post(f"/v1/planner/inbox/{whole[-1]['id']}/close")
    assert standing.status_code == 409
    assert anna.post("/v1/planner/inbox/none/close").status_code == 404
    assert anna.get("/v1/planner/inbox?after=none").status_code == 404


def test_another_clinics_planner_finds_nothing(caller, world):
    bo = caller("planner:bo:elsewhere")
    task = world.invited()
    world.patient("p-2").decline(world.invited("p-2"))
    (case,) = world.cases("declined")
    assert bo.get(TASKS).json()["tasks"] == []
    assert bo.get("/v1/planner/inbox").json()["cases"] == []
    assert bo.get("/v1/planner/checks").json()["checks"] == []
    path, at = f"{TASKS}/{task.id}", {"start": "2027-01-20T09:00:00+01:00"}
    assert bo.get(path).status_code == bo.get(f"{path}/offers").status_code == 404
    for verb, body in (
        ("amend", {"priority": 1}),
        ("withdraw", {}),
        ("check", {"confirm": True}),
        ("undo", {"reason": "x"}),
        ("take", {}),
        ("reopen", {}),
        ("keep-waiting", {"reason": "x"}),
        ("choice", at),
        ("assignment", at | {"resources": ROOM}),
    ):
        answer = bo.post(f"{path}/{verb}", body, key=f"k-{verb}")
        assert answer.status_code == 404, (verb, answer.text)
    assert bo.post(TASKS, INVITATION, key="k").status_code == 404
    assert bo.post(f"{TASKS}/plan", {"invitations": [INVITATION]}).status_code == 404
    assert bo.post(f"{TASKS}/bulk", {"invitations": [INVITATION]}, key="k-2").status_code == 404
    assert bo.post(f"/v1/planner/inbox/{case.id}/close").status_code == 404
    assert bo.get(f"/v1/planner/inbox?after={case.id}").json()["cases"] == []


def test_patients_have_no_desk_and_no_calendar(world, caller):
    """Of their own neither, though they may see the same task elsewhere."""
    task = world.invited()
    for me in (caller("patient:p-1"), caller("representative:p-1")):
        for surface in ("planner", "system"):
            for path in ("tasks", f"tasks/{task.id}", "appointments"):
                answer = me.get(f"/v1/{surface}/{path}")
                assert (answer.status_code, answer.json()["type"][-11:]) == (403, "not-allowed")
    assert caller("planner:anna").get("/v1/patient/tasks").status_code == 403


def test_patients_have_no_desk(me):
    for path in ("/v1/planner/inbox", "/v1/planner/checks", "/v1/planner/clinics"):
        assert me.get(path).status_code == 403
    assert me.post(TASKS, INVITATION, key="k").status_code == 403
