"""Letters by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime

from timevalg.model.errors import NotDelivered
from timevalg.model.records import Letter, Patient

SECONDS = 5.0
"""How long a mail server may be silent."""


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
        """Give the patient's e-mail address."""
        return patient.email

    def send(self, effect: str, letter: Letter) -> str:
        """Hand the message over; the receipt is its ``Message-ID``.

        Until the server has been given the text nothing has left; once it answers that it took
        it, it has; between the two nobody knows.
        """
        message = self._message(effect, letter)
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(self.name, f"no connection: {type(error).__name__}") from error
        try:
            self._address_it(server, str(letter.address))
            try:
                code, _ = server.data(message.as_bytes())
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

    def _address_it(self, server: smtplib.SMTP, address: str) -> None:
        try:
            if self.user:
                server.login(self.user, self.password)
            server.ehlo_or_helo_if_needed()
            code, _ = server.mail(self.sender)
            if code == 250:
                code, _ = server.rcpt(address)
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(self.name, type(error).__name__) from error
        if code not in {250, 251}:
            raise NotDelivered(self.name, f"the server said {code}", forever=code >= 500)

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
