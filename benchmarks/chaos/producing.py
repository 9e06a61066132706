"""A producer: writes letters with their events and work, as a use case would."""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path

from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.channels.webhook import Webhook
from timevalg.model.errors import Busy, Conflict, Unsure
from timevalg.model.principal import worker
from timevalg.model.records import Letter
from timevalg.wiring import open_ports

PATIENTS = 20
MOST_DUE = 600
"""Pieces of work that are due at most: chaos, not a queue without end."""
LOOK = 25
"""Letters between two looks at how many are due."""


def produce(notes: Path, url: str, organisation: str, pause: float) -> None:
    """Write letter after letter, each until it is there, until SIGTERM comes."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ports = open_ports(url, hooks=Webhook({}))
    producer = _Producer(notes.stem, ports, organisation, stop)
    with notes.open("a", buffering=1, encoding="utf-8") as written:
        number = 0
        while not stop.wait(pause):
            if number % LOOK == 0 and producer.is_much_due():
                continue
            if producer.write(key := f"{notes.stem}-{number:06}"):
                written.write(f"{key}\n")
                number += 1
    ports.store.close()


class _Producer:
    def __init__(self, name: str, ports: Ports, organisation: str, stop: threading.Event) -> None:
        self._ports, self._organisation, self._stop = ports, organisation, stop
        self._random = random.Random(name)

    def is_much_due(self) -> bool:
        """Tell whether others have enough to do; so it is while nobody can say."""

        def body(unit: UnitOfWork) -> bool:
            return sum(depth.count for depth in unit.work.depths(unit.now())) > MOST_DUE

        try:
            return self._ports.store.run(self._organisation, body, write=False)
        except Busy:
            return True

    def write(self, key: str) -> bool:
        """Write a letter; False if it was time to stop before the database had it for sure."""
        while True:
            try:
                self._ports.store.run(self._organisation, lambda unit: self._body(unit, key))
            except (Busy, Unsure):
                if self._stop.wait(0.1):
                    return False
                continue
            except Conflict:
                pass  # an answer was lost: it was there already
            return True

    def _body(self, unit: UnitOfWork, key: str) -> None:
        now = unit.now()
        letter = Letter(
            id=key,
            organisation=self._organisation,
            clinic="gastro",
            patient=f"p-{self._random.randrange(PATIENTS)}",
            kind="notice",
            language="nb",
            created_at=now,
            subject="Brev",
            text="Et brev.\n",
        )
        unit.letters.add(letter)
        act = Act(self._ports, unit, worker(self._organisation), "write letter")
        act.event("letter.pending", "letter", letter.clinic, key, 1, new={"state": "pending"})
        act.work("send letter", key, letter.clinic, now, "send")
        act.log.write(unit)
