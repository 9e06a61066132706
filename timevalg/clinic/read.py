"""Reads clinic files: collects every problem of every file, or gives what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path as FilePath

from timevalg.clinic.beside import beside
from timevalg.clinic.build import build_clinic
from timevalg.clinic.busy import Calendars
from timevalg.clinic.check import Checked, check, zone
from timevalg.clinic.doubts import doubts
from timevalg.clinic.files import Written, from_sources, read_files
from timevalg.clinic.finding import Finding
from timevalg.clinic.format import ResourceRow
from timevalg.clinic.sharing import RULES, Folder, clinic_id, clinic_ids_are_unique, organisation_id
from timevalg.clinic.visits import build_booking, build_hold, build_task
from timevalg.model.clinic import Clinic, Organisation
from timevalg.model.contents import Contents, FileBooking, Source
from timevalg.model.errors import InvalidInput, Problem
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.text import Text


def read(path: FilePath | str, now: datetime | None = None) -> Contents:
    """Read a clinic file, or a folder of them.

    Parameters
    ----------
    path : Path or str
        A YAML or JSON file, or a folder with one clinic a file.
    now : datetime or None
        Used for one thing: the state of tasks that do not say theirs. Without an offset it is
        each clinic's local time. None: such tasks are scheduled.

    Returns
    -------
    Contents
        The same for the same files and `now`; no clock is read.

    Raises
    ------
    InvalidInput
        If anything is wrong: all problems of all files, each with file, line, key and value.
    """
    return _assemble(read_files(FilePath(path)), now)


def read_sources(sources: Mapping[str, Source]) -> Contents:
    """Read what `Contents.sources` gave, by the same rules.

    Parameters
    ----------
    sources : mapping
        Clinic id → its file as plain data, with its calendars.

    Raises
    ------
    InvalidInput
        If anything is wrong; without lines.
    """
    if not sources:
        raise InvalidInput.single("", "there is no clinic to read")
    return _assemble(from_sources(sources), None)


def read_beside(files: Sequence[Written], published: Mapping[str, Source]) -> Contents:
    """Read files as they would be in force, completed by what is published and beside the rest.

    Parameters
    ----------
    published : mapping
        Clinic id → its file in force.

    Returns
    -------
    Contents
        Of all clinics; its `sources` are those of the files given, with what they leave out.

    Raises
    ------
    InvalidInput
        If anything is wrong, with lines where there are any; if two files are of one clinic that
        alone, for what else is wrong may come of it.
    """
    found = [list[Finding]() for _ in files]
    for index, finding in clinic_ids_are_unique(_folder(files)):
        found[index].append(finding)
    if problems := _problems(files, found):
        raise InvalidInput(problems)
    contents = _assemble(beside(files, published), None)
    given = {clinic_id(f.document) for f in files}
    return replace(contents, sources={c: s for c, s in contents.sources.items() if c in given})


def stated_organisation(files: Sequence[Written]) -> str:
    """Give the organisation that files are of, by their own words.

    Raises
    ------
    InvalidInput
        If none says so: all that is wrong with them by themselves.
    """
    stated = (organisation_id(f.document) for f in files)
    return next((name for name in stated if name), "") or _assemble(files, None).organisation.id


def _assemble(files: Sequence[Written], now: datetime | None) -> Contents:
    folder = _folder(files)
    checked = [
        check(f.document, n) if f.readable else Checked(n)
        for f, n in zip(files, folder.names, strict=True)
    ]
    calendars = [Calendars(f, c) for f, c in zip(files, checked, strict=True)]
    found = [
        [*f.findings, *c.findings, *k.findings]
        for f, c, k in zip(files, checked, calendars, strict=True)
    ]
    for rule in RULES:
        for index, finding in rule(folder):
            found[index].append(finding)
    problems = _problems(files, found)
    if problems:
        raise InvalidInput(problems)
    return _Contents(files, checked, calendars, now).build()


def _folder(files: Sequence[Written]) -> Folder:
    return Folder([f.document for f in files], [f.where for f in files])


def _problems(files: Sequence[Written], found: list[list[Finding]]) -> list[Problem]:
    return [p for f, findings in zip(files, found, strict=True) for p in f.problems(findings)]


class _Contents:
    """Builds the values, once nothing is wrong."""

    def __init__(
        self,
        files: Sequence[Written],
        checked: list[Checked],
        calendars: list[Calendars],
        now: datetime | None,
    ) -> None:
        self.files, self.checked, self.calendars, self.now = files, checked, calendars, now
        self.grid = _grid(checked)
        self.resources: dict[tuple[str, str], ResourceRow] = {}
        for file in checked:
            assert file.clinic is not None
            for _, row in file.rows["resources"]:
                self.resources[file.clinic.id, row.id] = row

    def build(self) -> Contents:
        clinics = [
            build_clinic(c, self._lent, k.busy, self.grid)
            for c, k in zip(self.checked, self.calendars, strict=True)
        ]
        organisation = Organisation(clinics[0].organisation, {c.id: c for c in clinics})
        bookings: list[FileBooking] = []
        holds: list[Session] = []
        tasks: list[Task] = []
        for checked, clinic in zip(self.checked, clinics, strict=True):
            rows = {row.id: row for _, row in checked.rows["tasks"]}
            own = [build_booking(r, clinic, rows, self.grid) for _, r in checked.rows["bookings"]]
            booked = frozenset(b.session.task for b in own if b.session.task is not None)
            bookings += own
            holds += [build_hold(r, clinic, rows, self.grid) for _, r in checked.rows["holds"]]
            tasks += [
                build_task(row, clinic, checked.names, booked, self.now) for row in rows.values()
            ]
        return Contents(
            organisation=organisation,
            bookings=tuple(bookings),
            holds=tuple(holds),
            tasks=tuple(tasks),
            sources={c.id: f.source() for c, f in zip(clinics, self.files, strict=True)},
            warnings=tuple(self._warnings(clinics, bookings, tasks)),
        )

    def _warnings(
        self, clinics: list[Clinic], bookings: list[FileBooking], tasks: list[Task]
    ) -> list[Problem]:
        found: dict[str, list[Finding]] = {}
        for clinic, finding in doubts(clinics, bookings, tasks):
            found.setdefault(clinic, []).append(finding)
        return _problems(self.files, [found.get(c.id, []) for c in clinics])

    def _lent(self, clinic: str, resource: str) -> ResourceRow | None:
        group = resource.rpartition("/")[0]
        return self.resources.get((clinic, resource)) or self.resources.get((clinic, group))


def _grid(checked: list[Checked]) -> int:
    clinics = {}
    for file in checked:
        row = file.clinic
        assert row is not None
        where = zone(row.timezone)
        assert where is not None
        clinics[row.id] = Clinic(row.id, row.organisation, Text.plain(row.id), where, row.cell)
    return Organisation("", clinics).grid
