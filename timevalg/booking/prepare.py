"""Preparations: done by the patient or by staff, started and missed by the calendar."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.represented import require_shown, thread_of
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.booking.visits import OPEN_PREPARATIONS, follow_at
from timevalg.model.appointment import Preparation
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind
from timevalg.model.states import PreparationState, target
from timevalg.model.time import local_date

LONGEST_ANSWER = 1000
"""Characters of a preparation's answer."""


@use_case("complete preparation")
def complete_preparation(
    ports: Ports, principal: Principal, key: str, answer: str = "", version: int | None = None
) -> Preparation:
    """Note that a preparation is done, with its answer ("confirmed", "no infection").

    Raises
    ------
    IllegalMove, NotFound, NotAllowed, InvalidInput, StaleVersion
    """
    if len(answer) > LONGEST_ANSWER:
        raise InvalidInput.single("answer", f"at most {LONGEST_ANSWER} characters")

    def body(act: Act) -> Preparation:
        preparation = act.unit.preparations.get(key)
        visit = act.unit.appointments.get(preparation.appointment)
        allow(
            act.verb,
            principal,
            kind="preparation",
            key=key,
            clinic=preparation.clinic,
            patient=visit.patient,
        )
        require_shown(act.unit, principal, "preparation", key, thread_of(visit))
        require_version(act.unit, preparation, version)
        done = _advance(act, preparation, "complete", answer=answer, done_at=act.unit.now())
        task = act.unit.tasks.get(visit.task) if visit.task else None
        if task is not None:  # also for another visit of the same task
            act.unit.tasks.save(replace(task, done=task.done | {done.rule}))
        return done

    return run(ports, principal, "complete preparation", body)


@use_case("follow preparation")
def follow_preparation(ports: Ports, principal: Principal, key: str) -> Preparation:
    """Start a preparation whose date has come; tell staff of one that was missed."""
    picture = picture_of(ports, principal)

    def body(act: Act) -> Preparation:
        preparation = act.unit.preparations.get(key)
        allow(act.verb, principal, kind="preparation", key=key, clinic=preparation.clinic)
        if preparation.state not in OPEN_PREPARATIONS:
            return preparation
        clinic = picture.index.organisation.clinic(preparation.clinic)
        today = local_date(act.unit.now(), clinic.timezone)
        if today > preparation.due and preparation.state is not PreparationState.OVERDUE:
            late = _advance(act, preparation, "fall due")
            act.case(
                CaseKind.PREPARATION_OVERDUE,
                clinic.id,
                f"{preparation.rule} was due on {preparation.due}",
                appointment=preparation.appointment,
            )
            return late
        begun = preparation.start is not None and today >= preparation.start
        if begun and preparation.state is PreparationState.PLANNED:
            started = _advance(act, preparation, "start")
            follow_at(act, clinic, started)
            return started
        return preparation

    return run(ports, principal, "follow preparation", body)


def _advance(act: Act, preparation: Preparation, verb: str, **changes: object) -> Preparation:
    state = PreparationState(target("preparation", preparation.id, preparation.state, verb))
    saved = act.unit.preparations.save(replace(preparation, state=state, **changes))  # type: ignore[arg-type]  # fields by name
    visit = act.unit.appointments.get(saved.appointment)
    act.audit("preparation", saved.id, visit.patient)
    act.event(
        f"preparation.{state}",
        "preparation",
        saved.clinic,
        saved.id,
        saved.version,
        task=act.unit.tasks.get(visit.task) if visit.task else None,
        appointment=visit,
        old={"state": preparation.state},
        new={"state": saved.state, "rule": saved.rule},
    )
    return saved
