"""Replan: which booked visits cannot stand after a capacity loss, and what to do about each.

Only those move whose resources are not there; no other visit is touched. Each gets the least
harmful change: other resources at the same time; else another time, within the planned window
before past it, the same day before another, the same clinician before another, near before far.
Visits nearest to their deadline come first, and each proposal leaves room for those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from timevalg.booking.acting import Act, clinic_of, glance, note_looks, picture_of, use_case
from timevalg.booking.cancel import cancel_visit
from timevalg.booking.change import displace, move_visit
from timevalg.booking.claiming import claim, settle
from timevalg.booking.invite import send, tell_of_draft
from timevalg.booking.look import asker, prepared
from timevalg.booking.ports import Between, Ports
from timevalg.booking.reliving import find_place, give_back
from timevalg.model.appointment import Appointment
from timevalg.model.errors import IllegalMove, NotServable, WouldStrand
from timevalg.model.principal import Principal
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import AppointmentState, TaskState
from timevalg.model.task import Mode, Task
from timevalg.model.time import local_date
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assignments, session_for
from timevalg.solver.certificates import Certificate, after, place_id
from timevalg.solver.picture import Picture
from timevalg.solver.places import place
from timevalg.solver.search import feasible
from timevalg.solver.shortage import shortage
from timevalg.solver.verify import absent

WAIT = timedelta(days=3)
"""How long a patient may choose another time, unless staff say otherwise."""
LOOKED_AT = 200
"""Assignments, and starts, compared for the least harmful one."""


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
    harm : tuple of str
        What the patient would notice, in words.
    """

    visit: Appointment
    absent: tuple[str, ...]
    task: Task | None = None
    certificate: Certificate | None = None
    harm: tuple[str, ...] = ()

    @property
    def session(self) -> Session | None:
        """Where the visit would be, or the task have its place."""
        return None if self.certificate is None else self.certificate.claim


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
def replan(ports: Ports, principal: Principal, clinic: str | None = None) -> list[Proposal]:
    """Say which visits to come must move, and what would harm least; nothing is changed.

    Parameters
    ----------
    clinic : str or None
        Only this one's visits; default all that the principal may act for.
    """
    picture = picture_of(ports, principal)
    found = glance(ports, principal, "replan", lambda act: must_move(act, picture, clinic))
    note_looks(ports, principal, "replan", [visit for visit, *_ in found])
    return propose(ports, picture, found)


