"""`explain` on a whole clinic: the call alone, and with reading the file.

The questions have an empty answer, so that rules, what is in the way of one start, and cures are
all worked out: a task that one loosening would help, and one that only two together would.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.search.cases import CLINICIAN, NOW, RASTER, ROOM, TODAY, ZONE, Case
from benchmarks.search.measure import Probe, medians
from timevalg.cli.asking import Asking, understand
from timevalg.model.roster import Hours
from timevalg.model.time import DAY_NAMES, Span
from timevalg.solver.ask import Ask
from timevalg.solver.blockers import blockers
from timevalg.solver.explain import explain

_BLOOD = {"id": "blood", "kind": "test", "due": 21}
_QUESTIONS: dict[str, dict[str, Any]] = {
    "single": {"preparations": [_BLOOD]},
    "pair": {"preparations": [_BLOOD], "times": [{"days": ["sun"]}]},
}


def figures(case: Case, rounds: int) -> dict[str, float]:
    """Measure every question on the index that the file gives, and reading the file.

    Returns
    -------
    dict
        ``call_ms`` the slowest question, ``…_ms`` each; ``with_loading_s`` that call with reading
        the file and making the index; ``file_mb``, ``rows`` taken in it.
    """
    start = case.starts()[0]
    with tempfile.TemporaryDirectory(prefix="timevalg-explain-") as folder:
        path = Path(folder) / "clinic.json"
        path.write_text(json.dumps(_document(case)))
        size = path.stat().st_size
        begin = time.perf_counter()
        asked = understand(Asking(path, pool="p", now=NOW.isoformat()))
        loading = time.perf_counter() - begin
    index = asked.index

    def call(ask: Ask) -> None:
        found = explain(index, [ask])
        if found.total()["patient"] or not found.cures or not blockers(index, ask, start):
            raise AssertionError(f"{case.name}: nothing to explain")

    asks = {t.id: Ask.for_task(index, t, "p", asked.now) for t in asked.contents.tasks}
    probes = {name: Probe(lambda ask=ask: call(ask)) for name, ask in asks.items()}  # type: ignore[misc]  # mypy cannot infer lambdas with defaults
    measured = {name: us / 1e3 for name, us in medians(probes, rounds).items()}
    call_ms = max(measured.values())
    return {
        "call_ms": call_ms,
        **{f"{name}_ms": ms for name, ms in measured.items()},
        "with_loading_s": loading + call_ms / 1e3,
        "file_mb": size / 1e6,
        "rows": sum(map(len, case.taken.values())),
    }


def _document(case: Case) -> dict[str, Any]:
    """Give the case's clinic as a clinic file, with the tasks that find nothing."""
    clinic = case.clinic
    last = str(TODAY + timedelta(days=10))
    task = {"patient": "p", "pools": ["p"], "opens": str(TODAY), "due": last, "deadline": last}
    return {
        "format": 1,
        "clinic": {"id": clinic.id, "organisation": "o", "timezone": ZONE.key},
        "resources": [
            {"id": r.id, "kind": r.kind, "hours": [_hours(row) for row in r.hours or ()]}
            for r in clinic.resources.values()
        ],
        "services": [
            {
                "id": "visit",
                "length": clinic.services["visit"].length,
                "roles": [
                    {"id": role.id, "kind": role.kind, "start": role.start, "length": role.length}
                    for role in (CLINICIAN, ROOM)
                ],
            }
        ],
        "pools": [
            {
                "id": "p",
                "service": "visit",
                "open": [_hours(row) for row in clinic.pools["p"].open],
                "raster": RASTER,
                "horizon": clinic.pools["p"].horizon,
            }
        ],
        "busy": [
            {"resource": name, **_local(span)}
            for name, spans in case.taken.items()
            for span in spans
        ],
        "tasks": [{"id": name, **task, **more} for name, more in _QUESTIONS.items()],
    }


def _hours(row: Hours) -> dict[str, Any]:
    days = [DAY_NAMES[day] for day in sorted(row.days)]
    return {"days": days, "from": _clock(row.start), "to": _clock(row.end)}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _local(span: Span) -> dict[str, str]:
    ends = {"from": span.start, "to": span.end}
    return {key: f"{at.astimezone(ZONE):%Y-%m-%dT%H:%M}" for key, at in ends.items()}
