"""Interval lists with a well-known library: portion, installed when the benchmark runs."""

from __future__ import annotations

import importlib
import sys
from datetime import datetime
from typing import Any

from benchmarks.search.cases import CLINICIAN, RASTER, ROOM, Case
from benchmarks.search.peers import Answer, cache, repeated, run
from timevalg.model.service import Role

VERSION = "2.6.3"


def answer(case: Case, rounds: int) -> Answer:
    """Search the case for visits of two roles, in minutes since 1970.

    For each resource: working time minus what is taken; of each stretch that is left, the stretch
    in which a visit may start; their union by role, the roles' intersection, the raster in it.
    """
    portion = _portion()
    base = {start: _minute(start) for start in case.starts()}
    hours = {name: _interval(portion, spans) for name, spans in case.shifts.items()}
    taken = {name: _interval(portion, spans) for name, spans in case.taken.items()}

    def role_starts(role: Role) -> Any:
        found = []
        for resource in case.clinic.resources.values():
            if resource.kind is not role.kind:
                continue
            for free in hours[resource.id] - taken[resource.id]:
                first, last = free.lower - role.start, free.upper - role.start - role.length
                if first <= last:
                    found.append(portion.closed(first, last))
        return portion.Interval(*found)

    def search() -> list[datetime]:
        both = role_starts(CLINICIAN) & role_starts(ROOM)
        minutes = {
            minute
            for stretch in both
            for minute in range(-(-stretch.lower // RASTER) * RASTER, stretch.upper + 1, RASTER)
        }
        return [start for start, minute in base.items() if minute in minutes]

    return repeated(search, rounds)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _interval(portion: Any, spans: Any) -> Any:
    return portion.Interval(
        *(portion.closedopen(_minute(span.start), _minute(span.end)) for span in spans)
    )


def _portion() -> Any:
    folder = cache() / f"portion-{VERSION}"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        run([*pip, folder, f"portion=={VERSION}", "sortedcontainers==2.4.0"])
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("portion")
    finally:
        sys.path.remove(str(folder))
