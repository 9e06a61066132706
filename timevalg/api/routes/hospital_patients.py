"""Patients and who may act for them; their ids stand in bodies only, never in an address."""

from __future__ import annotations

from fastapi import Response

from timevalg.api.routes.privacy import withhold_a_task, withhold_a_visit
from timevalg.api.routes.verbs import TASK, VISIT, Here, Verbs, told_patient
from timevalg.api.schemas import patients
from timevalg.api.schemas.given import Id
from timevalg.api.schemas.patient import ReasonIn
from timevalg.api.schemas.privacy import RepresentativeOut, RepresentativesOut
from timevalg.api.surface import MaybeKey, Version, tag
from timevalg.model.representation import Representation

VERBS = Verbs()
BOND = "/representations/{representation}"


def _told_bond(made: Representation, response: Response) -> RepresentativeOut:
    tag(response, made.version)
    return RepresentativeOut.of(made)


@VERBS.add(
    "POST",
    "/patients/register",
    "register patient",
    changes=True,
    system="register_a_patient",
    planner="register_patient_of_clinic",
)
def register_patient(
    hospital: Here,
    given: patients.PatientIn,
    key: MaybeKey,
    version: Version,
    response: Response,
) -> patients.PatientOut:
    """Say what a patient is called, their language, where letters may go; If-Match "0": new."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    found = hospital.register(**fields, version=version, idempotency_key=key)
    return told_patient(found, response)


@VERBS.add(
    "POST",
    "/patients/find",
    "find patient",
    unversioned="changes nothing",
    system="find_a_patient",
    planner="find_patient_of_clinic",
)
def find_patient(hospital: Here, given: patients.WhomIn, response: Response) -> patients.PatientOut:
    """Give the patient with an identity number or an id, which stands in the body alone."""
    found = hospital.patient_with(given.identity, patient=given.patient)
    return told_patient(found, response)


@VERBS.add(
    "POST",
    "/patients/represent",
    "register representation",
    status=201,
    unversioned="makes a new one; one that stood on the same basis ends by being followed",
    system="register_a_representative",
    planner="register_representative_of_patient",
)
def register_representative(
    hospital: Here, given: patients.RepresentativeIn, key: MaybeKey, response: Response
) -> RepresentativeOut:
    """Say who may act for a patient; what stood between the two on that basis ends with it."""
    fields = {name: getattr(given, name) for name in type(given).model_fields}
    fields["areas"] = tuple(given.areas)
    return _told_bond(hospital.represent(**fields, idempotency_key=key), response)


@VERBS.add(
    "POST",
    "/patients/representatives",
    "list representations",
    unversioned="changes nothing",
    system="representatives_of_a_patient",
    planner="representatives_of_patient_of_clinic",
)
def list_representatives(hospital: Here, given: patients.PatientNamed) -> RepresentativesOut:
    """Tell who may act for a patient, or might, those whose time is over too."""
    found = hospital.representations(given.patient)
    return RepresentativesOut(representatives=[RepresentativeOut.of(one) for one in found])


@VERBS.add(
    "POST",
    BOND + "/end",
    "end representation",
    changes=True,
    system="end_a_representation",
    planner="end_representation_of_patient",
)
def end_representation(
    hospital: Here, representation: Id, given: ReasonIn, version: Version, response: Response
) -> RepresentativeOut:
    """End a representation now; its `version` is its ETag."""
    ended = hospital.end_representation(representation, given.reason, version)
    return _told_bond(ended, response)


for _path, _decide, _system, _planner in (
    (TASK, withhold_a_task, "withhold_an_invitation", "withhold_invitation_of_patient"),
    (VISIT, withhold_a_visit, "withhold_a_sent_visit", "withhold_visit_of_patient"),
):
    VERBS.add(
        "POST",
        _path + "/withholding",
        "withhold",
        changes=True,
        system=_system,
        planner=_planner,
    )(_decide)
