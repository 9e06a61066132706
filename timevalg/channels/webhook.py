"""Events to record systems by signed HTTP requests.

The headers and the signature are those of Standard Webhooks (standardwebhooks.com): HMAC-SHA256
over ``id.timestamp.body``. A receiver checks the signature, refuses old timestamps, and drops an
id that it has had already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from timevalg.model.errors import NotDelivered
from timevalg.model.outgoing import Delivery, Subscription


@dataclass(frozen=True)
class Webhook:
    """Sends events; finds the keys of the signatures by their names in `secrets`."""

    secrets: Mapping[str, str]
    name: str = "webhook"

    def send(self, subscription: Subscription, delivery: Delivery) -> str:
        """Send one event; the receipt is the status of the answer."""
        from timevalg.channels.http import post  # httpx2 is an extra

        key = self.secrets.get(subscription.secret)
        if not key:
            raise NotDelivered(self.name, f"there is no secret {subscription.secret!r}")
        if delivery.sending_at is None:
            raise ValueError(f"delivery {delivery.id} is not being sent")
        stamp = str(int(delivery.sending_at.timestamp()))
        body = delivery.body.encode()
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery.event,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(key, delivery.event, stamp, body),
        }
        return str(post(self.name, subscription.url, body, headers))


def signature(key: str, event: str, timestamp: str, body: bytes) -> str:
    """Give the signature of a request, as its header has it."""
    signed = f"{event}.{timestamp}.".encode() + body
    digest = hmac.new(key.encode(), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
