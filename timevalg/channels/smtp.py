"""Letters by e-mail."""

from __future__ import annotations

import smtplib
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from timevalg.model.errors import NotDelivered
from timevalg.model.records import Letter, Patient, is_email

SECONDS = 5.0
"""How long a mail server may take until it asks for the text, and be silent after that.

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
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(self.name, f"no connection: {type(error).__name__}") from error
        try:
            self._address_it(server, address, until)
            try:
                code, _ = server.data(text)
            except smtplib.SMTPDataError as error:  # it did not want the text
                code = error.smtp_code
            if code != 250:
                raise NotDelivered(self.name, f"the server said {code}", forever=code >= 500)
        finally:
            server.close()
        return str(message["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        if not self.tls:
            return smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=context)

    def _address_it(self, server: smtplib.SMTP, address: str, until: float) -> None:
        try:
            if self.user:
                self._wait(server, until)
                server.login(self.user, self.password)
            self._wait(server, until)
            server.ehlo_or_helo_if_needed()
            self._wait(server, until)
            code, _ = server.mail(self.sender)
            if code != 250:  # it is the sender whom it does not want: that can be mended
                raise NotDelivered(self.name, f"the server said {code} to {self.sender}")
            self._wait(server, until)
            code, _ = server.rcpt(address)
            if code not in {250, 251}:
                raise NotDelivered(self.name, f"the server said {code}", forever=code >= 500)
            if server.sock is not None:
                server.sock.settimeout(SECONDS)
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(self.name, type(error).__name__) from error

    def _wait(self, server: smtplib.SMTP, until: float) -> None:
        """Let the server take what is left of the time for its next answer."""
        left = until - time.monotonic()
        if left <= 0:
            raise NotDelivered(self.name, "the server is too slow")
        if server.sock is not None:
            server.sock.settimeout(left)

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
