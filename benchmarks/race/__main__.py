"""The command: ``python -m benchmarks.race --writers 16 --seconds 20 --json``."""

from __future__ import annotations

import argparse
import json
import os
import sys

from benchmarks.race import place
from benchmarks.race.race import race
from benchmarks.race.report import figures, table


def main(arguments: list[str] | None = None) -> int:
    """Run the race and print what came of it; 1 if something was booked twice or lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=__doc__)
    parser.add_argument("--writers", type=_count, default=16, help="processes that book")
    parser.add_argument("--seconds", type=float, default=20, help="for each part")
    parser.add_argument("--json", action="store_true", help="one line of JSON, no table")
    parser.add_argument("--database", metavar="URL", help="an empty one, not a server of our own")
    parser.add_argument(
        "--keep-database", action="store_true", help="leave it as it is and print its address"
    )
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    with place.database(given.database, given.keep_database) as url:
        outcome = race(url, given.writers, given.seconds)
    found = figures(outcome, given.writers, load)
    if given.keep_database:
        found["database"] = url
    print(json.dumps(found) if given.json else table(found))
    return 1 if found["overlaps"] or found["lost"] else 0


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 64:
        raise argparse.ArgumentTypeError("1 … 64")
    return count


if __name__ == "__main__":
    sys.exit(main())
