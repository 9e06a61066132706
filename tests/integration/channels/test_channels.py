"""Each way out against a real server: what it sends, what it answers, what it is certain of."""

import json
import smtplib
import socket
import socketserver
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import httpx2
import pytest

from benchmarks.receiver import Receiver
from tests.dripping import DROPS, answering
from timevalg.channels import http, smtp
from timevalg.channels.http import post
from timevalg.channels.settings import channels
from timevalg.channels.sms import Sms
from timevalg.channels.smtp import Smtp
from timevalg.channels.spool import Spool
from timevalg.channels.webhook import Webhook, signature
from timevalg.model.errors import InvalidInput, NotDelivered
from timevalg.model.outgoing import Delivery, Subscription
from timevalg.model.records import Letter, Patient

NOW = datetime(2027, 1, 4, 8, tzinfo=UTC)
LETTER = Letter(
    id="l-1",
    organisation="999999999",
    clinic="clinic",
    patient="p-1",
    kind="appointment",
    language="nb",
    created_at=NOW,
    subject="Du har fått time på øyeklinikken",
    html="<p>Blåbær</p>",
    text="Blåbær\n.\n..\n",
    address="kari@example.test",
    sending_at=NOW,
)
REMINDER = replace(LETTER, kind="reminder")
KARI = Patient("p-1", "999999999", email="kari@example.test", phone="+4799999999")
DELIVERY = Delivery(
    id="d-1",
    organisation="999999999",
    clinic="clinic",
    subscription="s-1",
    event="e-1",
    stream="a-1",
    number=1,
    body='{"id":"e-1","key":"å"}',
    created_at=NOW,
    sending_at=NOW,
)


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def nowhere():
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_mail_carries_its_effect_key(receiver):
    (smtp,) = channels({"TIMEVALG_SMTP": receiver.smtp + "?from=post@sykehus.test"})
    assert smtp.address(LETTER, KARI) == "kari@example.test"
    assert smtp.address(LETTER, Patient("p-2", "999999999")) is None
    assert smtp.send("l-1", LETTER) == "<l-1@sykehus.test>"
    assert receiver.mails == {"l-1": 1}


def test_a_mail_has_the_line_ends_of_mail(receiver, monkeypatch):
    """RFC 5321, 2.3.8: servers may refuse any other."""
    texts = []
    monkeypatch.setattr(receiver, "take_mail", texts.append)
    (mail,) = channels({"TIMEVALG_SMTP": receiver.smtp})
    mail.send("l-1", LETTER)
    (text,) = texts
    assert text.count(b"\n") == text.count(b"\r\n") == len(text.splitlines()) > 20


NO_ADDRESSES = [
    "kåre@example.no",
    "o@bø.no",
    "a@b.no\r\nRCPT TO:<x@y.no>",
    "Kari Nordmann",
    "Kari <kari@example.no>",
    "two@x.no, three@x.no",
    "@x.no",
    "",
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_not_tried(receiver, address):
    (mail,) = channels({"TIMEVALG_SMTP": receiver.smtp})
    assert mail.address(LETTER, replace(KARI, email=address)) is None
    with pytest.raises(NotDelivered) as said:
        mail.send("l-1", replace(LETTER, address=address))
    assert said.value.forever
    assert not receiver.mails


def talking(answers, heard):
    """Serve one connection that gives each line, or what it begins with, its answer."""

    class Talk(socketserver.StreamRequestHandler):
        def handle(self):
            with suppress(OSError):  # who sends has gone
                self.wfile.write(b"220 ready\r\n")
                while line := self.rfile.readline():
                    heard.append(line[:4])
                    self.wfile.write(answers.get(line[:4], b"250 taken") + b"\r\n")

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)


@pytest.fixture
def serve():
    """Serve until the test ends; gives the port."""
    with ExitStack() as ends:

        def start(server):
            ends.enter_context(server)
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            ends.callback(server.shutdown)
            return server.server_address[1]

        yield start


