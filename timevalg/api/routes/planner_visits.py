"""Visits as planners see them: who comes, what must move, what is free and why not."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Response

from timevalg.api.routes.hospital import declare
from timevalg.api.routes.planner_clinics import DESK, Planner, clinics_of
from timevalg.api.routes.verbs import PLANNER, VISIT
from timevalg.api.schemas import desk as shapes
from timevalg.api.schemas import proposals
from timevalg.api.schemas.by_time import since
from timevalg.api.schemas.given import Day, Id, Instant
from timevalg.api.schemas.patient import LetterSummary
from timevalg.api.surface import Key, MaybeKey, Surface, Version, tag
from timevalg.booking.search import MOST, Sought

router = Surface(prefix="/v1/planner", tags=["planner"], roles=DESK)

Name = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


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


@router.operation("POST", VISIT + "/letter", "write letter", changes=True)
def write_the_letter(
    desk: Planner, appointment: Id, key: MaybeKey, version: Version
) -> LetterSummary | None:
    """Write the letter of a visit as read, where the pool leaves that to staff; sent at once."""
    letter = desk.write_letter(appointment, version=version, idempotency_key=key)
    return LetterSummary.of(letter) if letter is not None else None


@router.operation("GET", "/replan", "replan")
def what_must_move(desk: Planner, clinic: Name = "") -> proposals.ProposalsOut:
    """Say which visits cannot stand, and what would harm least; nothing is changed."""
    found, here = desk.replan(clinic or None), clinics_of(desk)
    told = [proposals.ProposalOut.of(one, here[one.visit.clinic]) for one in found.proposals]
    lost = [proposals.LostPlaceOut.of(one, here[one.task.clinic]) for one in found.lost]
    return proposals.ProposalsOut(proposals=told, proven=found.proven, lost=lost)


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
    by_month: Annotated[bool, Query(description="Each month by itself too.")] = False,
) -> shapes.FiguresOut:
    """Say how often times are re-planned, chosen, missed; what is lost, and who waits."""
    return shapes.FiguresOut.of(desk.figures(first, last, clinic or None, by_month=by_month))


declare(router, PLANNER)
