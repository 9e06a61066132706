"""cal.com's own functions, from npm: host calendars → ranges → slots of a round-robin team."""

from __future__ import annotations

import json
import shutil
import statistics
import tarfile
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.search.cases import RASTER, TODAY, ZONE, Case
from benchmarks.search.peers import Answer, Missing, cache, run
from timevalg.model.resource import Kind
from timevalg.model.time import Span, instant

PACKAGES = {"calcom": "@calcom/platform-libraries@0.0.360", "dayjs": "dayjs@1.11.13"}
_SCRIPT = Path(__file__).with_name("calcom.js")


def answer(case: Case, rounds: int) -> Answer:
    """Search the case for the clinician alone: one kind of host is all that its functions know.

    Raises
    ------
    Missing
        If npm or node is not there or the package cannot be fetched.
    """
    folder = _fetched()
    with tempfile.TemporaryDirectory(prefix="timevalg-calcom-") as temporary:
        given = Path(temporary) / "case.json"
        given.write_text(json.dumps(_case(case, rounds)))
        found = json.loads(run(["node", _SCRIPT, folder, given]))
    starts = [datetime.fromtimestamp(ms / 1000, UTC) for ms in found["starts"]]
    us, prepare_us = (statistics.median(found[key]) for key in ("slots_us", "ranges_us"))
    return Answer(starts, us, prepare_us)


def _case(case: Case, rounds: int) -> dict[str, object]:
    hosts = []
    for resource in case.clinic.resources.values():
        if resource.kind is Kind.CLINICIAN:
            (hours,) = resource.hours or ()
            days = sorted((day + 1) % 7 for day in hours.days)  # Sunday = 0
            busy = [_ms(span) for span in case.taken[resource.id]]
            hosts.append({"days": days, "start": hours.start, "end": hours.end, "busy": busy})
    whole = Span(instant(TODAY, 0, ZONE), instant(TODAY + timedelta(days=case.days), 0, ZONE))
    first, last = _ms(whole)
    return {
        "hosts": hosts,
        "zone": ZONE.key,
        "from": first,
        "to": last,
        "raster": RASTER,
        "minutes": 45,
        "rounds": rounds,
    }


def _ms(span: Span) -> list[int]:
    return [int(moment.timestamp() * 1000) for moment in (span.start, span.end)]


def _fetched() -> Path:
    if not shutil.which("npm") or not shutil.which("node"):
        raise Missing("npm and node are not there")
    folder = cache() / "calcom-0.0.360"
    if not (folder / "dayjs" / "package").exists():
        folder.mkdir(exist_ok=True)
        for name, package in PACKAGES.items():
            archive = folder / run(["npm", "pack", "--silent", package], folder).split()[-1]
            with tarfile.open(archive) as packed:
                packed.extractall(folder if name == "calcom" else folder / name, filter="data")
            archive.unlink()
    return folder
