"""Hundreds of invitations in one request to a served API on PostgreSQL: planned, then sent."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx2

from benchmarks.api.hospital import ORGANISATION, OSLO, SERVICES, document
from tests.serving import environment, free_port, served, timevalg
from timevalg import Timevalg
from timevalg.api.schemas.tasks import InvitationsIn
from timevalg.library.invitation_file import MOST
from timevalg.model.contents import Source
from timevalg.settings import Settings

TASKS = "/v1/planner/tasks"
MANY = 300


def lines(today, many, short=()):
    """Give invitations; those in `short` can have no place."""
    return [
        {
            "ref": f"dips:oppgave/{4_700_000 + n}",
            "patient": f"pasient-{n}",
            "pools": [f"pool-{n % SERVICES}"],
            "opens": str(today),
            "due": str(today + timedelta(7)),
            "not_before": str(today + timedelta(9)),
            "not_after": str(today + timedelta(9 if n in short else 60 + n % 25)),
            "deadline": str(today + timedelta(90)),
            "priority": 3,
            "extra": 480 if n in short else 0,
        }
        for n in range(many)
    ]


def test_the_most_that_may_be_invited_at_once_fit_into_a_body():
    """Guard off (a body of 1 MB): not even 5,000 as record systems write them."""
    today = datetime.now(OSLO).date()
    largest = Settings.of({}).body_limit
    assert len(json.dumps({"invitations": lines(today, MOST)})) < largest
    assert len(json.dumps({"invitations": lines(today, 5000)})) > 1_000_000
    (bound,) = (m.max_length for m in InvitationsIn.model_fields["invitations"].metadata[1:])
    assert bound == MOST


def test_many_are_planned_and_sent_up_to_the_line_and_as_a_whole(tmp_path, postgres_url):
    env, port = environment(tmp_path, DATABASE_URL=postgres_url), free_port()
    today = datetime.now(OSLO).date()
    with Timevalg.open(postgres_url, organisation=ORGANISATION) as valg:
        valg.system("dips").publish({"clinic": Source(document())})
    said = ("--role", "planner", "--organisation", ORGANISATION, "--clinic", "clinic")
    token = timevalg(env, "token", *said).stdout.strip()
    asked = lines(today, MANY, short=(MANY - 3, MANY - 1))

    with (
        served(env, port),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):

        def send(path, key=None, rows=asked):
            headers = {"Authorization": f"Bearer {token}"}
            headers |= {"Idempotency-Key": key} if key else {}
            return client.post(f"{TASKS}/{path}", json={"invitations": rows}, headers=headers)

        plan = send("plan").json()
        assert (plan["up_to"], plan["servable"]) == (MANY - 3, MANY - 2)
        whole = send("bulk", "a")
        assert (whole.status_code, whole.json()["task"]) == (409, asked[-3]["ref"])
        sent = send(f"bulk?up_to={plan['up_to']}", "b").json()["invitations"]
        assert [one["task"]["ref"] for one in sent] == [row["ref"] for row in asked[:-3]]
        rest = [row for row in asked if row["extra"] == 0]
        every = send("bulk", "c", rest)
        assert every.status_code == 201, every.text
        again = [one["task"]["id"] for one in every.json()["invitations"]]
        assert again[: len(sent)] == [one["task"]["id"] for one in sent]
        assert send("bulk", "c", rest).json() == every.json()
        assert len(set(again)) == MANY - 2
