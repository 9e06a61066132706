"""Clinic files in force: their versions, what a new one would say, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from timevalg.booking.access import allow, scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.publish import (
    Published,
    current_sources,
    put_in_force,
    read_given,
    version_of_all,
)
from timevalg.booking.running import glance, run
from timevalg.booking.unit_of_work import Between
from timevalg.booking.use_cases import use_case
from timevalg.booking.versions import require_number
from timevalg.clinic import Written, from_sources, from_text, read_beside
from timevalg.clinic.difference import Difference, differences
from timevalg.clinic.finding import Finding
from timevalg.clinic.sharing import clinic_id
from timevalg.model.contents import Contents, Source
from timevalg.model.errors import InvalidInput, NotFound
from timevalg.model.principal import Principal
from timevalg.model.records import Publication

MOST = 100
"""Versions on a page at most."""


@dataclass(frozen=True)
class GivenFile:
    """A clinic's file that is not in force (yet).

    Attributes
    ----------
    file : str or mapping
        YAML or JSON as text, or plain data.
    calendars : mapping
        Text of the iCalendar files that it names.
    """

    file: str | Mapping[str, Any]
    calendars: Mapping[str, str]

    def written(self, clinic: str) -> Written:
        """Give it as a clinic's file."""
        if isinstance(self.file, str):
            return from_text(f"clinic {clinic}", self.file, self.calendars)
        return from_sources({clinic: Source(self.file, self.calendars)})[0]


@use_case("check clinic file", keyed=False)
def check_file(ports: Ports, principal: Principal, clinic: str, given: GivenFile) -> Contents:
    """Read a clinic's file beside the others in force; nothing is written.

    Raises
    ------
    InvalidInput
        Everything that is wrong with it, with lines where it came as text.
    """

    def body(act: Act) -> Contents:
        allow(act.verb, principal, kind="clinic", key=clinic, clinic=clinic)
        return _read(act, clinic, given, current_sources(act))

    return glance(ports, principal, "check clinic file", body)


@use_case("compare clinic files", keyed=False)
def compare(
    ports: Ports,
    principal: Principal,
    clinic: str,
    given: GivenFile | int,
    to: int | None = None,
) -> list[Difference]:
    """Say what is different in a file, or a version, from a version in `to`.

    Parameters
    ----------
    given : GivenFile or int
        What is compared: a file that is read, or a version.
    to : int or None
        With which version; None = the one in force (with nothing, where there is none).
    """

    def body(act: Act) -> list[Difference]:
        allow(act.verb, principal, kind="clinic", key=clinic, clinic=clinic)
        if isinstance(given, int):
            new: Any = version_of(act, clinic, given).document
        else:
            contents = _read(act, clinic, given, current_sources(act))
            new = contents.sources[clinic].document
        newest = newest_of(act, clinic)
        old = newest if to is None else version_of(act, clinic, to)
        return list(differences(old.document if old is not None else {}, new))

    return glance(ports, principal, "compare clinic files", body)


@use_case("read clinic file", keyed=False)
def list_versions(
    ports: Ports, principal: Principal, clinic: str, below: int | None = None, limit: int = MOST
) -> list[Publication]:
    """Give a page of a clinic's versions, newest first.

    Parameters
    ----------
    below : int or None
        The last version of the page before.
    """

    def body(act: Act) -> list[Publication]:
        _require_clinic(act, clinic)
        size, span = max(1, min(limit, MOST)), Between(high=below)
        return act.unit.publications.find(order="-version", limit=size, clinic=clinic, version=span)

    return run(ports, principal, "read clinic file", body)


def read_version(
    ports: Ports, principal: Principal, clinic: str, version: int | None = None
) -> Publication:
    """Give a version of a clinic's file, or the one in force."""

    def body(act: Act) -> Publication:
        newest = _require_clinic(act, clinic)
        return newest if version is None else version_of(act, clinic, version)

    return run(ports, principal, "read clinic file", body)


