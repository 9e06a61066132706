"""What the world outside received, beside what the database says."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.receiver import Receiver
from timevalg.booking.ports import Store, UnitOfWork
from timevalg.model.errors import Busy
from timevalg.model.states import LetterState, WorkState

UNDONE = frozenset({WorkState.WAITING, WorkState.LEASED})
SETTLED = frozenset({LetterState.SENT, LetterState.UNKNOWN})


class Reckoning:
    """Counts in the database, behind everybody's back, and at the receiver."""

    def __init__(self, store: Store, organisation: str, receiver: Receiver) -> None:
        self._store, self._organisation, self._receiver = store, organisation, receiver

    def backlog_of(self, written: Sequence[str]) -> Callable[[], int]:
        """Give how many of a producer's letters, roughly, are still on their way."""
        return lambda: sum(key not in self._receiver.mails for key in written[-2000:])

    def is_settled(self) -> bool:
        """Tell whether nothing is left to do and every event has been passed on."""

        def body(unit: UnitOfWork) -> bool:
            now = unit.now()
            due = [d for d in unit.work.depths(now) if d.state in UNDONE]
            retried = [w for w in unit.work.find(state=UNDONE, kind=["send letter", "deliver"])]
            last = unit.events.last()
            behind = [s for s in unit.subscriptions.find() if s.cursor != last]
            return not due and not retried and not behind

        try:
            return self._store.run(self._organisation, body, write=False)
        except Busy:
            return False

    def jobs(self) -> int:
        """Give how many pieces of work were done."""
        return self._read(lambda unit: len(unit.work.find(state=WorkState.DONE)))

    def counts(self, written: Sequence[str]) -> dict[str, Any]:
        """Give what was lost, done twice, unknown, and how late work was done."""
        letters = self._read(lambda unit: {x.id: x for x in unit.letters.find()})
        cases = self._read(lambda unit: unit.cases.find(kind="letter-unknown", closed_at=None))
        listed = {word for case in cases for word in case.reason.split()}
        unknown = {key for key, x in letters.items() if x.state is LetterState.UNKNOWN}
        mails = Counter(self._receiver.mails)
        lost = [key for key in written if mails[key] == 0 and key not in unknown]
        lost += [key for key in unknown if key not in listed]
        lost += self._events_lost()
        work = self._read(lambda unit: unit.work.find())
        lost += [w.id for w in work if w.state is WorkState.PARKED]
        late = sorted((w.done_at - w.due_at).total_seconds() for w in work if w.done_at is not None)
        return {
            "lost": len(lost),
            "duplicated": sum(n - 1 for n in mails.values() if n > 1) + self._out_of_order(),
            "unknown": len(unknown),
            "redelivered": sum(n - 1 for n in self._receiver.events.values()),
            "forged": self._receiver.forged,
            "late_p99_s": round(late[math.ceil(len(late) * 0.99) - 1], 2) if late else 0.0,
        }

    def _events_lost(self) -> list[str]:
        def body(unit: UnitOfWork) -> list[str]:
            events, cursor = list[str](), ""
            while page := unit.events.read(cursor, 1000):
                events += [e.id for e in page if e.type.startswith("letter.")]
                cursor = page[-1].cursor
            return events

        return [key for key in self._read(body) if key not in self._receiver.events]

    def _out_of_order(self) -> int:
        """Count events that came before an earlier one of the same letter."""
        order = {"pending": 0, "sending": 1, "sent": 2, "unknown": 2}
        last: Counter[str] = Counter()
        wrong = 0
        for body in self._receiver.bodies:
            event = json.loads(body)
            place = order[event["new"]["state"]]
            wrong += place < last[event["key"]]
            last[event["key"]] = max(place, last[event["key"]])
        return wrong

    def _read(self, body: Callable[[UnitOfWork], Any]) -> Any:
        return self._store.run(self._organisation, body, write=False)
