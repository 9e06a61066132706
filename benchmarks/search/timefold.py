"""Timefold's assignment recommendations: its jars from PyPI, a model of our own in Java."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import zipfile
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.search.cases import CLINICIAN, Case
from benchmarks.search.peers import Answer, Missing, cache, run
from timevalg.model.resource import Kind

PACKAGE = "timefold==1.24.0b0"
_SOURCE = Path(__file__).with_name("Timefold.java")


def answer(case: Case, rounds: int) -> Answer:
    """Search the case for the clinician alone: the free choices among clinician × start.

    Raises
    ------
    Missing
        If there is no Java or the package cannot be fetched.
    """
    folder = _fetched()
    jars = f"{folder / 'timefold' / 'solver' / 'jars'}/*"
    with tempfile.TemporaryDirectory(prefix="timevalg-timefold-") as temporary:
        given = Path(temporary) / "case.txt"
        given.write_text("\n".join([f"rounds {rounds + 1}", *_lines(case)]))
        run(["javac", "-nowarn", "-cp", jars, "-d", temporary, _SOURCE])
        java = ["java", "-Xmx2g", "-cp", f"{temporary}:{jars}", "Timefold"]
        printed = run([*java, given])
    found = json.loads(printed[printed.index('{"starts"') :])
    starts = [datetime.fromtimestamp(second, UTC) for second in found["starts"]]
    return Answer(starts, statistics.median(found["us"][1:]))  # the first warms the JVM up


def _lines(case: Case) -> list[str]:
    raster = case.raster("q")
    length = timedelta(minutes=CLINICIAN.length)
    lines = []
    people = [r.id for r in case.clinic.resources.values() if r.kind is Kind.CLINICIAN]
    for number, name in enumerate(people):
        for span in case.taken[name]:
            lines.append(_line("busy", number, span.start, span.end))
        for shift in case.shifts[name]:
            for start in raster[bisect_left(raster, shift.start) :]:
                if start + length > shift.end:
                    break
                lines.append(_line("choice", number, start, start + length))
    return lines


def _line(what: str, number: int, start: datetime, end: datetime) -> str:
    return f"{what} {number} {int(start.timestamp())} {int(end.timestamp())}"


def _fetched() -> Path:
    if not shutil.which("java") or not shutil.which("javac"):
        raise Missing("java and javac are not there")
    folder = cache() / "timefold-1.24.0b0"
    if not (folder / "timefold" / "solver" / "jars").exists():
        folder.mkdir(exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--pre", "--no-deps"]
        run([*pip, "--dest", folder, PACKAGE])
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder)
            wheel.unlink()
    return folder
