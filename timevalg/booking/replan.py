"""Replan: which booked visits cannot stand after a capacity loss, and what to do about each.

Only those move whose resources are not there; no other visit is touched. All are looked at
together (`timevalg.solver.rebooking`): something for as many as can be, of which as many as can be
keep their time with other resources; the others stay within the planned window before going past
it, on the same day before another, with the same clinician before another, near before far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.attempts import settle
from timevalg.booking.cancel import cancel_visit
from timevalg.booking.change import move_visit
from timevalg.booking.claiming import claim
from timevalg.booking.invite import send, tell_of_draft
from timevalg.booking.look import asker, prepared
from timevalg.booking.losses import LostPlace, cured, lost_places
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import give_back
from timevalg.booking.running import glance, note_looks, picture_of
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.model.appointment import Appointment
from timevalg.model.errors import IllegalMove, NotServable
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.session import Session
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import local_date
from timevalg.solver.certificates import Certificate
from timevalg.solver.lost_visits import LostVisit, Move, harms
from timevalg.solver.picture import Picture
from timevalg.solver.rebooking import alone, least_moves
from timevalg.solver.shortage import shortage
from timevalg.solver.verify import absent

Cannot = tuple[Appointment, tuple[str, ...], frozenset[str]]
"""A visit that cannot stand, why, and its preparations that are done."""
WAIT = timedelta(days=3)
"""How long a patient may choose another time, unless staff say otherwise."""


@dataclass(frozen=True)
class Proposal:
    """What to do about one visit.

    Attributes
    ----------
    absent : tuple of str
        Why it cannot stand, a sentence each.
    task : Task or None
        The choice task by which the patient would find another time; None where the visit keeps
        its time with other resources, or where nothing is found.
    certificate : Certificate or None
        The visit with other resources, or the place of the task; None = nothing is found.
    session : Session or None
        Where the visit would be, or the task have its place, once all proposals are carried out.
    harm : tuple of str
        What the patient would notice, in words.
    """

    visit: Appointment
    absent: tuple[str, ...]
    task: Task | None = None
    certificate: Certificate | None = None
    session: Session | None = None
    harm: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replanned:
    """Proposals for all visits that cannot stand, which can be carried out in their order.

    Attributes
    ----------
    proven : bool
        No other way moves fewer visits, or as many with less harm. Not asked of visits that belong
        to no pool.
    lost : tuple of LostPlace
        Invited patients whose place is lost, whom it harms most first.
    """

    proposals: tuple[Proposal, ...]
    proven: bool
    lost: tuple[LostPlace, ...] = ()


@dataclass(frozen=True)
class Rebooked:
    """What came of a proposal.

    Attributes
    ----------
    visit : Appointment
        As it is now: with other resources, or cancelled.
    task : Task or None
        The task by which the patient (or staff) find another time.
    """

    visit: Appointment
    task: Task | None = None


@use_case("replan", keyed=False)
def replan(ports: Ports, principal: Principal, clinic: str | None = None) -> Replanned:
    """Say which visits to come must move, and what would harm least; nothing is changed.

    Beside them those who are invited and have lost their place, with what would cure that.

    Parameters
    ----------
    clinic : str or None
        Only this one's visits; default all that the principal may act for.
    """
    picture = picture_of(ports, principal)
    found, losses = glance(
        ports,
        principal,
        "replan",
        lambda act: (must_move(act, picture, clinic), lost_places(act, picture, clinic)),
    )
    lost = tuple(cured(picture, losses))
    note_looks(ports, principal, "replan", [*(v for v, *_ in found), *(x.task for x in lost)])
    return replace(propose(ports, picture, found), lost=lost)


@use_case("rebook")
def rebook(
    ports: Ports,
    principal: Principal,
    appointment: str,
    due: date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Rebooked:
    """Do what `replan` proposes for one visit that cannot stand, among all of its clinic.

    With other resources the visit stays where it is. Else it is cancelled, and the patient told;
    an open task with a place at the proposed time lets them choose another, and who does not
    answer gets one by the pool's fallback. A time that was not confirmed yet goes back to staff
    with its own task. Staff who want something else move the visit (`move`).

    Parameters
    ----------
    due : date or None
        Until when the patient may choose; default in three days.

    Raises
    ------
    IllegalMove
        If the visit can stand, or belongs to no pool.
    NotServable
        If nothing is found; the visit is left as it is.
    """

    def find(picture: Picture) -> Proposal:
        visit, done, others = glance(ports, principal, "rebook", lambda act: look(act, picture))
        why = _absent(picture, visit)
        stands = visit.state is AppointmentState.BOOKED
        if not stands or not why:
            hint = "all it needs is there; move or cancel it" if stands else ""
            raise IllegalMove("appointment", visit.id, visit.state, "rebook", hint)
        asker(picture, visit, done)  # refuses one that belongs to no pool
        lost, _ = _lost(ports, picture, others, due)
        mine = next(one for one in lost if one.appointment.id == visit.id)
        all_moves = least_moves(picture, [x.visit for x in lost], ports.prover.solve, _keys(ports))
        proposal = _proposal(picture, mine, alone(picture, all_moves, mine.visit, _keys(ports)))
        if proposal.certificate is None:
            task = mine.visit.renewed
            raise NotServable(task.id, shortage(picture, task, picture.now))
        return proposal

    def look(act: Act, picture: Picture) -> tuple[Appointment, frozenset[str], list[Cannot]]:
        visit, done = prepared(act, act.appointment(appointment, version))
        return visit, done, must_move(act, picture, visit.clinic)

    def body(act: Act, picture: Picture, found: Proposal) -> Rebooked:
        visit = act.appointment(appointment, found.visit.version)
        clinic = picture.index.organisation.clinic(visit.clinic)
        certificate = found.certificate
        assert certificate is not None
        if found.task is None:
            claim(act, picture, certificate, None)
            return Rebooked(move_visit(act, clinic, visit, certificate.claim))
        old = act.unit.tasks.get(visit.task) if visit.task else None
        if old is not None and old.id == found.task.id:
            verb = "hand to staff" if old.state is TaskState.CHOSEN else "undo"
            act.case(CaseKind.MUST_MOVE, old.clinic, "; ".join(found.absent), task=old.id)
            task = give_back(act, picture, old, certificate, verb)
            return Rebooked(act.unit.appointments.get(visit.id), task)
        act.audit("task", found.task.id, found.task.patient)
        act.unit.tasks.add(found.task)
        tell_of_draft(act, found.task)
        claim(act, picture.with_task(found.task), certificate, None)
        gone = cancel_visit(act, visit, old, letter=True)
        return Rebooked(gone, send(act, picture, found.task, stored=True))

    return settle(ports, principal, "rebook", find, body, reason=reason)


def must_move(act: Act, picture: Picture, clinic: str | None = None) -> list[Cannot]:
    """Give the visits to come whose resources are not there, why, and preparations done."""
    to_come, mine = Between(act.unit.now()), act.principal.clinics
    found = []
    for visit in act.unit.appointments.find(state=AppointmentState.BOOKED, start=to_come):
        if clinic not in {None, visit.clinic} or not (mine is None or visit.clinic in mine):
            continue
        why = _absent(picture, visit)
        if why:
            found.append((visit, why, prepared(act, visit)[1]))
    return found


def propose(
    ports: Ports,
    picture: Picture,
    visits: Iterable[Cannot],
) -> Replanned:
    """Give a proposal for each visit, such that all can be carried out together."""
    lost, alone = _lost(ports, picture, visits, None)
    found = least_moves(picture, [one.visit for one in lost], ports.prover.solve, _keys(ports))
    by_session = {one.visit.session.id: one for one in lost}
    proposals = [_proposal(picture, by_session[m.visit.session.id], m) for m in found.moves]
    return Replanned((*proposals, *alone), found.proven)


@dataclass(frozen=True)
class _Lost:
    """A visit that cannot stand, as an appointment and as planning sees it."""

    appointment: Appointment
    absent: tuple[str, ...]
    visit: LostVisit


def _lost(
    ports: Ports,
    picture: Picture,
    visits: Iterable[Cannot],
    due: date | None,
) -> tuple[list[_Lost], list[Proposal]]:
    """Tell apart the visits that can be planned, the most urgent first, and those of no pool."""
    lost, alone = [], []
    for visit, why, done in sorted(visits, key=lambda v: _urgency(picture, v[0])):
        if visit.pool is None or visit.patient is None:
            alone.append(Proposal(visit, why))
            continue
        task, _ = asker(picture, visit, done)
        session = picture.index.sessions[visit.session or ""]
        renewed = task
        if task.state not in {TaskState.CHOSEN, TaskState.ASSIGNED}:
            renewed = _renewed(ports, picture, task, done, due)  # else nobody has been told of it
        lost.append(_Lost(visit, why, LostVisit(session, task, renewed, done)))
    return lost, alone


def _absent(picture: Picture, visit: Appointment) -> tuple[str, ...]:
    session = picture.index.sessions.get(visit.session or "")
    return absent(picture.index.organisation, session) if session is not None else ()


def _urgency(picture: Picture, visit: Appointment) -> tuple[date, datetime, str]:
    task = picture.tasks.get(visit.task or "")
    last = (task.deadline or task.not_after) if task is not None else date.max
    return last, visit.start, visit.id


def _renewed(
    ports: Ports, picture: Picture, task: Task, done: frozenset[str], due: date | None
) -> Task:
    """Give the task by which the patient finds another time."""
    today = local_date(picture.now, clinic_of(picture, task).timezone)
    return replace(
        task,
        id=ports.keys.new("task"),
        ref=None,
        opens=today,
        due=max(today, due or today + WAIT),
        not_before=today,
        not_after=max(today, task.deadline or task.not_after),
        deadline=None if task.deadline is None else max(today, task.deadline),
        mode=Mode.CHOOSE,
        done=task.done | done,
        state=TaskState.DRAFT,
        staff_may_wait=False,
        version=1,
    )


def _keys(ports: Ports) -> Callable[[], str]:
    return lambda: ports.keys.new("session")


def _proposal(picture: Picture, lost: _Lost, move: Move) -> Proposal:
    visit = lost.visit
    task = None if move.keeps_time else visit.renewed
    new = move.goal
    if new is None:
        return Proposal(lost.appointment, lost.absent, task)
    past, day, clinician, _ = harms(picture, visit, new)
    words = {
        "past the planned date": past,
        "another day": day,
        "another hour": new.start != visit.session.start and not day,
        "another clinician": clinician,
    }
    harm = tuple(word for word, is_so in words.items() if is_so)
    return Proposal(lost.appointment, lost.absent, task, move.certificate, new, harm)
