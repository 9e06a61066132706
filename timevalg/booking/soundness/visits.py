"""Tasks, visits and the time they take belong together, one to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from timevalg.booking.soundness.chart import Chart
from timevalg.model.appointment import Appointment
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import LIVE, AppointmentState, TaskState

_WITH_TIME = frozenset(
    {AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED}
)
_MEND = "compare with the audit log; move the visit to the right time, or cancel it"


def each_has_its_time(chart: Chart) -> Iterator[tuple[str, str]]:
    """A visit that stands has a booking that says the same; any other visit has none."""
    for visit in chart.appointments.values():
        session = chart.sessions.get(visit.session or "")
        if visit.state not in _WITH_TIME:
            if visit.session is not None:
                yield (
                    f"{visit.state} appointment {visit.id} still has session {visit.session}",
                    ("free the session's time"),
                )
            continue
        if session is None:
            yield f"{visit.state} appointment {visit.id} takes no time of anybody", _MEND
            continue
        for name in ("start", "length", "patient", "task", "pool", "service"):
            if name == "patient" and _yields(chart, visit, session):
                continue
            if getattr(visit, name) != getattr(session, name):
                yield f"appointment {visit.id} and its booking differ in {name}", _MEND
        if dict(visit.resources) != dict(session.resources):
            yield f"appointment {visit.id} and its booking differ in resources", _MEND


def _yields(chart: Chart, visit: Appointment, session: Session) -> bool:
    """Tell whether a visit leaves the patient's own time to another, since two were merged."""
    return session.patient is None and any(
        other.patient == visit.patient and other.visit.overlaps(session.visit)
        for other in chart.sessions.values()
    )


def each_booking_is_one_visit(chart: Chart) -> Iterator[tuple[str, str]]:
    """No booking is without a visit, or that of two."""
    for session in chart.sessions.values():
        if session.kind is SessionKind.BOOKING:
            visits = chart.visit_by_session.get(session.id, ())
            if len(visits) != 1:
                ids = ", ".join(v.id for v in visits) or "none"
                yield f"booking {session.id} is the time of {len(visits)} visits: {ids}", _MEND


def each_task_has_what_its_state_says(chart: Chart) -> Iterator[tuple[str, str]]:
    """A chosen or assigned task has one visit to come, a live one none; no other has a place."""
    for task in chart.tasks.values():
        booked = [v for v in chart.visits_of.get(task.id, ()) if v.state in _WITH_TIME]
        wanted = task.state in {TaskState.CHOSEN, TaskState.ASSIGNED}
        if len(booked) > 1 or (wanted and not booked):
            yield f"{task.state} task {task.id} has {len(booked)} appointments", _MEND
        if booked and not wanted and task.state is not TaskState.CONFIRMED:
            yield f"{task.state} task {task.id} has appointment {booked[0].id}", _MEND
        if task.state not in LIVE:
            for session in chart.by_task.get(task.id, ()):
                if session.kind is SessionKind.PLACE or session.is_place:
                    yield (
                        f"{task.state} task {task.id} has a place, {session.id}",
                        ("free the session's time"),
                    )
    for key in sorted(chart.by_task.keys() - chart.tasks.keys()):
        yield f"task {key} has sessions but is not there", "free the sessions' time"


def each_patient_has_one_hold(chart: Chart) -> Iterator[tuple[str, str]]:
    """A second hold of a patient replaces the first."""
    holds: dict[str, list[Session]] = defaultdict(list)
    for session in chart.sessions.values():
        if session.kind is SessionKind.HOLD and session.is_live(chart.now) and session.patient:
            holds[session.patient].append(session)
    for several in holds.values():
        if len(several) > 1:
            ids = ", ".join(s.id for s in several)
            yield f"one patient has {len(several)} holds: {ids}", "let them expire"