def list_clinics(ports: Ports, principal: Principal) -> list[Publication]:
    """Give the files in force of the clinics that are the principal's, by clinic."""
    scope_of("read clinic file", principal)

    def body(act: Act) -> list[Publication]:
        newest = act.unit.publications.newest()
        mine = sorted(c for c in newest if principal.clinics is None or c in principal.clinics)
        for clinic in mine:
            act.audit("clinic", clinic)
        return [newest[clinic] for clinic in mine]

    return run(ports, principal, "read clinic file", body)


def version_in_force(ports: Ports, principal: Principal) -> int:
    """Give the version of all clinic files together, as `publish` compares it."""
    return glance(ports, principal, "read clinic file", version_of_all)


@use_case("publish clinic file")
def publish_file(
    ports: Ports,
    principal: Principal,
    clinic: str,
    given: GivenFile,
    version: int | None = None,
    reason: str = "",
) -> Published:
    """Put one clinic's file in force, in place of a version that the planner has read.

    Parameters
    ----------
    version : int or None
        The one in force as it was read, 0 where there is none; None = whatever is.

    Raises
    ------
    StaleVersion
        If somebody has published another meanwhile.
    InvalidInput
        If the file is wrong, or takes away what patients still need.
    """

    def body(act: Act) -> Published:
        act.unit.lock((), whole=True)
        allow(act.verb, principal, kind="clinic", key=clinic, clinic=clinic)
        require_newest(newest_of(act, clinic), clinic, version)
        present = current_sources(act)
        return put_in_force(act, _read(act, clinic, given, present), present)

    return run(ports, principal, "publish clinic file", body, reason=reason)


@use_case("roll back")
def roll_back(
    ports: Ports,
    principal: Principal,
    clinic: str,
    to: int,
    version: int | None = None,
    reason: str = "",
) -> Published:
    """Put an earlier version of a clinic's file in force again, as a new version.

    Bookings are left alone, those that the earlier version lists too.

    Raises
    ------
    NotFound, StaleVersion, InvalidInput
    """

    def body(act: Act) -> Published:
        act.unit.lock((), whole=True)
        require_newest(_require_clinic(act, clinic), clinic, version)
        earlier = version_of(act, clinic, to)
        return put_source(act, clinic, dict(earlier.document), earlier.calendars)

    return run(ports, principal, "roll back", body, reason=reason)


def put_source(
    act: Act, clinic: str, document: Mapping[str, Any], calendars: Mapping[str, str]
) -> Published:
    """Put a whole document in force: what it leaves out is empty; its bookings are not taken in."""
    present = current_sources(act)
    others = {name: source for name, source in present.items() if name != clinic}
    contents = read_beside(from_sources({clinic: Source(document, calendars)}), others)
    return put_in_force(act, replace(contents, bookings=()), present)


def newest_of(act: Act, clinic: str) -> Publication | None:
    """Give the version of a clinic's file that is in force, if there is one."""
    found = act.unit.publications.find(order="-version", limit=1, clinic=clinic)
    return found[0] if found else None


def version_of(act: Act, clinic: str, version: int) -> Publication:
    """Give a version of a clinic's file.

    Raises
    ------
    NotFound
    """
    found = act.unit.publications.find(clinic=clinic, version=version)
    if not found:
        raise NotFound("version", f"{clinic}:{version}")
    return found[0]


def require_newest(newest: Publication | None, clinic: str, version: int | None) -> None:
    """Refuse to replace another version than the one that was read.

    Raises
    ------
    StaleVersion
    """
    require_number("clinic", clinic, newest.version if newest is not None else 0, version)


def _require_clinic(act: Act, clinic: str) -> Publication:
    """Give the file in force of a clinic that the principal may use the verb on."""
    allow(act.verb, act.principal, kind="clinic", key=clinic, clinic=clinic)
    newest = newest_of(act, clinic)
    if newest is None:
        raise NotFound("clinic", clinic)
    act.audit("clinic", clinic)
    return newest


def _read(act: Act, clinic: str, given: GivenFile, present: Mapping[str, Source]) -> Contents:
    written = given.written(clinic)
    if clinic_id(written.document) not in {None, clinic}:
        raise InvalidInput(written.problems([Finding(("clinic", "id"), f"is not {clinic!r}")]))
    return read_given(act, [written], present)
