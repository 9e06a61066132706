"""What was promised to patients, by the independent verifier."""

from __future__ import annotations

from collections.abc import Iterator

from timevalg.booking.crowds import crowds
from timevalg.booking.soundness.chart import Chart
from timevalg.model.appointment import Origin
from timevalg.model.records import CaseKind
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import AppointmentState
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.verify import broken


def each_live_task_has_a_valid_place(chart: Chart) -> Iterator[tuple[str, str]]:
    """One, also valid on the day after `due`; or its loss is on the staff list.

    Staff who let a task wait have taken its last valid day upon themselves.
    """
    rules = Index.of(chart.organisation)
    named = {c.task for c in chart.cases if c.kind == CaseKind.CAPACITY_LOSS}
    cure = "take the task over and assign or reopen it; publish the clinic's file anew to replace"
    for task in chart.tasks.values():
        if not task.is_live or task.id in named:
            continue
        places = [s for s in chart.by_task.get(task.id, ()) if _serves_as_place(s)]
        if len(places) != 1:
            yield f"{task.state} task {task.id} has {len(places) or 'no'} places", cure
            continue
        (place,) = places
        if task.staff_may_wait:
            continue
        ask = Ask.for_place(rules, task, place.pool or task.pools[0], chart.now)
        near = chart.around(place)
        verdict = broken(chart.organisation, near, ask, place.start, place.resources)
        if verdict:
            yield f"the place of task {task.id} is not valid: {'; '.join(verdict)}", cure


def no_quota_is_exceeded(chart: Chart) -> Iterator[tuple[str, str]]:
    """Save by times that staff or record systems have set, or that are older than the quota."""
    standing = (s for s in chart.sessions.values() if s.is_live(chart.now) or s.is_place)
    for crowd in crowds(chart.organisation, standing):
        chosen = [s for s in crowd.sessions if not _is_set_by_others(chart, s)]
        if len(chosen) > crowd.quota.max:
            yield str(crowd), "move some of them, or raise the quota in the clinic's file"


def choices_obey_the_rules(chart: Chart) -> Iterator[tuple[str, str]]:
    """A time that a patient chose keeps the rules on openings and resources, as published since."""
    for session in chart.sessions.values():
        if session.kind is not SessionKind.BOOKING or session.pool is None:
            continue
        if _is_set_by_others(chart, session):
            continue
        clinic = chart.organisation.clinics.get(session.clinic)
        if clinic is None or session.pool not in clinic.pools:
            continue  # a file without them could not have been published
        task = chart.tasks.get(session.task or "")
        ask = Ask(session.clinic, session.pool, chart.now, task)
        verdict = broken(chart.organisation, (), ask, session.start, session.resources)
        verdict = tuple(v for v in verdict if v.startswith(("opening", "closed", "resources")))
        if verdict:
            yield (
                f"booking {session.id} was chosen against the rules: {'; '.join(verdict)}",
                "see whether the visit can take place; else move it",
            )


def _is_set_by_others(chart: Chart, session: Session) -> bool:
    """Tell whether a time need not obey the rules in force.

    It may be set by staff, a record system or the fallback, or come from before the present file;
    places are checked as places.
    """
    if session.kind is not SessionKind.BOOKING:
        return False
    visits = chart.visit_by_session.get(session.id, ())
    since = chart.published_at.get(session.clinic)
    return not any(
        v.origin is Origin.CHOSEN
        and v.state is AppointmentState.BOOKED
        and v.moves == v.moves_by_patient
        and since is not None
        and v.created_at is not None
        and v.created_at > since
        for v in visits
    )


def _serves_as_place(session: Session) -> bool:
    return session.kind is SessionKind.PLACE or session.is_place
