"""Reminders by SMS, through a gateway that takes JSON over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass

from timevalg.model.records import Letter, Patient


@dataclass(frozen=True)
class Sms:
    """Posts ``{"to": …, "text": …}`` with the effect's key as ``Idempotency-Key``.

    Attributes
    ----------
    deduplicates : bool
        The gateway sends once whatever comes with the same key.
    """

    url: str
    token: str = ""
    deduplicates: bool = False
    rate: int = 0
    name: str = "sms"

    def address(self, letter: Letter, patient: Patient) -> str | None:
        """Give the patient's number, for reminders: their subject says it all, and names nobody."""
        return patient.phone if letter.kind == "reminder" else None

    def send(self, effect: str, letter: Letter) -> str:
        """Hand the message over; the receipt is the status of the answer."""
        from timevalg.channels.http import post  # httpx2 is an extra

        headers = {"content-type": "application/json", "idempotency-key": effect}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        body = json.dumps({"to": letter.address, "text": letter.subject}, ensure_ascii=False)
        return str(post(self.name, self.url, body.encode(), headers))
