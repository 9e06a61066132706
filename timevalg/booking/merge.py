"""Merge: two patients turn out to be one; everything of the one becomes the other's."""

from __future__ import annotations

from dataclasses import replace

from timevalg.booking.acting import Act
from timevalg.booking.claiming import Wanted, claim_all, release, whole_picture
from timevalg.booking.deceased import end_of_life
from timevalg.booking.outside import FIRM
from timevalg.booking.own import require_whole
from timevalg.booking.patients import keep, surviving
from timevalg.booking.ports import Ports
from timevalg.booking.proposals import in_words, named, proposals
from timevalg.booking.reliving import replant
from timevalg.booking.running import picture_of, run
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_version
from timevalg.model.principal import Principal
from timevalg.model.records import CaseKind, Patient
from timevalg.model.session import Session, SessionKind
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, is_valid_place


@use_case("merge")
def merge(
    ports: Ports,
    principal: Principal,
    old: str,
    into: str,
    reason: str = "",
    version: int | None = None,
) -> Patient:
    """Make everything of a patient another's: tasks, visits, places, letters.

    From then on the old id means the other one, in late messages too. Merging again changes
    nothing. Where visits of the two overlap both stay, as a conflict for staff: that of the old id
    keeps its resources, and takes the patient's own time again when it is moved.

    Parameters
    ----------
    version : int or None
        That of the one who is to be left, as it was read; None = any.

    Returns
    -------
    Patient
        The one that is left.

    Raises
    ------
    NotAllowed
        If the principal acts for some clinics only.
    StaleVersion
    """

    def body(act: Act) -> Patient:
        picture = whole_picture(act)
        gone, left = surviving(act.unit, old), surviving(act.unit, into)
        if gone.id == left.id:
            return left
        require_version(act.unit, left, version)
        for patient in (gone, left):
            act.audit("patient", patient.id, patient.id)
        keep(act.unit, replace(gone, merged_into=left.id, identity=None, person=None))
        left = keep(act.unit, _known_of_both(gone, left))
        picture = _rename(act, picture, gone.id, left.id)
        _unite(act, picture, gone.id, left.id)
        merged = {"merged": gone.id}
        act.event("patient.merged", "patient", "", left.id, left.version, new=merged)
        if gone.deceased_at is None and left.deceased_at is None:
            return left
        return end_of_life(act, replace(left, deceased_at=None))

    require_whole(principal, "merge")
    picture_of(ports, principal)  # caught up here, so that little is left to do under the lock
    return run(ports, principal, "merge", body, reason=reason)


def _known_of_both(gone: Patient, left: Patient) -> Patient:
    """Give the one that is left with what is known of the other, where it was not known."""
    if left.person is None:
        left = replace(left, identity=gone.identity, person=gone.person)
    return replace(
        left,
        language=left.language if left.version else gone.language,
        name=left.name or gone.name,
        email=left.email or gone.email,
        phone=left.phone or gone.phone,
        birth=left.birth or gone.birth,
        confidential=left.confidential or gone.confidential,
    )


def _rename(act: Act, picture: Picture, gone: str, left: str) -> Picture:
    """Give the tasks, visits and letters of the one to the other; gives the picture with them."""
    unit = act.unit
    for task in unit.tasks.find(patient=gone):
        task = unit.tasks.save(replace(task, patient=left))
        act.event("task.merged", "task", task.clinic, task.id, task.version, task=task)
        if task.id in picture.tasks:
            picture = picture.with_task(task)
    for visit in unit.appointments.find(patient=gone):
        act.save(visit, "appointment.merged", None, patient=left)
    for bond in unit.representations.find(patient=gone):
        unit.representations.save(replace(bond, patient=left))
    for decided in unit.withholdings.find(patient=gone):
        unit.withholdings.save(replace(decided, patient=left))
    for letter in unit.letters.find(patient=gone):
        unit.letters.save(replace(letter, patient=left))
    return picture


def _unite(act: Act, picture: Picture, gone: str, left: str) -> None:
    """Let the time of the one be the other's: bookings first, then the places that still fit."""
    theirs, own = picture.index.by_patient(left), picture.index.by_patient(gone)
    bookings, released = list[Session](), {s.id: s for s in own}
    clashes: list[tuple[Session, list[Session]]] = []
    for booking in (s for s in own if s.kind in FIRM):
        meeting = [s for s in theirs if s.visit.overlaps(booking.visit)]
        fixed = [s for s in meeting if s.kind in FIRM]
        if fixed:
            clashes.append((booking, fixed))
        else:
            released |= {s.id: s for s in meeting}
        bookings.append(replace(booking, patient=None if fixed else left))
    stage = picture.apply(bookings, [k for k in released if k not in {b.id for b in bookings}])
    places = []
    homeless = [s.task for s in released.values() if s.kind not in FIRM and s.task]
    for place in (s for s in own if s.kind is SessionKind.PLACE):
        mine = replace(place, patient=left)
        task = stage.tasks.get(place.task or "")
        if task is not None and is_valid_place(stage, task, mine, stage.now):
            places.append(mine)
            stage = stage.apply([mine])
    kept = (*bookings, *places)
    if kept:
        claim_all(act, stage, [Wanted(Certificate(kept, tuple(released.values())))])
    else:
        release(act, released.values())
    stage, _ = replant(act, stage, homeless)
    for booking, fixed in clashes:
        _report(act, stage, booking, fixed)


def _report(act: Act, picture: Picture, booking: Session, fixed: list[Session]) -> None:
    found = act.unit.appointments.find(session=booking.id)
    if booking.visit.end <= picture.now or not found:
        return  # over: nobody need choose between them
    visit = found[0]
    act.case(
        CaseKind.CONFLICT,
        visit.clinic,
        f"two visits of one patient: {in_words(picture, booking, fixed)}",
        appointment=visit.id,
        ref=visit.ref,
        detail={
            "in_the_way": named(act.unit, fixed),
            "proposals": proposals(picture, replace(booking, patient=visit.patient), [booking]),
        },
    )