@pytest.mark.parametrize(("line", "forever"), [(b"mail", False), (b"rcpt", True)])
def test_a_letter_is_given_up_for_its_address_not_for_its_sender(serve, line, forever):
    port = serve(talking({line: b"550 no"}, []))
    with pytest.raises(NotDelivered, match="550") as said:
        Smtp("127.0.0.1", port).send("l-1", LETTER)
    assert said.value.forever is forever


def test_a_server_that_is_slow_with_each_answer_is_not_given_the_text(serve, monkeypatch):
    """It would be taken after the lease has run out, when another worker sends it too."""
    heard, clock = [], count(step=0.6)
    port = serve(talking({}, heard))
    monkeypatch.setattr(smtp.time, "monotonic", lambda: next(clock))
    with pytest.raises(NotDelivered, match="too slow") as said:
        Smtp("127.0.0.1", port).send("l-1", LETTER)
    assert not said.value.forever
    assert b"data" not in heard


def test_nobody_knows_of_a_text_whose_answer_cannot_be_read(serve):
    port = serve(talking({b"data": b"354 go on", b"Mess": b"what?"}, []))
    with pytest.raises(smtplib.SMTPResponseException):
        Smtp("127.0.0.1", port).send("l-1", LETTER)


@pytest.mark.parametrize(
    ("after", "error"),
    [
        (b"", NotDelivered),
        (b"ehlo", NotDelivered),
        (b"rcpt", NotDelivered),
        (b"data", smtplib.SMTPServerDisconnected),
    ],
)
def test_a_server_that_drips_a_reply_is_given_up_in_time(serve, monkeypatch, after, error):
    """Before it is asked to take the text nothing has left; after that nobody knows."""
    monkeypatch.setattr(smtp, "SECONDS", 0.5)
    dripped, gone = [], threading.Event()

    class Drips(socketserver.StreamRequestHandler):
        def handle(self):
            with suppress(OSError):  # who asked has gone
                line = b""
                while line[:4] != after:
                    self.wfile.write(b"250 taken\r\n" if line else b"220 ready\r\n")
                    line = self.rfile.readline()
                for _ in range(DROPS):
                    self.wfile.write(b"2")
                    dripped.append(b"2")
                    gone.wait(0.02)

    port = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drips))
    with pytest.raises(error):
        Smtp("127.0.0.1", port).send("l-1", LETTER)
    assert 0 < len(dripped) < DROPS
    gone.set()


def test_no_more_than_the_status_of_an_answer_is_waited_for(serve):
    """A receiver that goes on talking, or never ends, holds nobody up."""

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("content-length", "1000000000")
            self.end_headers()
            self.wfile.write(b"and")
            self.rfile.read()  # until the sender goes

        def log_message(self, *said):
            """Say nothing."""

    port = serve(ThreadingHTTPServer(("127.0.0.1", 0), Endless))
    assert post("webhook", f"http://127.0.0.1:{port}/", b"{}", {}) == 200


def test_a_receiver_that_drips_its_headers_is_given_up_in_time(monkeypatch):
    """Whether it has taken the event is not known then."""
    monkeypatch.setattr(http, "SECONDS", 0.5)
    with (
        answering(b"HTTP/1.1 200 OK\r\n", b"x") as url,
        pytest.raises(httpx2.ReadTimeout),
    ):
        post("webhook", url, b"{}", {})


def test_a_receiver_that_sips_a_body_is_given_up_in_time(serve, monkeypatch):
    monkeypatch.setattr(http, "SECONDS", 0.5)
    body, over, sips = b" " * 50_000_000, threading.Event(), []

    class Sip(socketserver.BaseRequestHandler):
        def handle(self):
            with suppress(OSError):  # who asked has gone
                while not over.wait(0.02) and self.request.recv(200_000) and len(sips) < DROPS:
                    sips.append(1)

    port = serve(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sip))
    with pytest.raises(httpx2.WriteTimeout):
        post("webhook", f"http://127.0.0.1:{port}/", body, {})
    assert 0 < len(sips) < DROPS
    over.set()


