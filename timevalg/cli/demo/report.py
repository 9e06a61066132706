"""The table at the end of the demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROWS: tuple[tuple[str, str, str], ...] = (
    ("invited", "Invited to choose", "each with a place kept, before the letter left"),
    ("confirmed", "· ended with a confirmed time", ""),
    ("declined", "· ended as no longer needed", ""),
    ("with_staff", "· ended with staff", "who have a place kept for each"),
    ("open", "· not at an end yet", "waiting for their due date or a check"),
    ("chosen", "Times chosen by patients", ""),
    ("changed", "Times changed by patients", "chosen or allotted ones"),
    ("cancelled", "Visits cancelled", "the hours are free at once"),
    ("none_suits", "Said that none suits", "and when they can"),
    ("assigned", "Times we chose for those who did not", "at the end of the due date"),
    ("no_shows", "Did not come", ""),
    ("letters", "Letters sent", ""),
    ("stranded", "Left without a time", ""),
    ("double_booked", "Booked twice", "recounted from every claim"),
)


def report(answer: dict[str, Any], letters: Path, weeks: int) -> None:
    """Print what a planner wants to know."""
    console = Console(width=None if sys.stdout.isatty() else 100)
    table = Table(title=f"The clinic after {7 * weeks} days of choosing")
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("", style="dim")
    for key, label, note in ROWS:
        if key == "open" and not answer[key]:
            continue
        table.add_row(label, str(answer[key]), note)
    console.print(table)
    console.print(f"Played in {answer['seconds']} s. Every figure is counted in the database:")
    console.print(f"  {answer['database']}", soft_wrap=True)
    sample = sorted(letters.glob("*.html"))
    if sample:
        console.print(f"A letter to look at ({len(sample)} in all):")
        console.print(f"  {sample[-1]}", soft_wrap=True)
