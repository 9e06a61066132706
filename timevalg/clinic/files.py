"""Clinic files and the calendars beside them, as they lie on disk."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from os.path import lexists
from pathlib import Path as FilePath
from typing import Any

from timevalg.clinic.document import Document, compose, compose_json
from timevalg.clinic.events import (
    Malformed,
    NotYaml,
    libyaml_events,
    yaml_events,
)
from timevalg.clinic.finding import Finding, shown
from timevalg.clinic.names import rows
from timevalg.clinic.rules import lies_beside
from timevalg.model.contents import Source
from timevalg.model.errors import InvalidInput, Problem

MAX_BYTES = 10 * 1024 * 1024
QUICK_FROM = 200_000
"""Characters from which on a YAML file is first given to libyaml."""
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass
class Written:
    """One clinic file as written.

    Attributes
    ----------
    where : str
        Its name, for messages; the same file is the same wherever it lies.
    lines : Document or None
        Knows the lines of a file; None if it is not from a file.
    readable : bool
        False if there is nothing to check in it.
    calendars : mapping
        Text of its calendars by name; a finding instead of a calendar that cannot be read.
    kept : frozenset of str
        Sections that it leaves out, and that stay as they are published.
    folder : path or None
        Where it lies on disk, if it does.
    """

    where: str = field(compare=False)
    document: Any = None
    lines: Document | None = field(default=None, compare=False)
    readable: bool = True
    findings: list[Finding] = field(default_factory=list)
    calendars: dict[str, str | Finding] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    folder: FilePath | None = field(default=None, compare=False)

    def source(self) -> Source:
        """Give what the store keeps: calendars that no resource names are not."""
        named = calendar_names(self.document)
        texts = {n: t for n, t in self.calendars.items() if n in named and isinstance(t, str)}
        return Source(self.document, texts)

    def lying_beside(self, document: Any) -> dict[str, str | Finding]:
        """Give those of the calendars that a document names which lie beside this file."""
        folder = self.folder
        if folder is None:
            return {}
        names = calendar_names(document).items()
        return {n: _read_calendar(folder, n, at) for n, at in names if lexists(folder / n)}

    def problems(self, findings: list[Finding]) -> list[Problem]:
        """Give findings their lines, and sort them by these."""
        out = [
            Problem(f.where or self.where, self._line(f), f.key, f.message + self._why(f))
            for f in findings
        ]
        return sorted(out, key=lambda p: (p.where != self.where, p.line or 0))

    def _why(self, finding: Finding) -> str:
        section = finding.path[0] if finding.path else ""
        if section not in self.kept:
            return ""
        return f" (`{section}` is left out and stays as published; write it too)"

    def _line(self, finding: Finding) -> int | None:
        if finding.line is not None or finding.where or not finding.path:
            return finding.line
        if finding.path[0] in self.kept:
            return None
        return None if self.lines is None else self.lines.line(finding.path)


def read_files(path: FilePath) -> list[Written]:
    """Read a clinic file, or all in a folder (not in folders inside it).

    Raises
    ------
    InvalidInput
        If there is nothing to read.
    """
    try:
        if path.is_dir():
            names = sorted(
                p
                for p in path.iterdir()
                if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()
            )
            if not names:
                kinds = ", ".join(SUFFIXES)
                raise _nothing(path, f"the folder holds no clinic file ({kinds})")
            return [_read_file(name) for name in names]
        if not path.exists():
            raise _nothing(path, "there is no such file or folder")
        if not path.is_file():
            raise _nothing(path, "is neither a file nor a folder")
    except (OSError, ValueError) as error:
        raise _nothing(path, f"cannot be read: {_why(error)}") from None
    return [_read_file(path)]


def from_sources(sources: Mapping[str, Source]) -> list[Written]:
    """Take documents that the store kept, named by their clinics."""
    return [
        Written(f"clinic {name}", source.document, calendars=dict(source.calendars))
        for name, source in sources.items()
    ]


def from_text(where: str, text: str, calendars: Mapping[str, str]) -> Written:
    """Take a clinic file, YAML or JSON, that lies nowhere, with the calendars that it names.

    Parameters
    ----------
    where : str
        What it is called in messages.
    """
    written = Written(where, calendars=dict(calendars))
    try:
        written.lines = _compose(FilePath(where), text)
    except Malformed as error:
        written.findings, written.readable = [Finding((), error.message, error.line)], False
        return written
    written.document, written.findings = written.lines.value, written.lines.findings
    return written


def _read_file(path: FilePath) -> Written:
    written = Written(str(path), folder=path.parent)
    try:
        written.lines = _compose(path, read_text(path))
    except Malformed as error:
        written.findings, written.readable = [Finding((), error.message, error.line)], False
        return written
    written.document, written.findings = written.lines.value, written.lines.findings
    names = calendar_names(written.document).items()
    written.calendars = {name: _read_calendar(path.parent, name, at) for name, at in names}
    return written


def calendar_names(document: Any) -> dict[str, int]:
    """Give the calendars that resources name, with the first row that does."""
    names: dict[str, int] = {}
    for index, row in rows(document, "resources"):
        name = row.get("busy")
        if isinstance(name, str) and lies_beside(name):
            names.setdefault(name, index)
    return names


def _read_calendar(folder: FilePath, name: str, index: int) -> str | Finding:
    path = folder / name
    try:
        if not path.exists():
            message = f"there is no file {shown(name)} beside the clinic file"
            return Finding(("resources", index, "busy"), message)
        return read_text(path)
    except (Malformed, OSError, ValueError) as error:
        why = error.message if isinstance(error, Malformed) else f"cannot be read: {_why(error)}"
        return Finding(("resources", index, "busy"), f"{name} {why}")


def read_text(path: FilePath) -> str:
    """Read a text file of at most 10 MiB.

    Raises
    ------
    Malformed
        If it is bigger, cannot be read, or is not UTF-8.
    """
    try:
        if not path.is_file():
            raise Malformed("is not a file", None)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise Malformed(f"cannot be read: {_why(error)}", None) from None
    if len(raw) > MAX_BYTES:
        raise Malformed(f"is larger than {MAX_BYTES // 1024 // 1024} MB", None)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Malformed("is not UTF-8; save it as UTF-8", line) from None


def _compose(path: FilePath, text: str) -> Document:
    if path.suffix.lower() == ".json":
        return compose_json(text)
    if len(text) > QUICK_FROM:
        # What libyaml does not understand, the slow parser may: it has the last word.
        with suppress(NotYaml):
            return compose(libyaml_events(text))
    return compose(yaml_events(text))


def _nothing(path: FilePath, message: str) -> InvalidInput:
    return InvalidInput([Problem(str(path), None, "", message)])


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
