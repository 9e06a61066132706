"""Counts of the time before, as CSV: a line of headings, then one clinic and period a line.

The headings are names of counts (`timevalg.model.figures.MEASURES`), and if wanted ``clinic`` and
``period``; lines are added up. What is not there, or empty in every line, is not known.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable

from timevalg.model.errors import InvalidInput, Problem
from timevalg.model.figures import MEASURES, Figures

_ABOUT = ("clinic", "period")


def read_history(lines: Iterable[str], clinic: str | None = None, where: str = "CSV") -> Figures:
    """Give the counts of all lines together, or of one clinic's.

    Raises
    ------
    InvalidInput
        Everything that is wrong, each with its line.
    """
    reader = csv.reader(lines, strict=True)
    problems: list[Problem] = []
    counted: list[dict[str, float]] = []
    try:
        headings = [heading.strip().removeprefix("\ufeff") for heading in next(reader, [])]
        known = (*_ABOUT, *MEASURES)
        unknown = [heading for heading in headings if heading not in known]
        if unknown or not set(headings) & MEASURES.keys():
            what = f"{unknown[0]!r} is no column" if unknown else "no column is a count"
            problems.append(Problem(where, 1, "", f"{what}; there are {', '.join(known)}"))
        for cells in reader if not problems else ():
            row = {name: text.strip() for name, text in zip(headings, cells, strict=False)}
            if clinic is not None and row.get("clinic") != clinic:
                continue
            counts = {name: row[name] for name in row.keys() & MEASURES.keys() if row[name]}
            numbers = {name: _number(text) for name, text in counts.items()}
            problems += [
                Problem(
                    where, reader.line_num, name, f"{counts[name]!r} is not a number, 0 or more"
                )
                for name, number in numbers.items()
                if number is None
            ]
            counted.append({name: n for name, n in numbers.items() if n is not None})
    except csv.Error as error:
        problems.append(Problem(where, reader.line_num, "", str(error)))
    if problems:
        raise InvalidInput(problems)
    return Figures.together(map(Figures, counted))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
