"""What actors work with: the ports, opened once a process."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from timevalg.booking.ports import Ports
from timevalg.booking.work import Done, do_work, worker
from timevalg.model.errors import InvalidInput
from timevalg.wiring import open_ports

_lock = threading.Lock()
_ports: Ports | None = None


def bind(ports: Ports) -> None:
    """Let the actors of this process work with these ports."""
    global _ports
    with _lock:
        _ports = ports


def open_context(url: str, letters: Path | None = None) -> Ports:
    """Open the database for the actors of this process."""
    ports = open_ports(url, letters_folder=letters)
    bind(ports)
    return ports


def ports() -> Ports:
    """Give the ports; the first call opens what ``TIMEVALG_DATABASE_URL`` names.

    Raises
    ------
    InvalidInput
        If nothing is bound and nothing configured.
    """
    global _ports
    with _lock:
        if _ports is None:
            url = os.environ.get("TIMEVALG_DATABASE_URL")
            if not url:
                raise InvalidInput.single(
                    "TIMEVALG_DATABASE_URL", "is not set; workers need to know their database"
                )
            letters = os.environ.get("TIMEVALG_LETTERS")
            _ports = open_ports(url, letters_folder=Path(letters) if letters else None)
        return _ports


def perform(organisation: str, work: str) -> Done:
    """Do one piece of work, as every actor does."""
    return do_work(ports(), worker(organisation), work)
