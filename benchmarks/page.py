"""Figures of a run in a page of docs/: between two marks, as a table."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def write(page: str, name: str, figures: Mapping[str, Any]) -> None:
    """Put the figures of a run between ``<!-- name -->`` and ``<!-- /name -->`` of a page."""
    path = DOCS / page
    python = platform.python_version()
    rows = [f"| `{key}` | {value} |" for key, value in _flat(figures)]
    where = f"{os.cpu_count()} cores, CPython {python}, load {os.getloadavg()[0]:.1f} at the end"
    block = "\n".join(
        [f"<!-- {name} -->", f"{where}:", "", "| figure | value |", "|---|---|", *rows]
    )
    marked = re.compile(rf"<!-- {name} -->.*?<!-- /{name} -->", re.DOTALL)
    text, found = marked.subn(lambda _: f"{block}\n<!-- /{name} -->", path.read_text("utf-8"))
    if not found:
        raise ValueError(f"{page} has no place for {name}")
    path.write_text(text, "utf-8")


def _flat(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return rows
