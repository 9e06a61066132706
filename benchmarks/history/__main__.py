"""The command: ``python -m benchmarks.history --seconds 30 --json``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter

from benchmarks.history.check import MOST_LOST, faults
from benchmarks.history.crowd import history
from benchmarks.history.record import DONE, LOST
from benchmarks.race import place


def main(arguments: list[str] | None = None) -> int:
    """Record a history and check it; 1 if it cannot be true."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--writers", type=int, default=8, help="processes")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--kills", type=int, default=3, help=f"of them; at most {MOST_LOST}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    parser.add_argument(
        "--database", metavar="URL", help="an empty one (SQLite too), not a server of our own"
    )
    given = parser.parse_args(arguments)
    if not 0 <= given.kills <= min(given.writers, MOST_LOST):
        parser.error(f"--kills: 0 … {min(given.writers, MOST_LOST)}")
    with place.database(given.database, keep=False) as url:
        found = history(url, given.writers, given.seconds, kills=given.kills, seed=given.seed)
    wrong = faults(found)
    outcomes = Counter(o.outcome for o in found.operations)
    done = Counter(o.verb for o in found.operations if o.outcome == DONE)
    figures = {
        "operations": len(found.operations),
        "done": outcomes.pop(DONE, 0),
        "lost": outcomes.pop(LOST, 0),
        "refused": dict(sorted(outcomes.items())),
        "verbs": dict(sorted(done.items())),
        "faults": wrong,
    }
    if given.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:12}{figure}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
