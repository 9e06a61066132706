"""Files that commands are given, as text."""

from __future__ import annotations

from pathlib import Path

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
