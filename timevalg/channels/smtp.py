"""Letters by e-mail."""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from timevalg.model.errors import NotDelivered
from timevalg.model.records import Letter, Patient, is_email

SECONDS = 5.0
"""How long a mail server may take before it is asked to take the text, and again from then on.

A worker's lease lasts for all of it, so that nobody else sends the letter meanwhile.
"""


@dataclass(frozen=True)
class Smtp:
    """Sends letters as e-mail, with the effect's key as ``Message-ID``.

    Attributes
    ----------
    deduplicates : bool
        The mail server drops a second message with the same ``Message-ID``; most do not.
    tls : bool
        Encrypted from the first byte, with a certificate that is checked.
    """

    host: str
    port: int = 25
    sender: str = "timevalg@localhost"
    tls: bool = False
    user: str = ""
    password: str = ""
    deduplicates: bool = False
    rate: int = 0
    name: str = "smtp"

    def address(self, letter: Letter, patient: Patient) -> str | None:
        """Give the patient's e-mail address, if it is one."""
        return patient.email if patient.email and is_email(patient.email) else None

    def send(self, effect: str, letter: Letter) -> str:
        """Hand the message over; the receipt is its ``Message-ID``.

        Until the server has been given the text nothing has left; once it answers that it took
        it, it has; between the two nobody knows.
        """
        until = time.monotonic() + SECONDS
        address = str(letter.address)
        if not is_email(address):
            raise NotDelivered(self.name, "the address is none", forever=True)
        message = self._message(effect, letter)
        text = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
        try:
            server = self._connect(until)
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(self.name, f"no connection: {type(error).__name__}") from error
        try:
            self._address_it(server, address)
            try:
                code, said = server.data(text)
                if code < 0:
                    raise smtplib.SMTPResponseException(code, said)
            except smtplib.SMTPDataError as error:  # it did not want the text
                code = error.smtp_code
            if code != 250:
                raise NotDelivered(self.name, f"the server said {code}", forever=code >= 500)
        finally:
            server.close()
        return str(message["Message-ID"])

    def _connect(self, until: float) -> _InTime:
        context = ssl.create_default_context() if self.tls else None
        return _InTime(until, self.host, self.port, context)

    def _address_it(self, server: _InTime, address: str) -> None:
        try:
            if self.user:
                server.login(self.user, self.password)
            server.ehlo_or_helo_if_needed()
            code, _ = server.mail(self.sender)
            if code != 250:  # it is the sender whom it does not want: that can be mended
                raise NotDelivered(self.name, f"the server said {code} to {self.sender}")
            code, _ = server.rcpt(address)
            if code not in {250, 251}:
                raise NotDelivered(self.name, f"the server said {code}", forever=code >= 500)
            server.left()
        except (OSError, smtplib.SMTPException) as error:
            is_slow = time.monotonic() >= server.until
            why = "the server is too slow" if is_slow else type(error).__name__
            raise NotDelivered(self.name, why) from error
        server.until = time.monotonic() + SECONDS

    def _message(self, effect: str, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["Message-ID"] = f"<{effect}@{self.sender.partition('@')[2]}>"
        message["X-Timevalg-Effect"] = effect
        message["From"], message["To"] = self.sender, str(letter.address)
        message["Subject"] = letter.subject
        message["Content-Language"] = letter.language
        if letter.sending_at is not None:
            message["Date"] = format_datetime(letter.sending_at)
        message.set_content(letter.text)
        if letter.html:
            message.add_alternative(letter.html, subtype="html")
        return message


class _InTime(smtplib.SMTP):
    """A conversation that ends in time: a time-out of the socket starts anew with each byte.

    Attributes
    ----------
    until : float
        When the time of whatever is done next is over.
    """

    def __init__(self, until: float, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self.until, self._context = until, context
        super().__init__(host, port, timeout=SECONDS)

    def left(self) -> float:
        """Give the seconds that are left.

        Raises
        ------
        TimeoutError
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), self.left())
        plain.settimeout(self.left())
        return self._context.wrap_socket(plain, server_hostname=host) if self._context else plain

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply, of which every byte comes in time."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reading(self, self.sock))
        return super().getreply()

    def send(self, s: Any) -> None:
        """Send in time."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        super().send(s)


class _Reading(io.RawIOBase):
    """The bytes that come while there is time."""

    def __init__(self, server: _InTime, connection: socket.socket) -> None:
        self._server, self._connection = server, connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._server.left())
        return self._connection.recv_into(buffer)
