"""The benchmark of the API leaves out no wait, and says what a request asks of the database."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.api import hospital, load, run
from benchmarks.api.load import drive
from benchmarks.api.statements import per_request

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
NUMBER, RATE = 20, 200


class Stalled(BaseHTTPRequestHandler):
    """Answers nothing before it may."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.may_answer.wait()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Stalled) as server:
        server.may_answer = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_what_was_due_during_a_stall_waited_for_its_end(server, monkeypatch):
    monkeypatch.setattr(load, "CONNECTIONS", 1)  # all the others wait behind the first

    def requests():
        for _ in range(NUMBER - 1):
            yield REQUEST
        server.may_answer.set()  # the last is due
        yield REQUEST

    outcome = drive(server.server_port, requests(), 60, RATE)
    assert outcome.statuses == {200: NUMBER}
    least = [(NUMBER - 1 - n) / RATE for n in range(NUMBER)]
    assert all(wait >= due for wait, due in zip(outcome.waits, least, strict=True))


def test_with_no_rate_as_much_is_asked_as_is_answered(server):
    server.may_answer.set()
    outcome = drive(server.server_port, iter([REQUEST] * 50), 60)
    assert outcome.statuses == {200: 50}
    assert 0 < outcome.ms(50) <= outcome.ms(99)
    assert outcome.per_second > 0


def test_what_is_answered_a_second_does_not_go_by_how_long_an_answer_takes():
    number, rate = 100, 50

    def outcome(wait, growing=0.0):
        waits = [wait + growing * n for n in range(number)]
        moments = [n / rate + each for n, each in enumerate(waits)]
        return load.Outcome(rate, waits, Counter({200: number // 2, 409: number // 2}), moments)

    for wait in (0.0, 0.1, 1.0):
        assert outcome(wait).answered == pytest.approx(rate)
        assert outcome(wait).per_second == pytest.approx(rate / 2)
        assert outcome(wait, growing=1 / rate).answered == pytest.approx(rate / 2)


def test_rates_rise_until_two_in_a_row_are_not_kept(monkeypatch):
    warm, most, *steps = (load.Outcome(number) for number in range(12))
    asked = iter([warm, most, *steps])
    monkeypatch.setattr(run, "drive", lambda *_: next(asked))
    monkeypatch.setattr(run, "_answered", lambda step: step is steps[3])
    monkeypatch.setattr(run, "_is_kept", lambda step: step is steps[3])  # when tried once more
    assert len(list(run._measuring(0, iter([]), 0))) == 8
    assert next(asked) is steps[8]


def test_a_request_asks_little_of_the_database(postgres_url, tmp_path):
    """Each statement is a journey: more than these must be worth it."""
    key = tmp_path / "key.json"
    kinds = hospital.kinds(hospital.fill(postgres_url, key, 60))
    settings = {"TIMEVALG_DATABASE_URL": postgres_url, "TIMEVALG_DEVELOPMENT_KEY": str(key)}
    found = per_request(settings, kinds)
    assert {kind: asked["transactions"] for kind, asked in found.items()} == dict.fromkeys(kinds, 2)
    most = {"offers": 6, "hold": 14, "choose": 15}
    assert all(found[kind]["statements"] <= number for kind, number in most.items()), found
