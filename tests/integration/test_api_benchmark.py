"""The benchmark of the API leaves out no wait: what was due while nothing was answered counts."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.api import load
from benchmarks.api.load import drive

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
