"""What operators ask a worker over HTTP: ``/metrics``, ``/healthz``, ``/readyz``."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from timevalg.booking.ports import Ports
from timevalg.model.errors import InvalidInput, TimevalgError
from workers import context, metrics

LAST_PORT = 65535
FRESH = 30.0
"""Seconds since the last sweep after which a worker is not ready any more."""


def watch(ports: Ports, where: str) -> ThreadingHTTPServer:
    """Answer at ``[HOST:]PORT`` of this machine, in a thread of its own; `shutdown` ends it.

    Raises
    ------
    InvalidInput
        If that is no address.
    OSError
        If another process has it.
    """
    host, _, port = where.rpartition(":")
    if not port.isdecimal() or int(port) > LAST_PORT:
        raise InvalidInput.single("TIMEVALG_WATCH", f"{where!r} is not [HOST:]PORT")

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = _answer(ports, self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep scrapes out of the log."""

    server = ThreadingHTTPServer((host or "127.0.0.1", int(port)), Answers)
    threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
    return server


def _answer(ports: Ports, path: str) -> tuple[int, str, bytes]:
    text = "text/plain; charset=utf-8"
    try:
        if path == "/metrics":
            return 200, text, metrics.page(ports)
        if path == "/healthz":
            return 200, text, b"alive\n"
        if path == "/readyz":
            ports.store.organisations()
            ago = context.swept_ago()
            if ago is not None and ago < FRESH and not context.stopping.is_set():
                return 200, text, b"ready\n"
            return 503, text, b"no sweep for work lately\n"
    except TimevalgError as error:
        return 503, text, f"{error}\n".encode()
    return 404, text, b"/metrics, /healthz, /readyz\n"
