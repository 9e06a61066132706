"""Letters: written when there is something to tell, sent once, kept as they were sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.booking.acting import Act, clinic_of
from timevalg.booking.effect import Effect, Way, put_out, put_out_all
from timevalg.booking.letter_facts import choice_facts, told_terms, visit_facts
from timevalg.booking.patients import surviving
from timevalg.booking.ports import Channel, Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.told import (
    LEFT,
    TELLING,
    is_chosen,
    is_told,
    is_told_cancelled,
    known_start,
    says,
)
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.verification import is_for_verification
from timevalg.model.appointment import Appointment, Told
from timevalg.model.errors import NotYet
from timevalg.model.letter import LetterFacts
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Letter, Patient, Work
from timevalg.model.reminders import awake_from
from timevalg.model.states import AppointmentState, LetterState, TaskState, target
from timevalg.model.task import Task
from timevalg.solver.picture import Picture

MINUTE = timedelta(minutes=1)
"""Over which a channel's rate counts."""


@use_case("write letter")
def write_letter(
    ports: Ports, principal: Principal, kind: str, entity: str, version: int | None = None
) -> Letter | None:
    """Write a letter about a task (``choice``) or an appointment (the other kinds).

    Nothing is written where there is nothing to tell any more: a task that is no longer open, a
    visit that has been cancelled or told already. Sending follows as work of its own.

    Parameters
    ----------
    kind : str
        ``choice`` | ``appointment`` | ``change`` | ``cancellation``. What the patient knows decides
        between the two in the middle.
    version : int or None
        Of the visit, as it was read; None = any.

    Raises
    ------
    StaleVersion
    """
    picture = picture_of(ports, principal)

    def body(act: Act) -> Letter | None:
        if kind == "choice":
            return _invitation_to_choose(act, picture, entity)
        visit = act.appointment(entity, version)
        if visit.patient is None or not _is_news(act, kind, visit):
            return None
        if kind == "cancellation" and _is_unheard_of(act, visit):
            return None
        if surviving(act.unit, visit.patient).deceased_at is not None:
            return None
        task = act.unit.tasks.get(visit.task) if visit.task else None
        patient = patient_of(act, visit.patient)
        old_start = known_start(act, visit)
        telling = "appointment" if old_start is None else "change"
        true_kind = kind if kind == "cancellation" else telling
        letter = begin_about(act, picture, true_kind, patient, visit)
        facts = visit_facts(act, picture, visit, task, patient, old_start)
        letter = typeset(act, letter, facts)
        act.close(kind=CaseKind.LETTER_WANTED, appointment=visit.id)
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
    """Send a written letter, by the first channel that reaches the patient.

    One that has become untrue before it left is stopped; see `timevalg.booking.effect`.
    """
    return put_out(LETTER, ports, principal, key)


def send_letters(
    ports: Ports, principal: Principal, works: Sequence[Work], may_go_on: Callable[[], bool]
) -> list[Work]:
    """Send letters together, where that is as safe; gives the work that is done."""
    return put_out_all(LETTER, ports, principal, works, may_go_on)


def _way(act: Act, letter: Letter) -> Way[Letter] | None:
    """Give the channel that takes the letter, and to which address; half-sent: that took it.

    Raises
    ------
    NotYet
        If the channel has had as many letters as it may in a minute.
    """
    sending = letter.state is LetterState.SENDING
    if letter.kind == "reminder" and letter.appointment and not sending:
        require_awake(act, act.unit.appointments.get(letter.appointment))
    patient = patient_of(act, letter.patient)
    if is_for_verification(act.unit):
        return Way(lambda letter: "kept, for verification", True, {"channel": "verification"})
    for channel in act.ports.channels:
        if sending and channel.name != letter.channel:
            continue
        address = letter.address if sending else channel.address(letter, patient)
        if not sending and address is None:
            continue
        if channel.rate and not sending:
            _require_room(act, channel)
        return Way(
            _through(channel),
            channel.deduplicates,
            {"channel": channel.name, "address": address},
        )
    return None


def require_awake(act: Act, visit: Appointment) -> None:
    """Refuse to disturb a patient in the quiet hours of the place of the visit.

    Raises
    ------
    NotYet
    """
    now = act.unit.now()
    if (awake := awake_from(now, ZoneInfo(visit.zone))) > now:
        raise NotYet("reminders keep quiet hours", awake)


def _through(channel: Channel) -> Callable[[Letter], str]:
    return lambda letter: channel.send(letter.id, letter)


def _require_room(act: Act, channel: Channel) -> None:
    """Refuse a letter more than a channel takes in a minute; one worker counts at a time."""
    act.unit.lock([f"channel:{channel.name}"])
    now = act.unit.now()
    last = act.unit.letters.find(
        order="-sending_at",
        limit=channel.rate,
        channel=channel.name,
        sending_at=Between(now - MINUTE),
    )
    if len(last) == channel.rate and (oldest := last[-1].sending_at) and oldest + MINUTE > now:
        what = f"channel {channel.name} takes {channel.rate} letters a minute"
        raise NotYet(what, oldest + MINUTE)


