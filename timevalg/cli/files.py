"""Files that commands are given, as text."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TextIO

from timevalg.clinic.events import Malformed
from timevalg.clinic.files import read_text
from timevalg.model.errors import InvalidInput, Problem


def text_of(file: Path) -> str:
    """Read a file of at most 10 MiB of UTF-8.

    Raises
    ------
    InvalidInput
        With the line that is wrong, if one is.
    """
    try:
        return read_text(file)
    except Malformed as error:
        raise InvalidInput([Problem(str(file), error.line, "", error.message)]) from error


def open_text(
    option: str,
    file: Path,
    mode: Literal["r", "w"] = "r",
    errors: str | None = None,
    newline: str | None = None,
) -> TextIO:
    """Open a file as UTF-8 that an option or an argument names.

    Raises
    ------
    InvalidInput
        Naming the option, and what the system says.
    """
    try:
        return file.open(mode, encoding="utf-8", errors=errors, newline=newline)
    except OSError as error:
        raise InvalidInput.single(option, f"{file}: {error.strerror}", "command line") from error
