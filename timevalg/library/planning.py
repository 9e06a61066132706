"""What planners can do with clinic files, lists and searches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from timevalg.booking import attendance, clinic_edits, clinic_files, figures, inbox, search, whatif
from timevalg.booking.attendance import Expected
from timevalg.booking.clinic_edits import Edge
from timevalg.booking.clinic_files import GivenFile
from timevalg.booking.figures import Report
from timevalg.booking.inbox import ToCheck
from timevalg.booking.publish import Published
from timevalg.booking.search import Free, Sought
from timevalg.booking.whatif import Forecast
from timevalg.clinic.difference import Difference
from timevalg.library.hospital import Hospital
from timevalg.library.patient import key_of
from timevalg.model.contents import Contents
from timevalg.model.records import Publication, StaffCase
from timevalg.solver.explain import Explanation


@dataclass(frozen=True)
class Planning(Hospital):
    """What planners do beside what record systems do too."""

    # -- clinic files --------------------------------------------------------------------------

    def versions(
        self, clinic: str, below: int | None = None, limit: int = clinic_files.MOST
    ) -> list[Publication]:
        """Give a page of a clinic's versions, newest first."""
        return clinic_files.list_versions(self.ports, self.principal, clinic, below, limit)

    def clinic_file(self, clinic: str, version: int | None = None) -> Publication:
        """Give a version of a clinic's file; None = the one in force."""
        return clinic_files.read_version(self.ports, self.principal, clinic, version)

    def check_file(
        self,
        clinic: str,
        file: str | Mapping[str, Any],
        calendars: Mapping[str, str] | None = None,
    ) -> Contents:
        """Read a clinic's file (text or plain data) as it would be in force.

        Sections that it leaves out are as published; `InvalidInput` says all that is wrong.
        """
        given = GivenFile(file, calendars or {})
        return clinic_files.check_file(self.ports, self.principal, clinic, given)

    def forecast(
        self,
        clinic: str,
        file: str | Mapping[str, Any],
        calendars: Mapping[str, str] | None = None,
    ) -> Forecast:
        """Say what putting a clinic's file in force would do; writes nothing."""
        self.check_file(clinic, file, calendars)
        given = GivenFile(file, calendars or {}).written(clinic)
        return whatif.what_if(self.ports, self.principal, [given])

    def compare(
        self,
        clinic: str,
        file: str | Mapping[str, Any] | int,
        calendars: Mapping[str, str] | None = None,
        *,
        to: int | None = None,
    ) -> list[Difference]:
        """Say what is different in a file, or a version, from another; None = the one in force."""
        given = file if isinstance(file, int) else GivenFile(file, calendars or {})
        return clinic_files.compare(self.ports, self.principal, clinic, given, to)

    def publish_file(
        self,
        clinic: str,
        file: str | Mapping[str, Any],
        calendars: Mapping[str, str] | None = None,
        *,
        version: int | None = None,
        reason: str = "",
        idempotency_key: str | None = None,
    ) -> Published:
        """Put a clinic's file in force, in place of the version that was read.

        Sections that it leaves out stay as they are there; ``[]`` empties one.
        """
        ports, given = self.once(idempotency_key), GivenFile(file, calendars or {})
        return clinic_files.publish_file(ports, self.principal, clinic, given, version, reason)

    def roll_back(
        self,
        clinic: str,
        to: int,
        *,
        version: int | None = None,
        reason: str = "",
        idempotency_key: str | None = None,
    ) -> Published:
        """Put an earlier version of a clinic's file in force again."""
        ports = self.once(idempotency_key)
        return clinic_files.roll_back(ports, self.principal, clinic, to, version, reason)

    def switch_pool(
        self,
        clinic: str,
        pool: str,
        on: bool,
        *,
        reason: str = "",
        override: bool = False,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Open a pool for choice, or close it."""
        ports = self.once(idempotency_key)
        return clinic_edits.switch_pool(
            ports, self.principal, clinic, pool, on, reason, override, version
        )

    def add_absence(
        self,
        clinic: str,
        resource: str,
        first: Edge,
        last: Edge,
        *,
        reason: str = "",
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Say that a resource is away; `replan` says which visits cannot stand."""
        ports = self.once(idempotency_key)
        return clinic_edits.add_absence(
            ports, self.principal, clinic, resource, first, last, reason, version
        )

    def remove_absence(
        self,
        clinic: str,
        resource: str,
        number: int,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Take an absence back, by its number in the version that was read."""
        ports = self.once(idempotency_key)
        return clinic_edits.remove_absence(ports, self.principal, clinic, resource, number, version)

    # -- lists and searches --------------------------------------------------------------------

    def staff_list(
        self, kinds: Collection[str] = (), after: str = "", limit: int | None = None
    ) -> list[StaffCase]:
        """Give what waits for a person, oldest first."""
        return inbox.staff_list(self.ports, self.principal, kinds, after, limit)

    def choices_to_check(self, after: str = "", limit: int = inbox.MOST) -> list[ToCheck]:
        """Give the choices that wait for a check, oldest first."""
        return inbox.choices_to_check(self.ports, self.principal, after, limit)

    def close_case(
        self,
        case: StaffCase | str,
        reason: str = "",
        version: int | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> StaffCase:
        """Take off the staff list what somebody has seen to."""
        ports = self.once(idempotency_key)
        return inbox.close_case(ports, self.principal, key_of(case), reason, version)

    def attendance(
        self, clinic: str, first: date | None = None, last: date | None = None
    ) -> list[Expected]:
        """Give who comes today, or on some days, and how prepared they are."""
        return attendance.attendance_list(self.ports, self.principal, clinic, first, last)

    def figures(
        self,
        first: date | None = None,
        last: date | None = None,
        clinic: str | None = None,
        *,
        by_month: bool = False,
    ) -> Report:
        """Count what happened in some local days, both included; default this year till now."""
        return figures.figures(self.ports, self.principal, first, last, clinic, by_month)

    def search(
        self,
        sought: Sought,
        since: tuple[datetime, str] | None = None,
        limit: int = search.MOST,
    ) -> list[Free]:
        """Give a page of feasible starts, in order of time."""
        return search.search(self.ports, self.principal, sought, since, limit)

    def explain(self, sought: Sought, start: datetime | None = None) -> Explanation:
        """Say why there are no more starts, or why not just then."""
        return search.explain(self.ports, self.principal, sought, start)
