"""How long a whole calendar takes: ``python -m benchmarks.calendar --rows 100000 --json``.

A generated clinic of 40 clinicians with a room each; visits of patients, every one in the past or
to come, in random order, one in a hundred in the way of another. It is imported twice: the second
time everything is known already. Then `timevalg doctor --deep` examines all of it.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.race import hospital, place
from timevalg.booking.examine import examine
from timevalg.library import Timevalg
from timevalg.model.principal import Principal, RoleName
from timevalg.model.time import instant
from timevalg.store import Database
from timevalg.store.migrate import upgrade

CLASHES = 100
"""One in so many overlaps another."""


def main(arguments: list[str] | None = None) -> int:
    """Import a generated calendar twice, and print how long each took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calendar", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--store", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--json", action="store_true", help="one line of JSON, no sentence")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, _database(given.store, Path(folder)) as url:
        found = measure(url, given.rows, Path(folder) / "calendar.jsonl")
    found["store"] = given.store
    print(json.dumps(found) if given.json else _sentence(found))
    return 0


def measure(url: str, count: int, file: Path) -> dict[str, Any]:
    """Import `count` rows into a migrated database, twice."""
    organisation = hospital.organisation_number()
    store = Database(url)
    hospital.open_clinic(store, organisation)
    store.close()
    with file.open("w", encoding="utf-8") as out:
        out.writelines(lines(count))
    seconds, done = [], []
    before = _megabytes()
    with Timevalg.open(url, organisation=organisation, migrate=False) as valg:
        for _ in range(2):
            begun = time.perf_counter()
            with file.open(encoding="utf-8") as rows:
                done.append(valg.system("benchmark").import_calendar(rows))
            seconds.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        examined = examine(valg.ports, Principal("doctor", RoleName.AUDITOR, organisation))
        seconds.append(time.perf_counter() - begun)
    return {
        **asdict(done[0]),
        "seconds": round(seconds[0], 1),
        "rows_per_second": round(count / seconds[0]),
        "again_seconds": round(seconds[1], 1),
        "doctor_seconds": round(seconds[2], 1),
        "findings": len(examined.findings),
        "megabytes": round(_megabytes() - before),
    }


def lines(count: int, seed: int = 1) -> Iterator[str]:
    """Give the lines of a calendar, in random order."""
    chance, today = random.Random(seed), datetime.now(hospital.OSLO).date()
    slots = list(range(count))
    chance.shuffle(slots)
    for number, slot in enumerate(slots):
        if number % CLASHES == CLASHES - 1:
            slot = slots[number - 1]
        day, (pair, nth) = slot // (hospital.PAIRS * 40), divmod(slot % (hospital.PAIRS * 40), 40)
        minute = hospital.OPENS + nth * hospital.LENGTH
        start = instant(today + timedelta(day - 20), minute, hospital.OSLO)
        row = {
            "ref": f"kontakt/{number}",
            "version": 1,
            "clinic": "race",
            "service": "visit",
            "start": start.isoformat(),
            "resources": {"doctor": [f"dr-{pair}"], "room": [f"room-{pair}"]},
            "patient": f"p-{number}",
            "pool": hospital.pool_id(pair),
        }
        yield json.dumps(row) + "\n"


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        url = f"sqlite:///{folder}/calendar.db"
        upgrade(url)
        yield url
        return
    with place.database(None, False) as url:
        yield url


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def _sentence(found: dict[str, Any]) -> str:
    return (
        f"{found['rows']} rows on {found['store']}: {found['seconds']} s"
        f" ({found['rows_per_second']} a second), {found['rejected']} rejected;"
        f" again, all known: {found['again_seconds']} s;"
        f" doctor: {found['findings']} findings in {found['doctor_seconds']} s;"
        f" {found['megabytes']} MB more memory"
    )


if __name__ == "__main__":
    sys.exit(main())