def test_without_a_connection_nothing_has_left():
    port = nowhere()
    with pytest.raises(NotDelivered, match="no connection") as said:
        Smtp("127.0.0.1", port).send("l-1", LETTER)
    assert not said.value.forever
    assert "kari" not in str(said.value)
    with pytest.raises(NotDelivered):
        Sms(f"http://127.0.0.1:{port}/").send("l-1", REMINDER)
    to = Subscription("s-1", "999999999", f"http://127.0.0.1:{port}/", "KEY")
    with pytest.raises(NotDelivered):
        Webhook({"KEY": "k"}).send(to, DELIVERY)


def test_a_webhook_is_signed_over_time_and_body(receiver):
    to = Subscription("s-1", "999999999", receiver.url, "KEY")
    assert Webhook({"KEY": receiver.key}).send(to, DELIVERY) == "204"
    assert receiver.events == {"e-1": 1}
    assert [json.loads(b)["key"] for b in receiver.bodies] == ["å"]
    with pytest.raises(NotDelivered, match="401"):
        Webhook({"KEY": "another"}).send(to, DELIVERY)
    with pytest.raises(NotDelivered, match="no secret 'KEY'"):
        Webhook({}).send(to, DELIVERY)
    assert receiver.forged == 1
    one, body = str(int(NOW.timestamp())), DELIVERY.body.encode()
    good = signature("k", "e-1", one, body)
    assert good != signature("k", "e-1", one + "0", body)
    assert good != signature("k", "e-1", one, body + b" ")


def test_a_receiver_that_is_closed_has_not_taken_it(receiver):
    receiver.closed = True
    to = Subscription("s-1", "999999999", receiver.url, "KEY")
    with pytest.raises(NotDelivered, match="503") as said:
        Webhook({"KEY": receiver.key}).send(to, DELIVERY)
    assert not said.value.forever


def test_an_sms_carries_its_effect_key_and_no_word_but_its_own(receiver):
    setting = {"TIMEVALG_SMS": receiver.gateway + "?deduplicates=yes", "TIMEVALG_SMS_TOKEN": "t"}
    (sms,) = channels(setting)
    reminder = replace(REMINDER, address=sms.address(REMINDER, KARI))
    assert sms.deduplicates
    assert sms.send("l-1", reminder) == "204"
    assert receiver.messages == {"l-1": 1}
    assert receiver.texts == [{"to": "+4799999999", "text": REMINDER.subject}]
    assert receiver.tokens == ["Bearer t"]
    receiver.closed = True
    with pytest.raises(NotDelivered, match="503"):
        sms.send("l-2", reminder)
    assert receiver.messages == {"l-1": 1}


def test_only_reminders_go_by_sms():
    sms = Sms("https://gateway.test/")
    assert sms.address(REMINDER, KARI) == "+4799999999"
    assert sms.address(LETTER, KARI) is None


def test_the_spool_holds_whole_files_once(tmp_path):
    spool = Spool(tmp_path / "print")
    assert spool.address(REMINDER, KARI) is None
    assert [spool.send("l-1", LETTER) for _ in range(2)] == ["l-1.html"] * 2
    assert [p.name for p in (tmp_path / "print").iterdir()] == ["l-1.html"]


def test_settings_that_cannot_be_read():
    for settings in (
        {"TIMEVALG_SMTP": "http://host"},
        {"TIMEVALG_SMTP": "smtp://host?rat=1"},
        {"TIMEVALG_SMS": "https://host/?rate=many"},
    ):
        with pytest.raises(InvalidInput):
            channels(settings)
    three = {
        "TIMEVALG_PRINT": "print",
        "TIMEVALG_SMTP": "smtps://u:p%40@host?rate=60&deduplicates=yes",
        "TIMEVALG_SMS": "https://gateway/?rate=5",
        "TIMEVALG_SMS_TOKEN": "t",
    }
    sms, smtp, spool = channels(three)
    assert (sms.name, smtp.name, spool.name) == ("sms", "smtp", "print")
    assert (smtp.port, smtp.password, smtp.rate, smtp.deduplicates) == (465, "p@", 60, True)
