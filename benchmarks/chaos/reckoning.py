"""What the world outside received, beside what the database says."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

from benchmarks.chaos.crew import THREADS
from benchmarks.receiver import Receiver
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import Busy
from timevalg.model.states import LetterState, WorkState

UNDONE = frozenset({WorkState.WAITING, WorkState.LEASED})
SETTLED = frozenset({LetterState.SENT, LetterState.UNKNOWN})


class Reckoning:
    """Counts in the database, behind everybody's back, and at the receiver."""

    def __init__(self, store: Store, organisation: str, receiver: Receiver) -> None:
        self._store, self._organisation, self._receiver = store, organisation, receiver
        self._in_hand: list[set[str]] = []

    def note_dead(self, dead: Collection[int]) -> None:
        """Note which letters a worker had in hand whose processes have just been killed."""
        leased = self._read(lambda unit: unit.work.find(kind="send letter", state=WorkState.LEASED))
        theirs = (work for work in leased if int(work.owner.rpartition(":")[2]) in dead)
        self._in_hand.append({work.entity for work in theirs})

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

    def letters(self) -> int:
        """Give how many letters there are, also those that no producer lived to tell of."""
        count: int = self._read(lambda unit: unit.letters.count())
        return count

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
        lost = [key for key in {*written, *letters} if mails[key] == 0 and key not in unknown]
        lost += [key for key in written if key not in letters]
        lost += [key for key in unknown if key not in listed]
        lost += self._events_lost()
        work = self._read(lambda unit: unit.work.find())
        lost += [w.id for w in work if w.state is WorkState.PARKED]
        late = sorted((w.done_at - w.due_at).total_seconds() for w in work if w.done_at is not None)
        return {
            "lost": len(lost),
            "duplicated": sum(n - 1 for n in mails.values() if n > 1) + self._out_of_order(),
            "unknown": len(unknown),
            "unexplained": self._unexplained(unknown),
            "redelivered": sum(n - 1 for n in self._receiver.events.values()),
            "forged": self._receiver.forged,
            "late_p99_s": round(late[math.ceil(len(late) * 0.99) - 1], 2) if late else 0.0,
        }

    def _unexplained(self, unknown: set[str]) -> int:
        """Count what is unknown though no kill can have caught it in flight.

        A killed worker had several letters in hand, and one of each of its threads on its way.
        """
        caught = [unknown & in_hand for in_hand in self._in_hand]
        too_many = sum(max(0, len(letters) - THREADS) for letters in caught)
        return len(unknown.difference(*caught)) + too_many

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