@use_case("rebook")
def rebook(
    ports: Ports,
    principal: Principal,
    appointment: str,
    due: date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Rebooked:
    """Do what `replan` proposes for one visit that cannot stand.

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
        visit, done = glance(
            ports,
            principal,
            "rebook",
            lambda act: prepared(act, act.appointment(appointment, version)),
        )
        why = _absent(picture, visit)
        if visit.state is not AppointmentState.BOOKED or not why:
            hint = "all it needs is there; move or cancel it"
            raise IllegalMove("appointment", visit.id, visit.state, "rebook", hint)
        proposal = _proposal(ports, picture, visit, why, done, due)
        if proposal.certificate is None:
            task = proposal.task or asker(picture, visit, done)[0]
            raise NotServable(task.id, shortage(picture, task, picture.now))
        return proposal

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
            act.case("must-move", old.clinic, "; ".join(found.absent), task=old.id)
            task = give_back(act, picture, old, certificate, verb)
            return Rebooked(act.unit.appointments.get(visit.id), task)
        act.audit("task", found.task.id, found.task.patient)
        act.unit.tasks.add(found.task)
        tell_of_draft(act, found.task)
        claim(act, picture.with_task(found.task), certificate, None)
        gone = cancel_visit(act, visit, old, letter=True)
        return Rebooked(gone, send(act, picture, found.task, stored=True))

    return settle(ports, principal, "rebook", find, body, reason=reason)


def must_move(
    act: Act, picture: Picture, clinic: str | None = None
) -> list[tuple[Appointment, tuple[str, ...], frozenset[str]]]:
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
    visits: Iterable[tuple[Appointment, tuple[str, ...], frozenset[str]]],
) -> list[Proposal]:
    """Give a proposal for each visit, such that all can be carried out together."""
    out = []
    for visit, why, done in sorted(visits, key=lambda v: _urgency(picture, v[0])):
        found = _proposal(ports, picture, visit, why, done, None)
        out.append(found)
        if found.task is not None:
            picture = picture.with_task(found.task)
        if found.certificate is not None:
            picture = after(picture, found.certificate)
    return out


def _absent(picture: Picture, visit: Appointment) -> tuple[str, ...]:
    session = picture.index.sessions.get(visit.session or "")
    return absent(picture.index.organisation, session) if session is not None else ()


def _urgency(picture: Picture, visit: Appointment) -> tuple[date, datetime, str]:
    task = picture.tasks.get(visit.task or "")
    last = (task.deadline or task.not_after) if task is not None else date.max
    return last, visit.start, visit.id


def _proposal(
    ports: Ports,
    picture: Picture,
    visit: Appointment,
    why: tuple[str, ...],
    done: frozenset[str],
    due: date | None,
) -> Proposal:
    if visit.pool is None or visit.patient is None:
        return Proposal(visit, why)
    session = picture.index.sessions[visit.session or ""]
    task, _ = asker(picture, visit, done)
    same_time = _other_resources(ports, picture, session, task)
    if same_time is not None:
        harm = _harm(picture, task, session, same_time.claim)
        return Proposal(visit, why, None, same_time, harm)
    if task.state in {TaskState.CHOSEN, TaskState.ASSIGNED}:  # nobody has been told of it yet
        return _told(picture, Proposal(visit, why, task, find_place(picture, task)), session)
    today = local_date(picture.now, clinic_of(picture, task).timezone)
    renewed = replace(
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
    return _told(
        picture, Proposal(visit, why, renewed, _place(picture, renewed, task, session)), session
    )


def _other_resources(
    ports: Ports, picture: Picture, session: Session, task: Task
) -> Certificate | None:
    """Find others who could serve a visit at its time, as few of them new as can be."""
    index = picture.index
    ask = Ask.for_task(index, task, session.pool or "", picture.now, changing=True)
    ask = replace(ask, ignore=ask.ignore | {session.id})
    had = {name for names in session.resources.values() for name in names}
    options = islice(assignments(index, ask, session.start), LOOKED_AT)
    for resources in sorted(
        options, key=lambda r: sum(n not in had for names in r.values() for n in names)
    ):
        new = session_for(
            index.organisation,
            ask,
            session.start,
            resources,
            id=ports.keys.new("session"),
            kind=SessionKind.BOOKING,
        )
        try:
            return displace(picture, replace(new, task=session.task), (session,), override=False)[0]
        except WouldStrand:
            continue
    return None


def _place(picture: Picture, renewed: Task, task: Task, session: Session) -> Certificate | None:
    """Find the place that harms least for the task by which the patient finds another time."""
    bare = picture.apply(removed=[session.id]).with_task(renewed)
    free = sorted(_free(bare, renewed), key=lambda s: _cost(picture, task, session, s))
    if free:
        return Certificate((free[0],), (session,))
    found = place(bare, renewed, picture.now)
    return replace(found, released=(session,)) if found is not None else None


def _free(bare: Picture, renewed: Task) -> Iterator[Session]:
    """Give valid places that displace nobody, each start with the first who can serve it."""
    for pool in renewed.pools:
        ask = Ask.for_place(bare.index, renewed, pool, bare.now)
        for start in islice(feasible(bare.index, ask).instants(), LOOKED_AT):
            for resources in islice(assignments(bare.index, ask, start), 8):
                yield session_for(
                    bare.index.organisation,
                    ask,
                    start,
                    resources,
                    id=place_id(renewed),
                    kind=SessionKind.PLACE,
                )


def _cost(
    picture: Picture, task: Task, old: Session, new: Session
) -> tuple[bool, bool, bool, timedelta]:
    clinic = clinic_of(picture, task)
    was, day = (s.local_date(clinic.timezone) for s in (old, new))
    service = clinic.service_of(new.pool or task.pools[0])
    other = new.clinicians(service) != old.clinicians(service)
    return day > task.not_after, day != was, other, abs(new.start - old.start)


def _harm(picture: Picture, task: Task, old: Session, new: Session) -> tuple[str, ...]:
    past, day, clinician, _ = _cost(picture, task, old, new)
    time = new.start != old.start
    words = {
        "past the planned date": past,
        "another day": day,
        "another hour": time and not day,
        "another clinician": clinician,
    }
    return tuple(word for word, is_so in words.items() if is_so)


def _told(picture: Picture, proposal: Proposal, old: Session) -> Proposal:
    new, task = proposal.session, proposal.task
    if new is None or task is None:
        return proposal
    planned = picture.tasks.get(proposal.visit.task or "") or task
    return replace(proposal, harm=_harm(picture, planned, old, new))
