"""One HTTP request that changes something elsewhere: sent, refused, or nobody knows."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cache

import httpx2

from timevalg.exchange import Bounded, within
from timevalg.model.errors import NotDelivered

SECONDS = 5.0
"""How long a receiver may take, from the connection to the last of its headers."""
NOTHING_MORE = 204
GONE = 410
"""The answer of a receiver that wants no more, ever."""


@cache
def _client() -> httpx2.Client:
    way = Bounded(trust_env=False)
    client = httpx2.Client(transport=way, timeout=SECONDS, trust_env=False)
    atexit.register(client.close)
    return client


def post(channel: str, url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post a body; gives the status of the answer, of which no more is waited for.

    Raises
    ------
    NotDelivered
        If there was no connection, or the answer is not 2xx: the receiver has not taken it.
        Any other error leaves that open.
    """
    try:
        client = _client()
        with (
            within(SECONDS),
            client.stream("POST", url, content=body, headers=dict(headers)) as answer,
        ):
            status, succeeded = answer.status_code, answer.is_success
            if answer.headers.get("content-length") == "0" or status == NOTHING_MORE:
                answer.read()  # so that the connection may serve again
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise NotDelivered(channel, f"no connection: {type(error).__name__}") from error
    if not succeeded:
        raise NotDelivered(channel, f"the receiver said {status}", forever=status == GONE)
    return status
