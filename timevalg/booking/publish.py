"""Publish a clinic's file: what it changes, and whom it affects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.claiming import Wanted, claim, claim_all, release
from timevalg.booking.newly_outside import newly_outside
from timevalg.booking.outside import Outside
from timevalg.booking.patients import NO_NAME
from timevalg.booking.ports import Ports
from timevalg.booking.reliving import by_present_lengths, homeless, renewed_place, replant
from timevalg.booking.running import run
from timevalg.booking.seal import seal_later
from timevalg.booking.take_in import bring_in
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_number
from timevalg.clinic import Written, read_beside, read_sources
from timevalg.clinic.finding import Finding
from timevalg.clinic.sharing import organisation_id
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Organisation
from timevalg.model.codec import digest
from timevalg.model.contents import Contents, Source
from timevalg.model.errors import InvalidInput, Problem
from timevalg.model.identity_number import is_identity_number
from timevalg.model.principal import Principal
from timevalg.model.records import Publication
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import LIVE, AppointmentState, TaskState
from timevalg.model.task import Task
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate, after, is_place, is_valid_place


@dataclass(frozen=True)
class Published:
    """What publishing did.

    Attributes
    ----------
    clinics : tuple of str
        Those that changed; publishing the same file twice changes nothing.
    outside : mapping
        Appointment id → the rules its booking breaks now. Bookings are left alone.
    lost : tuple of str
        Live tasks whose place is not valid any more and for whom no other is left.
    conflicts : tuple of str
        Bookings of the file that could not be taken in, as case ids.
    """

    clinics: tuple[str, ...]
    outside: Mapping[str, tuple[str, ...]]
    lost: tuple[str, ...]
    conflicts: tuple[str, ...]


@use_case("publish")
def publish(
    ports: Ports, principal: Principal, files: Sequence[Written], version: int | None = None
) -> Published:
    """Make clinic files the ones in force, and take in the bookings they list.

    Clinics that the files do not name stay as they are, so do the sections that a file leaves out
    (`timevalg.clinic.beside`), and so does every booking.

    Parameters
    ----------
    version : int or None
        Of the organisation's files together (`version_of_all`), as they were read; None = any.

    Raises
    ------
    InvalidInput
        If the files belong to another organisation, or do not fit the clinics there are.
    StaleVersion
    """

    def body(act: Act) -> Published:
        act.unit.lock((), whole=True)
        organisation = act.unit.organisation
        require_number("organisation", organisation, version_of_all(act), version)
        present = current_sources(act)
        return put_in_force(act, read_given(act, files, present), present)

    return run(ports, principal, "publish", body)


def version_of_all(act: Act) -> int:
    """Give the version of all clinic files together: how many there have been."""
    return act.unit.publications.count()


def read_given(act: Act, files: Sequence[Written], present: Mapping[str, Source]) -> Contents:
    """Read files as they would be in force, completed by those that are.

    Raises
    ------
    InvalidInput
        If they belong to another organisation, or anything is wrong with them.
    """
    own = act.principal.organisation
    foreign = [
        problem
        for file in files
        if (stated := organisation_id(file.document)) not in {None, own}
        for problem in file.problems(
            [Finding(("clinic", "organisation"), f"{stated!r} is not yours, which is {own!r}")]
        )
    ]
    if foreign:
        raise InvalidInput(foreign)
    return read_beside(files, present)


def put_in_force(act: Act, contents: Contents, present: Mapping[str, Source]) -> Published:
    """Do it, in the transaction of whoever asks (`whatif` undoes it).

    Parameters
    ----------
    contents : Contents
        Of all clinics; `sources` are those that are to be in force.
    present : mapping
        Those that are (`current_sources`).
    """
    act.unit.lock((), whole=True)
    changed = tuple(c for c, source in contents.sources.items() if not same(present.get(c), source))
    if not changed:
        return Published((), {}, (), ())
    _require_pseudonyms({clinic: contents.sources[clinic] for clinic in changed})
    _require_used(act, contents.organisation, changed)
    for clinic in changed:
        allow(act.verb, act.principal, kind="clinic", key=clinic, clinic=clinic)
        _store(act, clinic, contents.sources[clinic])
    before = read_sources(present).organisation if present else None
    taking_in = Outside(act)
    outside = {} if before is None else newly_outside(taking_in.picture, before, _to_come(act))
    listed = [b for b in contents.bookings if b.session.clinic in changed]
    conflicts = bring_in(act, taking_in, listed)
    lost = taking_in.finish()
    lost += _move_invalid_places(act, taking_in.picture)
    return Published(changed, outside, lost, conflicts)


def current_sources(act: Act) -> dict[str, Source]:
    """Give the newest published source of every clinic."""
    return {clinic: p.source for clinic, p in act.unit.publications.newest().items()}


def same(old: Source | None, new: Source) -> bool:
    """Tell whether two sources say the same: dates come back from the store as text."""
    return old is not None and (old == new or digest(old) == digest(new))


def _store(act: Act, clinic: str, source: Source) -> None:
    version = act.unit.publications.count(clinic=clinic) + 1
    act.unit.publications.add(
        Publication(
            id=f"{clinic}:{version}",
            organisation=act.unit.organisation,
            clinic=clinic,
            version=version,
            published_at=act.unit.now(),
            by=act.principal.id,
            document=source.document,
            calendars=source.calendars,
        )
    )
    act.audit("clinic", clinic)
    seal_later(act)
    act.event("clinic.published", "clinic", clinic, clinic, version, new={"version": version})


def _require_pseudonyms(sources: Mapping[str, Source]) -> None:
    """Refuse a file that names patients by identity numbers: it is kept as it is, for good.

    Raises
    ------
    InvalidInput
    """
    named = [
        Problem(clinic, None, f"{section}[{number}].patient", NO_NAME)
        for clinic, source in sources.items()
        for section in ("bookings", "tasks")
        for number, row in enumerate(source.document.get(section) or ())
        if is_identity_number(str(row.get("patient") or ""))
    ]
    if named:
        raise InvalidInput(named)


def _require_used(act: Act, organisation: Organisation, changed: tuple[str, ...]) -> None:
    """Refuse a file without a pool or service that someone's task or visit still needs.

    Raises
    ------
    InvalidInput
    """
    visits = [v for v in _to_come(act) if v.clinic in changed]
    tasks = act.unit.tasks.find(state=LIVE | {TaskState.CHOSEN, TaskState.ASSIGNED})
    tasks += act.unit.tasks.find(id=frozenset(v.task for v in visits if v.task))
    pools = {(t.clinic, p) for t in tasks for p in t.pools if t.clinic in changed}
    pools |= {(v.clinic, v.pool) for v in visits if v.pool is not None}
    services = {(v.clinic, v.service) for v in visits}
    clinics = organisation.clinics
    gone = [("pools", c, p) for c, p in sorted(pools) if p not in clinics[c].pools]
    gone += [("services", c, s) for c, s in sorted(services) if s not in clinics[c].services]
    if gone:
        raise InvalidInput(
            Problem(clinic, None, key, f"{name} is still needed by patients; keep it, but closed")
            for key, clinic, name in gone
        )


def _to_come(act: Act) -> list[Appointment]:
    to_come = Between(act.unit.now())
    return act.unit.appointments.find(state=AppointmentState.BOOKED, start=to_come)


def _move_invalid_places(act: Act, picture: Picture) -> tuple[str, ...]:
    """Find places for those whose own the new files make invalid; gives the tasks with none left.

    One that is valid, but takes more or less time by now, stays where it is if that is free. A held
    time that can be no place any more stays held if it may yet be chosen and there is another
    place, else it is given up too. Whoever had lost their place before is looked for as well.
    """
    stale: list[tuple[Session, Task, Session | None]] = []
    for old in filter(is_place, picture.index.sessions.values()):
        task = picture.tasks.get(old.task or "")
        if task is None or not task.is_live:
            continue
        is_valid = is_valid_place(picture, task, old, picture.now)
        new = by_present_lengths(picture, task, old) if is_valid else None
        if new != old:
            stale.append((old, task, new))
    places = [row for row in stale if row[0].kind is SessionKind.PLACE]
    release(act, [old for old, *_ in places])
    bare = picture.apply(removed=[old.id for old, *_ in places])
    for hold, task, _ in stale:
        if hold.kind is not SessionKind.HOLD:
            continue
        certificate = renewed_place(bare, task)
        if certificate is None:
            release(act, [hold])
            bare = bare.apply(removed=[hold.id])
        else:
            claim(act, bare, certificate, None)
            bare = after(bare, certificate)
    stay = []
    for _, task, new in places:
        if new is not None and is_valid_place(bare, task, new, bare.now):
            stay.append(Wanted(Certificate((new,))))
            bare = bare.apply([new])
    claim_all(act, bare, stay)
    return replant(act, bare, [t.id for t in homeless(bare)])[1]
