"""Everything that can be wrong inside one clinic file, found in one go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from timevalg.clinic.days_off import country_holidays, known_countries
from timevalg.clinic.finding import Finding, Path, nearest, shown
from timevalg.clinic.format import ClinicFile, ClinicRow, Row
from timevalg.clinic.names import MAX_RESOURCES, Names, rows
from timevalg.clinic.rule import Around
from timevalg.clinic.rules import RULES
from timevalg.clinic.scalars import Grid, Ref, clock_minute
from timevalg.clinic.shape import Place, fields, places
from timevalg.clinic.strict import read_row

MAX_FINDINGS = 1000
FORMATS = (1,)


@dataclass
class Checked:
    """One file's good rows, and what is wrong with it."""

    names: Names
    clinic: ClinicRow | None = None
    rows: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def note(self, found: Iterator[Finding] | list[Finding]) -> None:
        """Keep findings, until there are too many to be read by anyone."""
        for finding in found:
            if len(self.findings) >= MAX_FINDINGS:
                return
            self.findings.append(finding)
            if len(self.findings) == MAX_FINDINGS:
                self.findings.append(Finding((), f"more than {MAX_FINDINGS} things are wrong"))


def check(document: Any, names: Names) -> Checked:
    """Check one document.

    Parameters
    ----------
    names : Names
        What the document names; collected before, as it takes a look at the other files.
    """
    checked = Checked(names)
    if not isinstance(document, dict):
        checked.note(
            [Finding((), f"{shown(document)} is no mapping with `format: 1` and `clinic:`")]
        )
        return checked
    version = document.get("format")
    if "format" in document and (type(version) is not int or version not in FORMATS):
        known = " and ".join(map(str, FORMATS))
        what = f"format {shown(version)} is not known here; this version reads format {known}"
        checked.note([Finding(("format",), what)])
        return checked
    checked.note(_top_level(document))
    raw = document.get("clinic")
    cell = raw.get("cell", 5) if isinstance(raw, dict) else 5
    clinic = raw.get("id") if isinstance(raw, dict) else None
    good_cell = cell if type(cell) is int and cell > 0 else 1
    around = Around(names, good_cell, clinic if isinstance(clinic, str) else "")
    if isinstance(raw, dict):
        checked.clinic = _row(checked, ClinicRow, raw, ("clinic",), around)
        checked.note(_zone_exists(raw))
        checked.note(_country_exists(raw))
    for section, shape in fields(ClinicFile).items():
        if shape.each is None or shape.each.row is None:
            continue
        good = checked.rows.setdefault(section, [])
        for index, value in enumerate(_list(document.get(section))):
            if len(checked.findings) > MAX_FINDINGS:
                break
            row = _row(checked, shape.each.row, value, (section, index), around)
            if row is not None:
                good.append((index, row))
    checked.note(_ids_are_unique(document, names))
    return checked


def _row(checked: Checked, model: type[Row], value: Any, path: Path, around: Around) -> Any:
    row, wrong = read_row(model, value, path)
    if row is None and len(wrong) == 1 and wrong[0].path == path:
        checked.note(wrong)
        return None
    checked.note(wrong)
    bad = {f.path[:n] for f in wrong for n in range(len(path), len(f.path) + 1)}
    before = len(checked.findings)
    for place in places(model, value, path):
        if isinstance(place.what, type):
            if place.path not in bad:
                checked.note(_rules(place, row if place.path == path else None, around))
        elif place.path not in bad:
            checked.note(_marked(place, around))
    return row if len(checked.findings) == before else None


def _rules(place: Place, row: Row | None, around: Around) -> Iterator[Finding]:
    assert isinstance(place.what, type)
    rules = RULES.get(place.what)
    if rules:
        row = row or place.what.model_validate(place.value)
        for rule in rules:
            for path, message in rule(row, around):
                yield Finding((*place.path, *path), message)


def _marked(place: Place, around: Around) -> Iterator[Finding]:
    if isinstance(place.what, Ref):
        if isinstance(place.value, str) and not around.names.knows(place.what.kind, place.value):
            yield Finding(place.path, _unknown(place.what.kind, place.value, around.names))
    elif isinstance(place.what, Grid):
        value = clock_minute(place.value) if isinstance(place.value, str) else place.value
        if type(value) is int and value % around.cell:
            yield Finding(
                place.path, f"{shown(place.value)} is off the grid of {around.cell} minutes"
            )


def _unknown(kind: str, name: str, names: Names) -> str:
    if kind == "member" and name in names.groups:
        members = names.members(name)
        return f"{shown(name)} means {len(members)}; name one of {members[0]} … {members[-1]}"
    what = "resource" if kind == "member" else kind
    return f"there is no {what} {shown(name)}{nearest(name, names.of_kind(kind))}"


def _top_level(document: dict[str, Any]) -> Iterator[Finding]:
    known = fields(ClinicFile)
    for key, value in document.items():
        if key not in known:
            yield Finding((key,), f"unknown key {shown(key)}{nearest(key, known)}")
        elif key == "clinic" and not isinstance(value, dict):
            yield Finding((key,), f"{shown(value)} is not a mapping")
        elif key not in ("format", "clinic") and not isinstance(value, list):
            yield Finding((key,), f"{shown(value)} is not a list; if it is empty, write []")
    for key in ("format", "clinic"):
        if key not in document:
            yield Finding((key,), "is required")


def _zone_exists(clinic: dict[str, Any]) -> Iterator[Finding]:
    name = clinic.get("timezone")
    if isinstance(name, str) and zone(name) is None:
        hint = nearest(name, sorted(available_timezones()))
        yield Finding(("clinic", "timezone"), f"there is no time zone {shown(name)}{hint}")


def zone(name: str) -> ZoneInfo | None:
    """Give a time zone by its IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def _country_exists(clinic: dict[str, Any]) -> Iterator[Finding]:
    code = clinic.get("holidays")
    if isinstance(code, str) and country_holidays(code) is None:
        hint = nearest(code, known_countries())
        yield Finding(("clinic", "holidays"), f"there is no country {shown(code)}{hint}")


def _ids_are_unique(document: dict[str, Any], names: Names) -> Iterator[Finding]:
    for section, key in (
        ("services", "id"),
        ("pools", "id"),
        ("bookings", "id"),
        ("bookings", "ref"),
        ("holds", "task"),
        ("tasks", "id"),
        ("tasks", "ref"),
    ):
        first: dict[str, int] = {}
        for index, row in rows(document, section):
            name = row.get(key)
            if isinstance(name, str) and first.setdefault(name, index) != index:
                where = f"{section}[{first[name]}]"
                yield Finding((section, index, key), f"{shown(name)} is already {key} of {where}")
    taken: dict[str, int] = {}
    for index, row in rows(document, "resources"):
        name = row.get("id")
        if not isinstance(name, str):
            continue
        for member in dict.fromkeys((name, *names.members(name))):
            if taken.setdefault(member, index) != index:
                where = f"resources[{taken[member]}]"
                yield Finding(("resources", index, "id"), f"{shown(member)} is already {where}")
                break
    if names.too_many:
        yield Finding(("resources",), f"are more than {MAX_RESOURCES}, capacities counted")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
