"""What a request asks of the database: its transactions and statements, with nobody beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from statistics import fmean
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine, event

from timevalg.api.serving import application
from timevalg.settings import Settings

REQUESTS = 10
"""Of each kind, of which the means are given."""


def per_request(
    settings: Mapping[str, str], kinds: Mapping[str, Iterator[bytes]]
) -> dict[str, dict[str, float]]:
    """Ask the application in this process, one request after the other, and count.

    Parameters
    ----------
    settings : mapping
        The environment of the servers that are measured.
    kinds : mapping
        Kind → requests as they are sent.

    Returns
    -------
    dict
        Kind → ``transactions`` and ``statements``; begin and commit are no statements.

    Raises
    ------
    RuntimeError
        If one is refused.
    """
    found: dict[str, dict[str, float]] = {}
    with TestClient(application(Settings.of(os.environ | settings))) as client, _heard() as heard:
        for kind, requests in kinds.items():
            counts = []
            for request in islice(requests, REQUESTS):
                heard.clear()
                answer = client.request(**_parts(request))
                if answer.status_code >= 300:
                    raise RuntimeError(f"{kind}: {answer.status_code} {answer.text}")
                counts.append((heard.count(BEGIN), len(heard) - heard.count(BEGIN)))
            transactions, statements = (fmean(numbers) for numbers in zip(*counts, strict=True))
            found[kind] = {"transactions": transactions, "statements": statements}
    return found


BEGIN = "BEGIN"


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Listen to what SQLAlchemy sends from this process."""
    heard: list[str] = []

    def begins(_: Any) -> None:
        heard.append(BEGIN)

    def sends(_: Any, __: Any, sql: str, *___: Any) -> None:
        heard.append(sql)

    event.listen(Engine, "begin", begins)
    event.listen(Engine, "before_cursor_execute", sends)
    try:
        yield heard
    finally:
        event.remove(Engine, "begin", begins)
        event.remove(Engine, "before_cursor_execute", sends)


def _parts(request: bytes) -> dict[str, Any]:
    """Take a request apart."""
    head, _, content = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, url, _ = first.split()
    headers = dict(line.split(": ", 1) for line in lines)
    return {"method": method, "url": url, "headers": headers, "content": content}
