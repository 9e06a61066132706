"""Remind: a patient who has been told of a visit, by a channel that reaches them in time."""

from __future__ import annotations

from timevalg.booking.acting import Act
from timevalg.booking.letter_facts import visit_facts
from timevalg.booking.ports import Ports
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.write import begin_about, patient_of, require_awake, typeset
from timevalg.model.principal import Principal
from timevalg.model.records import Letter
from timevalg.model.states import AppointmentState


@use_case("remind", keyed=False)
def remind(ports: Ports, principal: Principal, key: str, moves: int) -> Letter | None:
    """Write a reminder of a visit that the patient knows of; of others there is nothing to say.

    Parameters
    ----------
    moves : int
        How often the visit had been moved when the reminder was planned.

    Raises
    ------
    NotYet
        In the quiet hours.
    """
    picture = picture_of(ports, principal)

    def body(act: Act) -> Letter | None:
        visit, now = act.appointment(key), act.unit.now()
        told = visit.state is AppointmentState.BOOKED and visit.lettered_start == visit.start
        if visit.patient is None or not told or visit.moves != moves or now >= visit.start:
            return None
        require_awake(act, visit)
        patient = patient_of(act, visit.patient)
        letter = begin_about(act, picture, "reminder", patient, visit)
        if all(channel.address(letter, patient) is None for channel in ports.channels):
            return None
        task = act.unit.tasks.get(visit.task) if visit.task else None
        return typeset(act, letter, visit_facts(act, picture, visit, task, patient))

    return run(ports, principal, "remind", body)
