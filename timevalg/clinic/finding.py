"""What a rule finds wrong, before it is known in which line; and how values and names are shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and list positions that lead to a value: ``("pools", 0, "raster")``."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong at a path of a document (or at a line, where that is known already).

    Attributes
    ----------
    where : str
        The file, if it is another than the document's (a calendar).
    """

    path: Path
    message: str
    line: int | None = None
    where: str = ""

    @property
    def key(self) -> str:
        """The path as people write it."""
        return key_text(self.path)


def key_text(path: Path) -> str:
    """Give a path as people write it: ``pools[0].raster``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + step
    return text.encode("utf-8", "backslashreplace").decode()[:300]


def shown(value: Any) -> str:
    """Give a value for a message: short, on one line."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return "[…]" if value else "[]"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]


def nearest(value: Any, names: Iterable[str], otherwise: bool = True) -> str:
    """Give the end of a sentence that names the nearest valid name, or lists the few there are."""
    known = list(names)
    if isinstance(value, str):
        lower = {name.lower(): name for name in reversed(known)}
        close = difflib.get_close_matches(value.lower()[:100], lower, n=1, cutoff=0.5)
        if close:
            return f"; did you mean {shown(lower[close[0]])}?"
    if not known:
        return "; there is none"
    if not otherwise or len(known) > 12:
        return ""
    return "; possible: " + ", ".join(known)
