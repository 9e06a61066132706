"""What planners say a clinic opens: its file, versions, pools, resources, absences."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Response

from timevalg.api.schemas import clinic_files as shapes
from timevalg.api.schemas.given import AT_MOST, Id
from timevalg.api.schemas.intake import PublishedOut
from timevalg.api.schemas.proposals import ForecastOut
from timevalg.api.surface import Key, MaybeKey, OnPorts, Surface, Version, Who, tag
from timevalg.booking.clinic_files import MOST
from timevalg.booking.publish import Published
from timevalg.library.desk import Desk
from timevalg.model.clinic import Clinic
from timevalg.model.errors import InvalidInput
from timevalg.model.principal import RoleName
from timevalg.model.records import Publication

DESK = (RoleName.PLANNER, RoleName.SECRETARY, RoleName.CLINICIAN)
"""Who works at the desk."""
router = Surface(prefix="/v1/planner", tags=["planner"], roles=DESK)

CLINIC = "/clinics/{clinic}"
FILE, RESOURCE = CLINIC + "/file", CLINIC + "/resources/{resource}"
Number = Annotated[int, Path(ge=1, le=AT_MOST)]
READS = "changes nothing"


def planner_of(ports: OnPorts, who: Who) -> Desk:
    """Give the desk of whoever asks."""
    return Desk(ports, who)


Planner = Annotated[Desk, Depends(planner_of)]


def clinics_of(desk: Desk) -> dict[str, Clinic]:
    """Give the organisation's clinics."""
    picture = desk.ports.pictures.current(desk.principal.organisation)
    return dict(picture.index.organisation.clinics)


@router.operation("GET", "/clinics", "read clinic file")
def clinics(desk: Planner) -> shapes.ClinicsOut:
    """Give the clinics, each with the version of its file in force."""
    return shapes.ClinicsOut(clinics=[shapes.VersionOut.of(p) for p in desk.clinics()])


@router.operation("GET", FILE, "read clinic file")
def clinic_file(desk: Planner, clinic: Id, response: Response) -> shapes.FileOut:
    """Give a clinic's file in force; its version is its ETag."""
    return _file(desk.clinic_file(clinic), response)


