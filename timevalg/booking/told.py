"""What a patient knows of a visit: what the last letter that left told, or what they chose."""

from __future__ import annotations

from datetime import datetime

from timevalg.booking.acting import Act
from timevalg.model.appointment import Appointment, Origin
from timevalg.model.records import Letter
from timevalg.model.states import LetterState
from timevalg.model.task import Task

TELLING = frozenset({"appointment", "change"})
"""The kinds of letter that tell how a visit stands."""

LEFT = frozenset({LetterState.SENDING, LetterState.SENT, LetterState.UNKNOWN})
"""States of letters that have left, as far as is known."""


def says(letter: Letter, visit: Appointment) -> bool:
    """Tell whether a letter says how the visit stands; of an old one only its start is known."""
    if letter.told is None:
        return visit.lettered_start == visit.start
    return letter.told.holds(visit)


def is_told(act: Act, visit: Appointment) -> bool:
    """Tell whether the last letter says how the visit stands; one that waits leaves only if so."""
    found = act.unit.letters.find(
        appointment=visit.id, kind=TELLING, state=LEFT | {LetterState.PENDING}
    )
    last = max(found, key=lambda letter: (letter.created_at, letter.id), default=None)
    if last is not None and last.state is LetterState.PENDING and not says(last, visit):
        last = _last_that_left(found)
    return last is not None and says(last, visit)


def is_told_cancelled(act: Act, visit: Appointment) -> bool:
    """Tell whether a letter says that the visit is cancelled, or waits to say so."""
    state = LEFT | {LetterState.PENDING}
    return act.unit.letters.count(appointment=visit.id, kind="cancellation", state=state) > 0


def known_start(act: Act, visit: Appointment) -> datetime | None:
    """Give the start that the patient knows; None = they know of the visit as it is, or nothing."""
    letter = _last_that_left(act.unit.letters.find(appointment=visit.id, kind=TELLING, state=LEFT))
    chosen = visit.chosen
    is_newer = chosen is not None and (letter is None or letter.created_at < chosen.at)
    if chosen is not None and is_newer and not chosen.holds(visit):
        return chosen.start
    if letter is None:
        return None
    return letter.told.start if letter.told is not None else visit.lettered_start


def is_chosen(visit: Appointment) -> bool:
    """Tell whether the patient knows of the visit because they chose it."""
    return visit.origin is Origin.CHOSEN or visit.chosen is not None


def tell_cancelled(act: Act, visit: Appointment, task: Task | None) -> None:
    """Write the work of the letter that a visit is cancelled, to a patient who knows of it."""
    knows = is_chosen(visit) or visit.lettered_at is not None
    if knows and (task is None or task.letters):
        act.work("letter", visit.id, visit.clinic, act.unit.now(), "cancellation")


def _last_that_left(letters: list[Letter]) -> Letter | None:
    left = [letter for letter in letters if letter.state in LEFT]
    return max(left, key=lambda x: (x.sending_at or x.created_at, x.id), default=None)
