"""`timevalg serve` and `timevalg token` as a stranger uses them."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from tests import commands
from tests.serving import environment, free_port, is_open, served, timevalg
from timevalg import Timevalg

GASTRO = Path(__file__).parents[2] / "examples" / "gastro"
ORGANISATION = "999999999"
CANARY = "01017012345"
OWN = '[{"issuer": "i", "audience": "a", "keys": "http://127.0.0.1/k", "profile": "development"}]'

PATIENCE = 60
"""Seconds to wait for what a machine under load does late."""


def test_an_empty_folder_a_server_and_a_token(tmp_path):
    env, port = environment(tmp_path), free_port()
    with (
        served(env, port),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        today = datetime.now(UTC).date()
        with Timevalg.open(env["TIMEVALG_DATABASE_URL"], organisation=ORGANISATION) as valg:
            dips = valg.system("dips")
            dips.publish(GASTRO)
            asked = dips.invite(
                patient="p-1",
                pools=["follow-up"],
                opens=min(today, date(2027, 1, 4)),
                due=today + timedelta(days=7),
                not_after=today + timedelta(days=80),
            )
        document = client.get("/openapi.json").json()
        assert document["openapi"].startswith("3.1") and document["paths"]
        for path, operations in document["paths"].items():
            for operation in operations.values():
                assert "security" in operation, path
        assert client.get("/v1/patient/tasks").status_code == 401
        said = ("--role", "patient", "--organisation", ORGANISATION, "--patient", "p-1")
        token = timevalg(env, "token", *said).stdout.strip()
        mine = {"Authorization": f"Bearer {token}"}
        tasks = client.get("/v1/patient/tasks", headers=mine).json()["tasks"]
        assert [t["id"] for t in tasks] == ([asked.task.id] if asked.task else [])
        changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
        answer = client.get("/v1/patient/tasks", headers={"Authorization": f"Bearer {changed}"})
        assert answer.status_code == 401
        assert token not in answer.text


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent by OTLP."""

    def do_POST(self):
        self.server.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        server.taken = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_what_has_begun_when_the_server_stops_is_answered_and_traced(tmp_path, collector):
    traces = f"http://127.0.0.1:{collector.server_port}/v1/traces"
    env, port = environment(tmp_path, TRACES=traces), free_port()
    said = ("--role", "patient", "--organisation", ORGANISATION, "--patient", CANARY)
    token = timevalg(env, "token", *said).stdout.strip()
    body = b'{"start": "2027-01-14T09:00:00+01:00"}'
    head = (
        f"POST /v1/patient/tasks/{CANARY}/choice HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: k\r\nIf-Match: *\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with served(env, port) as server, socket.create_connection(("127.0.0.1", port)) as begun:
        begun.sendall(head.encode() + body[:10])
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            while "timevalg_http_being_answered 2.0" not in client.get("/metrics").text:
                pass  # the one above, and this one
        server.send_signal(signal.SIGTERM)
        while is_open(port):
            pass  # until nobody new is let in
        begun.sendall(body[10:])
        answer = begun.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 404"), answer  # an answer to what was asked
        written = server.stderr.read()
    spans = b"".join(collector.taken)
    assert b"POST /v1/patient/tasks/{task}/choice" in spans
    assert CANARY not in written
    assert CANARY.encode() not in spans


def test_two_processes_count_as_one(tmp_path, redis_url):
    """Requests within a limit through Redis; and for Prometheus, whichever process it asks.

    Redis is given time: of a machine that has much else to do it takes more than a server waits.
    """
    patient = f"{redis_url}?socket_timeout={PATIENCE}&socket_connect_timeout={PATIENCE}"
    limit = {"RATE_BY_PRINCIPAL": "7/day", "REDIS_URL": patient}
    env, port = environment(tmp_path, **limit), free_port()
    base, path = f"http://127.0.0.1:{port}", "/v1/patient/tasks"
    with served(env, port, processes=2):
        said = ["--role", "patient", "--organisation", ORGANISATION, "--patient", f"p-{port}"]
        token = timevalg(env, "token", *said).stdout.strip()
        mine = {"Authorization": f"Bearer {token}"}
        with ThreadPoolExecutor(6) as pool:  # by connections of their own, to either process
            get = partial(httpx2.get, base + path, headers=mine, timeout=PATIENCE)
            asked = [pool.submit(get) for _ in range(12)]
            codes = Counter(one.result().status_code for one in asked)
        assert codes == {200: 7, 429: 5}
        for _ in range(4):
            page = httpx2.get(base + "/metrics", timeout=PATIENCE).text
            counted = re.findall(r"^timevalg_http_requests_total\{(.*)\} ([0-9.]+)$", page, re.M)
            found = Counter()
            for labels, count in counted:
                found[int(re.search(r'status="(\d+)"', labels)[1])] += float(count)
            assert (found[200] >= 7, found[429]) == (True, 5)


@pytest.fixture
def here(monkeypatch):
    """Run a command in this process; what is refused at once needs none of its own."""

    def run(env, *words):
        for name in set(os.environ) - set(env):
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return commands.timevalg(*words)

    return run


def test_development_serves_this_machine_only(tmp_path):
    done = timevalg(environment(tmp_path), "serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "TIMEVALG_MODE=production" in done.stderr


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({}, "TIMEVALG_ISSUERS"),
        ({"DATABASE_URL": ""}, "TIMEVALG_DATABASE_URL"),
        ({"MODE": "live"}, "TIMEVALG_MODE"),
        ({"ISSUERS": OWN}, "TIMEVALG_ISSUERS"),
    ],
)
def test_production_takes_nothing_for_granted(tmp_path, here, more, what):
    env = environment(tmp_path, **({"MODE": "production"} | more))
    done = here(env, "serve", "--port", str(free_port()))
    assert done.returncode == 2
    assert what in done.stderr
    assert not (tmp_path / "served.sqlite").exists()


def test_production_prints_no_development_token(tmp_path, here):
    env = environment(tmp_path, MODE="production")
    done = here(env, "token", "--role", "planner", "--organisation", ORGANISATION)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("role", "organisation", "why"),
    [
        ("king", ORGANISATION, "--role: 'king' is no role; there are patient, representative"),
        ("worker", ORGANISATION, "--role: 'worker' is no role"),
        ("planner", "", "--organisation: is empty"),
        ("patient", ORGANISATION, "--patient: a patient acts for one patient; say for whom"),
    ],
)
def test_a_token_must_say_enough(tmp_path, here, role, organisation, why):
    said = ("--role", role, "--organisation", organisation)
    done = here(environment(tmp_path), "token", *said)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"command line: {why}")
