"""What actors work with: the ports, opened once a process, and whether it is time to stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

import structlog

from timevalg.booking.ports import Ports
from timevalg.booking.work import KINDS, do_works
from timevalg.channels.settings import channels
from timevalg.channels.webhook import Webhook
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import worker
from timevalg.wiring import open_ports
from workers import metrics

log = structlog.get_logger(__name__)

stopping = threading.Event()
"""Set when this process is to stop: actors give back what they have not begun."""
_lock = threading.Lock()
_ports: Ports | None = None
_swept: float | None = None


def bind(ports: Ports) -> None:
    """Let the actors of this process work with these ports."""
    global _ports
    with _lock:
        _ports = ports


def open_context(environment: Mapping[str, str]) -> Ports:
    """Open the database that the environment names for the actors of this process.

    Raises
    ------
    InvalidInput
        If it names none, or a setting cannot be read.
    """
    url = environment.get("TIMEVALG_DATABASE_URL")
    if not url:
        raise InvalidInput.single(
            "TIMEVALG_DATABASE_URL", "is not set; workers need to know their database"
        )
    letters = environment.get("TIMEVALG_LETTERS")
    opened = open_ports(
        url,
        first=channels(environment),
        letters_folder=Path(letters) if letters else None,
        hooks=Webhook(environment),
    )
    bind(opened)
    return opened


def ports() -> Ports:
    """Give the ports; the first call opens what the environment names."""
    with _lock:
        opened = _ports
    return opened or open_context(os.environ)


def swept() -> None:
    """Note that the relay has looked for work."""
    global _swept
    _swept = monotonic()


def swept_ago() -> float | None:
    """Give the seconds since the relay last looked for work; None = never."""
    return None if _swept is None else monotonic() - _swept


def perform(organisation: str, kind: str, works: list[str]) -> None:
    """Do some pieces of work of one kind, as every actor does."""
    lease, before = KINDS[kind].lease, monotonic()
    for work, done in do_works(ports(), worker(organisation), kind, works, stopping.is_set):
        metrics.count(work, done, lease, monotonic() - before)
        before = monotonic()
        if done.outcome in {"failed", "parked"}:
            cause = done.error.partition(":")[0]
            log.warning(
                "work failed",
                outcome=done.outcome,
                kind=kind,
                work=work.id,
                attempts=work.attempts,
                error=cause,
            )
