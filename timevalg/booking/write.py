"""Letters: written when there is something to tell, sent once, kept as they were sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from timevalg.booking.access import allow
from timevalg.booking.acting import Act, clinic_of, picture_of, run, use_case
from timevalg.booking.letter_facts import choice_facts, visit_facts
from timevalg.booking.ports import Ports
from timevalg.model.appointment import Appointment
from timevalg.model.errors import LeaseLost
from timevalg.model.letter import LetterFacts
from timevalg.model.principal import Principal
from timevalg.model.records import Letter, Patient, Work
from timevalg.model.states import AppointmentState, LetterState, TaskState, target
from timevalg.solver.picture import Picture


@use_case("write letter")
def write_letter(ports: Ports, principal: Principal, kind: str, entity: str) -> Letter | None:
    """Write a letter about a task (``choice``) or an appointment (the other kinds).

    Nothing is written where there is nothing to tell any more: a task that is no longer open, a
    visit that has been cancelled or told already. Sending follows as work of its own.

    Parameters
    ----------
    kind : str
        ``choice`` | ``appointment`` | ``change`` | ``cancellation``.
    """
    picture = picture_of(ports, principal)

    def body(act: Act) -> Letter | None:
        if kind == "choice":
            return _invitation_to_choose(act, picture, entity)
        visit = act.appointment(entity)
        if visit.patient is None or not _is_news(kind, visit):
            return None
        task = act.unit.tasks.get(visit.task) if visit.task else None
        patient = _patient(act, visit.patient)
        true_kind = "appointment" if kind == "change" and not _was_told(act, visit) else kind
        letter = _letter(
            act, true_kind, patient, visit.clinic, task=visit.task, appointment=visit.id
        )
        facts = visit_facts(act, picture, visit, task, patient)
        letter = _typeset(act, letter, facts)
        act.close(kind="letter-wanted", appointment=visit.id)
        if kind != "cancellation":
            act.save(
                visit,
                "appointment.lettered",
                None,
                lettered_at=act.unit.now(),
                lettered_start=visit.start,
            )
        return letter

    return run(ports, principal, "write letter", body)


@use_case("send letter", keyed=False)
def send_letter(ports: Ports, principal: Principal, key: str) -> Letter:
    """Send a written letter: at most once, unless the channel deduplicates.

    A letter found half-sent is sent again only through a channel that deduplicates; else it is
    ``unknown`` and on the staff list. One that has become untrue before it left is stopped.
    """

    def read(act: Act) -> Letter:
        letter = act.unit.letters.get(key)
        allow(act.verb, principal, kind="letter", key=key, clinic=letter.clinic)
        return letter

    def take(act: Act) -> Letter:
        letter = read(act)
        _require_lease(act, ports.in_hand)
        if letter.state is LetterState.PENDING and not _is_true(act, letter):
            return _advance(act, letter, "stop")
        if letter.state is LetterState.SENDING and not ports.channel.deduplicates:
            act.case(
                "letter-unknown",
                letter.clinic,
                f"letter {key} may have been sent or not",
                task=letter.task,
                appointment=letter.appointment,
            )
            return _advance(act, letter, "lose")
        if letter.state is LetterState.PENDING:
            return _advance(act, letter, "send", channel=ports.channel.name)
        return letter

    def mark(act: Act) -> Letter:
        letter = read(act)
        if letter.state is not LetterState.SENDING:
            return letter
        return _advance(act, letter, "receipt", receipt=receipt, sent_at=act.unit.now())

    letter = run(replace(ports, in_hand=None), principal, "send letter", take)
    receipt = ports.channel.send(key, letter) if letter.state is LetterState.SENDING else ""
    return run(ports, principal, "send letter", mark)


def _advance(act: Act, letter: Letter, verb: str, **changes: object) -> Letter:
    state = LetterState(target("letter", letter.id, letter.state, verb))
    saved = act.unit.letters.save(replace(letter, state=state, **changes))  # type: ignore[arg-type]  # fields by name
    _note(act, saved, old={"state": str(letter.state)})
    return saved


def _note(act: Act, letter: Letter, old: Mapping[str, Any] | None = None) -> None:
    """Log a letter's new state; one sentence in the feed for each."""
    act.audit("letter", letter.id, letter.patient)
    act.event(
        f"letter.{letter.state}",
        "letter",
        letter.clinic,
        letter.id,
        letter.version,
        task=act.unit.tasks.get(letter.task) if letter.task else None,
        appointment=act.unit.appointments.get(letter.appointment) if letter.appointment else None,
        old=old,
        new={"state": str(letter.state), "kind": letter.kind, "channel": letter.channel},
    )


def _require_lease(act: Act, work: Work | None) -> None:
    """Refuse a worker whose work has been given to another.

    Raises
    ------
    LeaseLost
    """
    if work is not None and act.unit.work.get(work.id).fence != work.fence:
        raise LeaseLost(work.id)


def _is_true(act: Act, letter: Letter) -> bool:
    """Tell whether a letter still says how things are."""
    if letter.appointment is None:
        return letter.task is None or act.unit.tasks.get(letter.task).state is TaskState.OPEN
    visit = act.unit.appointments.get(letter.appointment)
    if letter.kind == "cancellation":
        return visit.state is AppointmentState.CANCELLED
    return visit.state is AppointmentState.BOOKED and visit.start == visit.lettered_start


def _is_news(kind: str, visit: Appointment) -> bool:
    if kind == "cancellation":
        return visit.state is AppointmentState.CANCELLED
    return visit.state is AppointmentState.BOOKED and visit.lettered_start != visit.start


def _was_told(act: Act, visit: Appointment) -> bool:
    """Tell whether any letter about the visit has left, as far as is known."""
    gone = {LetterState.SENDING, LetterState.SENT, LetterState.UNKNOWN}
    return act.unit.letters.count(appointment=visit.id, state=gone) > 0


def _invitation_to_choose(act: Act, picture: Picture, key: str) -> Letter | None:
    task = act.task(key)
    if task.state is not TaskState.OPEN or not task.letters:
        return None
    patient = _patient(act, task.patient)
    letter = _letter(act, "choice", patient, task.clinic, task=task.id)
    return _typeset(act, letter, choice_facts(act, clinic_of(picture, task), task, patient))


def _typeset(act: Act, letter: Letter, facts: LetterFacts) -> Letter:
    document = act.ports.typesetter.render(letter.kind, facts)
    letter = replace(letter, subject=document.subject, html=document.html, text=document.text)
    act.unit.letters.add(letter)
    _note(act, letter)
    act.work("send letter", letter.id, letter.clinic, act.unit.now(), "send")
    return letter


def _patient(act: Act, key: str) -> Patient:
    found = act.unit.patients.find(id=key)
    return found[0] if found else Patient(key, act.unit.organisation)


def _letter(
    act: Act,
    kind: str,
    patient: Patient,
    clinic: str,
    *,
    task: str | None = None,
    appointment: str | None = None,
) -> Letter:
    return Letter(
        id=act.ports.keys.new("letter"),
        organisation=act.unit.organisation,
        clinic=clinic,
        patient=patient.id,
        kind=kind,
        language=patient.language,
        created_at=act.unit.now(),
        task=task,
        appointment=appointment,
    )
