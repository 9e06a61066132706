"""Patients choose: ``python -m benchmarks.choice [--json] [--docs] [--quick]``.

Narrowed by ``--seeds 1 …``, ``--loads 0.92 …`` and ``--only loads even …``.
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.choice.report import table, write
from benchmarks.choice.run import LOADS, PARTS, SEEDS, everything


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print what it found; 1 if anybody was left without a time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.choice", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), metavar="N")
    parser.add_argument("--loads", type=_load, nargs="+", default=list(LOADS), metavar="SHARE")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, metavar="PART")
    parser.add_argument("--quick", action="store_true", help="tiny clinics, a few seconds")
    parser.add_argument("--docs", action="store_true", help="write docs/choice.md and choice.svg")
    given = parser.parse_args(arguments)

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    if given.docs and set(given.only) != set(PARTS):
        parser.error("--docs writes all of the page; leave out --only")
    found = everything(given.loads, given.seeds, say, given.quick, given.only)
    if given.docs:
        write(found)
    print(json.dumps(found) if given.json else table(found))
    rows = [*found["loads"].values(), *found["even"].values(), *found["variants"].values()]
    return 1 if any(row.get("guaranteed_stranded") for row in rows) else 0


def _load(text: str) -> float:
    load = float(text)
    if not 0 < load <= 1:
        raise argparse.ArgumentTypeError("between 0 and 1")
    return load


if __name__ == "__main__":
    sys.exit(main())
