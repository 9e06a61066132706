"""Visits as planners see them: who comes, what must move, what is free and why not."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from timevalg.api.routes.planner_clinics import Planner, clinics_of
from timevalg.api.schemas import desk as shapes
from timevalg.api.schemas import proposals, system
from timevalg.api.schemas.by_time import since
from timevalg.api.schemas.given import After, Day, Id, Instant
from timevalg.api.schemas.patient import LetterSummary
from timevalg.api.surface import Key, MaybeKey, Surface, Version, tag
from timevalg.booking.search import MOST, Sought
from timevalg.model.appointment import Appointment

router = Surface(prefix="/v1/planner", tags=["planner"])

Limit = Annotated[int, Query(ge=1, le=100)]
Next = Annotated[After, Query(description="`next` of the page before.")]
VISIT = "/appointments/{appointment}"
Name = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


def _visit(visit: Appointment, response: Response) -> system.VisitOut:
    tag(response, visit.version)
    return system.VisitOut.of(visit)


@router.operation("GET", "/clinics/{clinic}/attendance", "attendance list")
def attendance(
    desk: Planner,
    clinic: Id,
    first: Annotated[Day | None, Query(description="Local date; default today.")] = None,
    last: Annotated[Day | None, Query(description="Default one day.")] = None,
) -> shapes.AttendanceOut:
    """Give who comes on some days: when, confirmed or not, prepared or not, with whom."""
    found, here = desk.attendance(clinic, first, last), clinics_of(desk)[clinic]
    return shapes.AttendanceOut(visits=[shapes.ExpectedOut.of(one, here) for one in found])


@router.operation("GET", "/appointments", "list appointments")
def clinic_visits(desk: Planner, after: Next = "", limit: Limit = 50) -> system.VisitsOut:
    """Give the visits, past ones too."""
    found = [system.VisitOut.of(visit) for visit in desk.appointments(after, limit)]
    return system.VisitsOut(appointments=found, next=found[-1].id if len(found) == limit else "")


@router.operation("GET", VISIT, "read")
def clinic_visit(desk: Planner, appointment: Id, response: Response) -> system.VisitOut:
    """Give a visit."""
    return _visit(desk.appointment(appointment), response)


@router.operation("POST", VISIT + "/move", "move", books=True, changes=True)
def move_a_patients_visit(
    desk: Planner,
    appointment: Id,
    given: system.MoveIn,
    key: Key,
    version: Version,
    response: Response,
) -> system.VisitOut:
    """Move a visit to any time, with resources of staff's choice."""
    resources = given.resources
    moved = desk.move(
        appointment,
        start=given.start,
        resources=None if resources is None else system.given_resources(resources),
        reason=given.reason,
        version=version,
        override=given.override,
        idempotency_key=key,
    )
    return _visit(moved, response)


@router.operation("POST", VISIT + "/cancel", "cancel", changes=True)
def cancel_a_patients_visit(
    desk: Planner,
    appointment: Id,
    given: system.CancelIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> system.VisitOut:
    """Cancel a visit; its time is free at once."""
    gone = desk.cancel(appointment, given.reason, version, given.by, idempotency_key=key)
    return _visit(gone, response)


@router.operation("POST", VISIT + "/arrive", "arrive", changes=True)
def note_arrival(
    desk: Planner, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> system.VisitOut:
    """Note that the patient is here."""
    return _visit(desk.arrive(appointment, version, idempotency_key=key), response)


@router.operation("POST", VISIT + "/fulfil", "fulfil", changes=True)
def note_visit(
    desk: Planner, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> system.VisitOut:
    """Note that the visit has taken place."""
    return _visit(desk.fulfil(appointment, version, idempotency_key=key), response)


@router.operation("POST", VISIT + "/no-show", "no show", changes=True)
def note_no_show(
    desk: Planner, appointment: Id, key: MaybeKey, version: Version, response: Response
) -> system.VisitOut:
    """Note that the patient did not come."""
    return _visit(desk.no_show(appointment, version, idempotency_key=key), response)


@router.operation("POST", VISIT + "/letter", "write letter")
def write_the_letter(desk: Planner, appointment: Id, key: MaybeKey) -> LetterSummary | None:
    """Write a visit's letter, where the pool leaves that to staff; it is sent at once."""
    letter = desk.write_letter(appointment, idempotency_key=key)
    return LetterSummary.of(letter) if letter is not None else None


@router.operation("GET", "/replan", "replan")
def what_must_move(desk: Planner, clinic: Name = "") -> proposals.ProposalsOut:
    """Say which visits cannot stand, and what would harm least; nothing is changed."""
    found, here = desk.replan(clinic or None), clinics_of(desk)
    told = [proposals.ProposalOut.of(one, here[one.visit.clinic]) for one in found.proposals]
    return proposals.ProposalsOut(proposals=told, proven=found.proven)


@router.operation("POST", VISIT + "/rebook", "rebook", books=True, changes=True)
def rebook_a_visit(
    desk: Planner,
    appointment: Id,
    given: proposals.RebookIn,
    key: Key,
    version: Version,
    response: Response,
) -> proposals.RebookedOut:
    """Do what is proposed for a visit that cannot stand."""
    done = desk.rebook(
        appointment, due=given.due, reason=given.reason, version=version, idempotency_key=key
    )
    tag(response, done.visit.version)
    return proposals.RebookedOut.of(done)


def _sought(
    clinic: Name = "",
    pool: Name = "",
    task: Name = "",
    not_before: Annotated[Day | None, Query()] = None,
    not_after: Annotated[Day | None, Query()] = None,
) -> Sought:
    return Sought(clinic, pool, task, not_before, not_after)


What = Annotated[Sought, Depends(_sought)]
"""Either a clinic and a pool, or a task."""


@router.operation("GET", "/search", "search")
def search(
    desk: Planner,
    sought: What,
    cursor: Name = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> shapes.StartsOut:
    """Give every feasible start in order of time, for a task or for anybody in a clinic's pool."""
    found = desk.search(sought, since(cursor), limit)
    clinic = desk.task(sought.task).clinic if sought.task else sought.clinic
    return shapes.StartsOut.of(found, clinics_of(desk)[clinic], limit)


@router.operation("GET", "/explain", "explain")
def explain(
    desk: Planner, sought: What, start: Annotated[Instant | None, Query()] = None
) -> shapes.ExplanationOut:
    """Say what each rule leaves, what is in the way of one start, and what would cure it."""
    return shapes.ExplanationOut.of(desk.explain(sought, start))


@router.operation("GET", "/figures", "figures")
def figures(
    desk: Planner,
    first: Annotated[Day | None, Query(description="Default 1 January.")] = None,
    last: Annotated[Day | None, Query(description="Included; default today.")] = None,
    clinic: Name = "",
) -> shapes.FiguresOut:
    """Say how often times are re-planned, chosen, missed; what is lost, and who waits."""
    return shapes.FiguresOut.of(desk.figures(first, last, clinic or None))
