"""Producers: each writes letters with their events and work, as a use case would."""

from __future__ import annotations

import random
import threading

from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports, UnitOfWork
from timevalg.booking.work import worker
from timevalg.model.errors import Busy, Conflict, Unsure
from timevalg.model.records import Letter

PATIENTS = 20
MOST_OPEN = 400
"""Letters on their way at most: chaos, not a queue without end."""


class Producer(threading.Thread):
    """Writes letters until it is told to stop; `written` are those that the database has."""

    def __init__(
        self, name: str, ports: Ports, organisation: str, stop: threading.Event, pause: float
    ) -> None:
        super().__init__(daemon=True)
        self._prefix, self._ports, self._organisation = name, ports, organisation
        self._stop_now, self._pause = stop, pause
        self._random = random.Random(name)
        self.written: list[str] = []
        self.failure: BaseException | None = None
        self.open = lambda: 0

    def run(self) -> None:
        """Write letter after letter, each until it is there."""
        try:
            while not self._stop_now.is_set():
                if self.open() > MOST_OPEN:
                    self._stop_now.wait(0.1)
                    continue
                self._write(f"{self._prefix}-{len(self.written):06}")
                self._stop_now.wait(self._pause)
        except BaseException as error:  # told by the thread that joins this one
            self.failure = error
            raise

    def _write(self, key: str) -> None:
        while True:
            try:
                self._ports.store.run(self._organisation, lambda unit: self._body(unit, key))
            except (Busy, Unsure):
                self._stop_now.wait(0.1)
                continue
            except Conflict:
                pass  # an answer was lost: it was there already
            self.written.append(key)
            return

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