@router.operation("PUT", FILE, "publish clinic file", changes=True)
def put_clinic_file_in_force(
    desk: Planner,
    clinic: Id,
    given: shapes.FileIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.InForceOut:
    """Put a clinic's file in force; where there is none yet, If-Match is "0".

    Sections that it leaves out stay as they are in force; `[]` empties one.
    """
    done = desk.publish_file(
        clinic,
        given.file,
        given.calendars,
        version=version,
        reason=given.reason,
        idempotency_key=key,
    )
    return _in_force(desk, clinic, done, response)


@router.operation("POST", FILE + "/check", "check clinic file", unversioned=READS)
def check_clinic_file(desk: Planner, clinic: Id, given: shapes.FileIn) -> shapes.CheckedFileOut:
    """Say everything that is wrong with a file as it would be in force, or sum it up."""
    try:
        return shapes.CheckedFileOut.of(
            desk.check_file(clinic, given.file, given.calendars), clinic
        )
    except InvalidInput as error:
        return shapes.CheckedFileOut.wrong(error)


@router.operation("POST", FILE + "/diff", "compare clinic files", unversioned=READS)
def compare_clinic_file(
    desk: Planner,
    clinic: Id,
    given: shapes.FileIn,
    to: Annotated[int | None, Query(ge=1, le=AT_MOST)] = None,
) -> shapes.DifferencesOut:
    """Say what is different in a file from the one in force, or from version `to`."""
    return shapes.DifferencesOut.of(desk.compare(clinic, given.file, given.calendars, to=to))


@router.operation("POST", FILE + "/what-if", "what if", unversioned=READS)
def what_if_clinic_file(desk: Planner, clinic: Id, given: shapes.FileIn) -> ForecastOut:
    """Say what putting a file in force would do to places, visits and tasks; changes nothing."""
    return ForecastOut.of(desk.forecast(clinic, given.file, given.calendars))


@router.operation("GET", CLINIC + "/versions", "read clinic file")
def clinic_versions(
    desk: Planner,
    clinic: Id,
    below: Annotated[int | None, Query(ge=1, le=AT_MOST)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> shapes.VersionsOut:
    """Give the versions of a clinic's file, newest first."""
    found = [shapes.VersionOut.of(p) for p in desk.versions(clinic, below, limit)]
    more = len(found) == limit and found[-1].version > 1
    return shapes.VersionsOut(versions=found, next=found[-1].version if more else None)


@router.operation("GET", CLINIC + "/versions/{number}", "read clinic file")
def clinic_version(desk: Planner, clinic: Id, number: Number) -> shapes.FileOut:
    """Give one version of a clinic's file."""
    return _told(desk.clinic_file(clinic, number))


@router.operation("GET", CLINIC + "/versions/{number}/diff", "compare clinic files")
def compare_clinic_versions(
    desk: Planner,
    clinic: Id,
    number: Number,
    to: Annotated[int | None, Query(ge=1, le=AT_MOST)] = None,
) -> shapes.DifferencesOut:
    """Say what is different in a version from the one in force, or from version `to`."""
    return shapes.DifferencesOut.of(desk.compare(clinic, number, to=to))


@router.operation("POST", CLINIC + "/rollback", "roll back", changes=True)
def roll_clinic_back(
    desk: Planner,
    clinic: Id,
    given: shapes.RollBackIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.InForceOut:
    """Put an earlier version in force again, as a new one; bookings are left alone."""
    done = desk.roll_back(
        clinic, given.version, version=version, reason=given.reason, idempotency_key=key
    )
    return _in_force(desk, clinic, done, response)


@router.operation("GET", CLINIC + "/pools", "read clinic file")
def clinic_pools(desk: Planner, clinic: Id, response: Response) -> shapes.PoolsOut:
    """Give a clinic's pools, and which are open for choice."""
    file = desk.clinic_file(clinic)
    tag(response, file.version)
    return shapes.PoolsOut.of(file)


@router.operation("PUT", CLINIC + "/pools/{pool}", "switch pool", changes=True)
def switch_a_pool(
    desk: Planner,
    clinic: Id,
    pool: Id,
    given: shapes.SwitchIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.InForceOut:
    """Open a pool for choice or close it, as a new version of the clinic's file."""
    done = desk.switch_pool(
        clinic,
        pool,
        given.on,
        reason=given.reason,
        override=given.override,
        version=version,
        idempotency_key=key,
    )
    return _in_force(desk, clinic, done, response)


@router.operation("GET", CLINIC + "/resources", "read clinic file")
def clinic_resources(desk: Planner, clinic: Id, response: Response) -> shapes.ResourcesOut:
    """Give a clinic's resources with their absences."""
    file = desk.clinic_file(clinic)
    tag(response, file.version)
    return shapes.ResourcesOut.of(file)


@router.operation("POST", RESOURCE + "/absences", "add absence", changes=True, status=201)
def add_an_absence(
    desk: Planner,
    clinic: Id,
    resource: Id,
    given: shapes.AbsenceIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.InForceOut:
    """Say that a resource is away; what visits that cannot stand come to is at `/replan`."""
    first, last = given.span()
    done = desk.add_absence(
        clinic,
        resource,
        first,
        last,
        reason=given.reason,
        version=version,
        idempotency_key=key,
    )
    return _in_force(desk, clinic, done, response)


@router.operation("DELETE", RESOURCE + "/absences/{absence}", "remove absence", changes=True)
def remove_an_absence(
    desk: Planner,
    clinic: Id,
    resource: Id,
    absence: Annotated[int, Path(ge=0, le=AT_MOST)],
    key: MaybeKey,
    version: Version,
    response: Response,
) -> shapes.InForceOut:
    """Take an absence back, by its number (from 0) in the version that was read."""
    done = desk.remove_absence(clinic, resource, absence, version=version, idempotency_key=key)
    return _in_force(desk, clinic, done, response)


@router.operation(
    "POST",
    CLINIC + "/blocks",
    "block",
    books=True,
    unversioned="makes a new one, checked against what is there at that moment",
    status=201,
)
def block_resources(desk: Planner, clinic: Id, given: shapes.BlockIn, key: Key) -> shapes.BlockOut:
    """Take resources for something that is no visit."""
    made = desk.block(
        clinic,
        given.resources,
        given.start,
        given.end,
        reason=given.reason,
        override=given.override,
        idempotency_key=key,
    )
    return shapes.BlockOut.of(made)


@router.operation(
    "DELETE", "/blocks/{block}", "unblock", unversioned="a block never changes: it is there or not"
)
def lift_a_block(desk: Planner, block: Id, key: MaybeKey) -> shapes.BlockOut:
    """Give a block's time back."""
    return shapes.BlockOut.of(desk.unblock(block, idempotency_key=key))


def _told(file: Publication) -> shapes.FileOut:
    version = shapes.VersionOut.of(file).model_dump()
    return shapes.FileOut(**version, document=dict(file.document), calendars=dict(file.calendars))


def _file(file: Publication, response: Response) -> shapes.FileOut:
    tag(response, file.version)
    return _told(file)


def _in_force(desk: Desk, clinic: str, done: Published, response: Response) -> shapes.InForceOut:
    version = desk.clinic_file(clinic).version
    tag(response, version)
    return shapes.InForceOut(**PublishedOut.of(done).model_dump(), version=version)