def _report(act: Act, letter: Letter, kind: CaseKind, reason: str) -> None:
    act.case(kind, letter.clinic, reason, task=letter.task, appointment=letter.appointment)


def _note(act: Act, letter: Letter, before: Letter | None = None) -> None:
    """Log a letter's new state, one sentence in the feed for each; tell how a visit stands now."""
    old = None if before is None else {"state": str(before.state)}
    act.audit("letter", letter.id, letter.patient)
    visit = act.unit.appointments.get(letter.appointment) if letter.appointment else None
    if visit is not None and letter.state is LetterState.STOPPED and not says(letter, visit):
        act.work("letter", visit.id, visit.clinic, act.unit.now(), f"change:after {letter.id}")
    act.event(
        f"letter.{letter.state}",
        "letter",
        letter.clinic,
        letter.id,
        letter.version,
        task=act.unit.tasks.get(letter.task) if letter.task else None,
        appointment=visit,
        old=old,
        new={"state": str(letter.state), "kind": letter.kind, "channel": letter.channel},
    )


def _is_true(act: Act, letter: Letter) -> bool:
    """Tell whether a letter still says how things are, to somebody who is there."""
    if surviving(act.unit, letter.patient).deceased_at is not None:
        return False
    if letter.appointment is None:
        return letter.task is None or _still_invites(letter, act.unit.tasks.get(letter.task))
    visit = act.unit.appointments.get(letter.appointment)
    if letter.kind == "cancellation":
        return visit.state is AppointmentState.CANCELLED
    return visit.state is AppointmentState.BOOKED and says(letter, visit)


def _still_invites(letter: Letter, task: Task) -> bool:
    """Tell whether a task may be chosen for, by the terms that a letter tells."""
    return task.state is TaskState.OPEN and letter.terms in {None, told_terms(task)}


LETTER = Effect(
    verb="send letter",
    kind="letter",
    records=lambda unit: unit.letters,
    way=_way,
    is_wanted=_is_true,
    note=_note,
    report=_report,
)


def _is_news(act: Act, kind: str, visit: Appointment) -> bool:
    if kind == "cancellation":
        return visit.state is AppointmentState.CANCELLED and not is_told_cancelled(act, visit)
    return visit.state is AppointmentState.BOOKED and not is_told(act, visit)


def _is_unheard_of(act: Act, visit: Appointment) -> bool:
    """Tell whether no letter of the visit was ever on its way; what waits is stopped, and stays.

    One that could not be sent counts as heard of: staff have been asked to tell the patient.
    """
    found = act.unit.letters.find(appointment=visit.id, kind=TELLING)
    for letter in (letter for letter in found if letter.state is LetterState.PENDING):
        state = LetterState(target("letter", letter.id, letter.state, "stop"))
        _note(act, act.unit.letters.save(replace(letter, state=state)), letter)
    refused = act.unit.cases.count(kind=CaseKind.LETTER_REFUSED, appointment=visit.id)
    if not found or refused or is_chosen(visit):
        return False
    return not any(letter.sending_at or letter.state in LEFT for letter in found)


def _invitation_to_choose(act: Act, picture: Picture, key: str) -> Letter | None:
    task = act.task(key)
    if task.state is not TaskState.OPEN or not task.letters:
        return None
    if surviving(act.unit, task.patient).deceased_at is not None:
        return None
    patient = patient_of(act, task.patient)
    letter = begin(act, "choice", patient, task.clinic, task=task.id, terms=told_terms(task))
    return typeset(act, letter, choice_facts(act, clinic_of(picture, task), task, patient))


def typeset(act: Act, letter: Letter, facts: LetterFacts) -> Letter:
    """Write a letter with its facts, and the work of sending it."""
    document = act.ports.typesetter.render(letter.kind, facts)
    letter = replace(letter, subject=document.subject, html=document.html, text=document.text)
    act.unit.letters.add(letter)
    _note(act, letter)
    act.work("send letter", letter.id, letter.clinic, act.unit.now(), "send")
    return letter


def patient_of(act: Act, key: str) -> Patient:
    """Give a patient; one of whom nothing is known has no name and no address."""
    found = act.unit.patients.find(id=key)
    return found[0] if found else Patient(key, act.unit.organisation)


def begin(
    act: Act,
    kind: str,
    patient: Patient,
    clinic: str,
    **about: Any,
) -> Letter:
    """Begin a letter; it is not kept before it is typeset.

    Parameters
    ----------
    about
        Further fields of the letter: what it is about, and tells of it.
    """
    return Letter(
        id=act.ports.keys.new("letter"),
        organisation=act.unit.organisation,
        clinic=clinic,
        patient=patient.id,
        kind=kind,
        language=patient.language,
        created_at=act.unit.now(),
        **about,
    )


def begin_about(
    act: Act, picture: Picture, kind: str, patient: Patient, visit: Appointment
) -> Letter:
    """Begin a letter about a visit as it stands."""
    service = picture.index.organisation.clinic(visit.clinic).services[visit.service]
    told = Told.of(visit, service, act.unit.now())
    about = {"task": visit.task, "appointment": visit.id, "told": told}
    return begin(act, kind, patient, visit.clinic, **about)
