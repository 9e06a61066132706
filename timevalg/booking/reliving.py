"""Returning to life: a task whose visit is undone gets a valid place in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from timevalg.booking.acting import Act
from timevalg.booking.claiming import Wanted, claim, claim_all, drop_holds, release
from timevalg.booking.running import regain_later
from timevalg.booking.told import tell_cancelled
from timevalg.booking.visits import booking_of, void_preparations
from timevalg.model.appointment import Appointment
from timevalg.model.errors import TimeTaken
from timevalg.model.records import CaseKind
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import allows, session_for
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, is_valid_place, own_place, place, plan
from timevalg.solver.search import feasible


def live_appointment(act: Act, task: Task) -> Appointment | None:
    """Give the task's appointment that still has its time, if any."""
    found = act.unit.appointments.find(task=task.id, state="booked")
    return found[0] if found else None


def find_place(picture: Picture, task: Task) -> Certificate | None:
    """Find a valid place for a task that is about to lose its booking: that time, or another."""
    bookings = [s for s in picture.index.by_task(task.id) if s.kind == "booking"]
    bare = picture.apply(removed=[s.id for s in bookings])
    found = place(bare, task, picture.now, prefer=bookings[0] if bookings else None)
    if found is None:
        return None
    return Certificate(found.claims, tuple(bookings), found.displaced, found.moved)


def renewed_place(picture: Picture, task: Task) -> Certificate | None:
    """Find a place by a task's new terms: where its old one is, if they allow that, or elsewhere.

    A hold that was the old one stays a hold for as long as the patient may choose its time.

    Parameters
    ----------
    picture : Picture
        With the task as it shall be.
    """
    old = own_place(picture, task)
    if old is None:
        return place(picture, task, picture.now)
    bare = picture.apply(removed=[old.id])
    if old.pool in task.pools:
        same = by_present_lengths(bare, task, old)
        if is_valid_place(bare, task, same, bare.now):
            return Certificate((same,), (old,))
    if (beside := place_beside_hold(picture, task, old)) is not None:
        return beside
    found = place(bare, task, bare.now)
    return replace(found, released=(old,)) if found is not None else None


def by_present_lengths(picture: Picture, task: Task, old: Session) -> Session:
    """Give a place, where it is, with the time that its service and task take by now."""
    return session_for(
        picture.index.organisation,
        Ask.for_place(picture.index, task, old.pool or "", picture.now),
        old.start,
        old.resources,
        id=old.id,
        kind=old.kind,
        until=old.until,
        is_place=old.is_place,
    )


def place_beside_hold(picture: Picture, task: Task, hold: Session) -> Certificate | None:
    """Find a place for a task that holds a time which is none any more, but may yet be chosen."""
    if hold.kind is not SessionKind.HOLD or not hold.is_live(picture.now):
        return None
    if hold.pool is None or hold.pool not in task.pools:
        return None
    ask = Ask.for_task(picture.index, task, hold.pool, picture.now)
    if hold.start not in feasible(picture.index, ask):
        return None
    if not allows(picture.index, ask, hold.start, hold.resources):
        return None
    kept = replace(hold, is_place=False)
    found = place(picture.apply([kept], [hold.id]), task, picture.now)
    return found and replace(found, claims=(*found.claims, kept), released=(hold,))


def another_place(picture: Picture, task: Task) -> Certificate | None:
    """Find a place for a live task that has none, or whose own is not valid any more."""
    old = own_place(picture, task)
    if old is not None and is_valid_place(picture, task, old, picture.now):
        return None
    return renewed_place(picture, task)


def keep_place(
    act: Act, picture: Picture, task: Task, certificate: Certificate | None, reason: str
) -> None:
    """Claim what `another_place` found; name the loss, once, where there is nothing to keep."""
    old = own_place(picture, task)
    if certificate is not None:
        claim(act, picture, certificate, None)
        act.close(kind=CaseKind.CAPACITY_LOSS, task=task.id)
    elif old is None or not is_valid_place(picture, task, old, picture.now):
        if old is not None:
            act.unit.lock([f"p:{task.patient}"])
            now = act.unit.now()
            has = act.unit.sessions.find(task=task.id)
            drop_holds(act, (s for s in has if not s.is_live(now)))  # nobody has tidied up yet
            if act.unit.sessions.find(id=old.id) != [old]:
                raise TimeTaken(f"the place of task {task.id} has moved meanwhile; its time")
            release(act, (old,))
        lose(act, task, reason)


def give_back(
    act: Act,
    picture: Picture,
    task: Task,
    certificate: Certificate | None,
    verb: str,
    *,
    letter: bool = True,
) -> Task:
    """Undo the task's visit and move the task to a live state, with a place.

    A patient who knows of the visit gets a letter. Where no place can be found the loss is named:
    a ``capacity-loss`` on the staff list.

    Parameters
    ----------
    letter : bool
        False where it is the patient's own wish.

    Raises
    ------
    TimeTaken
        If the certificate was found for the task as it was before somebody changed it.
    """
    planned = picture.tasks.get(task.id)
    if planned is None or planned.version != task.version:
        raise TimeTaken(f"task {task.id} has changed meanwhile; its time")
    appointment = live_appointment(act, task)
    bookings: list[Session] = []
    if appointment is not None:
        bookings = list(booking_of(act, appointment))
        void_preparations(act, appointment)
        act.save(appointment, "appointment.cancelled", "cancel", session=None)
        if letter:
            tell_cancelled(act, appointment, task)
    if certificate is None:
        release(act, bookings)
    else:
        claim(act, picture, certificate, None)
    act.close(kind=CaseKind.CHECK_WANTED, task=task.id)
    moved = act.advance(task, verb)
    if moved.state in {TaskState.OVERDUE, TaskState.WITH_STAFF}:
        act.work("fall due", task.id, task.clinic, act.unit.now(), f"again:{moved.version}")
    if certificate is None:
        lose(act, moved, f"no valid place is left after {verb!r}")
    return moved


def replant(act: Act, picture: Picture, keys: Iterable[str]) -> tuple[Picture, tuple[str, ...]]:
    """Give live tasks whose places had to go new ones, in this transaction.

    Parameters
    ----------
    picture : Picture
        As everything stands in this transaction, which holds the organisation's lock.

    Returns
    -------
    picture, lost
        With the new places; the tasks for which there is none: each is a named capacity loss.
    """
    asked = frozenset(keys)
    made = plan(picture, [t for t in homeless(picture) if t.id in asked], picture.now)
    claim_all(act, picture, map(Wanted, made.placed))
    placed = frozenset(c.claim.task for c in made.placed)
    if placed:
        act.close(kind=CaseKind.CAPACITY_LOSS, task=placed)
    for task in made.unplaced:
        lose(act, task, "its place had to give way and no other is left")
    return made.picture, tuple(t.id for t in made.unplaced)


def homeless(picture: Picture) -> list[Task]:
    """Give the live tasks that have no place, the most urgent first."""
    found = [t for t in picture.tasks.values() if t.is_live and own_place(picture, t) is None]
    return sorted(found, key=lambda task: task.urgency)


def lose(act: Act, task: Task, reason: str) -> None:
    """Name a capacity loss, once: a live task without a place, which is looked for from now on."""
    if act.unit.cases.count(kind=CaseKind.CAPACITY_LOSS, task=task.id, closed_at=None):
        return
    regain_later(act, timedelta(days=1))
    act.case(CaseKind.CAPACITY_LOSS, task.clinic, reason, task=task.id)
    act.event(
        "task.capacity-lost",
        "task",
        task.clinic,
        task.id,
        task.version,
        task=task,
        new={"reason": reason},
    )
