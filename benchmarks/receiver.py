"""A mail server and a web server that count what arrives, by the key of each effect.

They stand for the world outside: what they have taken has happened, whatever the sender knows.
"""

from __future__ import annotations

import json
import re
import socketserver
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from timevalg.channels.webhook import signature

GATEWAY = "/sms"
_EFFECT = re.compile(rb"^X-Timevalg-Effect: (\S+)", re.MULTILINE)


class Receiver:
    """Counts mails and events.

    Attributes
    ----------
    mails : Counter
        How often each letter has been taken.
    events : dict
        For each event how often it has been taken, in the order in which they first came.
    messages : Counter
        How often each SMS has been taken; `texts` and `tokens` are what came with them.
    forged : int
        Requests whose signature was wrong.
    closed : bool
        While it is set, the web server answers 503.
    delay : float
        Seconds the mail server takes to answer for a letter.
    """

    def __init__(self, key: str = "a key for signatures") -> None:
        self.key = key
        self.mails: Counter[str] = Counter()
        self.events: dict[str, int] = {}
        self.bodies: list[bytes] = []
        self.messages: Counter[str] = Counter()
        self.texts: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.forged = 0
        self.closed = False
        self.delay = 0.0
        self._lock = threading.Lock()
        self._mail = _server(socketserver.ThreadingTCPServer, _mail(self))
        self._web = _server(ThreadingHTTPServer, _web(self))

    @property
    def smtp(self) -> str:
        """The setting that sends letters here."""
        return f"smtp://127.0.0.1:{self._mail.server_address[1]}"

    @property
    def url(self) -> str:
        """Where events go."""
        return f"http://127.0.0.1:{self._web.server_address[1]}/events"

    @property
    def gateway(self) -> str:
        """The setting that sends SMS here."""
        return f"http://127.0.0.1:{self._web.server_address[1]}{GATEWAY}"

    def __enter__(self) -> Self:
        for server in (self._mail, self._web):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._mail, self._web):
            server.shutdown()
            server.server_close()

    def take_mail(self, text: bytes) -> None:
        """Count one mail."""
        found = _EFFECT.search(text)
        with self._lock:
            self.mails[found.group(1).decode() if found else "?"] += 1

    def take_event(self, headers: Any, body: bytes) -> int:
        """Count one event; gives the status of the answer."""
        event = headers.get("webhook-id", "")
        expected = signature(self.key, event, headers.get("webhook-timestamp", ""), body)
        with self._lock:
            if self.closed:
                return 503
            if headers.get("webhook-signature") != expected:
                self.forged += 1
                return 401
            self.events[event] = self.events.get(event, 0) + 1
            if self.events[event] == 1:
                self.bodies.append(body)
        return 204

    def take_message(self, headers: Any, body: bytes) -> int:
        """Count one SMS; gives the status of the answer."""
        with self._lock:
            if self.closed:
                return 503
            self.messages[headers.get("idempotency-key", "?")] += 1
            self.texts.append(json.loads(body))
            self.tokens.append(headers.get("authorization", ""))
        return 204


def _server(kind: type[Any], handler: type[Any]) -> Any:
    kind = type(kind.__name__, (kind,), {"daemon_threads": True, "request_queue_size": 128})
    return kind(("127.0.0.1", 0), handler)


def _mail(receiver: Receiver) -> type[Any]:
    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self._say("354 go on")
                    text = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        if not part:
                            return  # the sender died in the middle
                        text.append(part)
                    receiver.take_mail(b"".join(text))
                    time.sleep(receiver.delay)
                self._say("221 bye" if verb == b"QUIT" else "250 taken")

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

        def finish(self) -> None:
            """Bear senders that have died."""
            try:
                super().finish()
            except OSError:
                self.connection.close()

    return Mail


def _web(receiver: Receiver) -> type[Any]:
    class Web(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return  # the sender died in the middle
            take = receiver.take_message if self.path == GATEWAY else receiver.take_event
            self.send_response(take(self.headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Web
