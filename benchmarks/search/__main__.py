"""``python -m benchmarks.search [--quick | --sizes S… --without P…] [--json] [--docs]``."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.search.cases import SIZES
from benchmarks.search.report import markdown, rounded, write
from benchmarks.search.run import PARTS, everything, quick


def main() -> None:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny case, nothing fetched")
    sizes = [f"{clinicians}x{rooms}" for clinicians, rooms in SIZES]
    parser.add_argument("--sizes", nargs="+", choices=sizes, default=[], help="only these")
    parser.add_argument("--without", nargs="+", choices=PARTS, default=[], help="leave these out")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--docs", action="store_true", help="write docs/search.md and search.svg")
    given = parser.parse_args()
    if given.docs and (given.quick or given.sizes or given.without):
        parser.error("--docs wants the whole run")

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    found = rounded(quick(say) if given.quick else everything(say, 9, given.sizes, given.without))
    if given.docs:
        write(found)
    print(json.dumps(found, indent=1) if given.json else markdown(found))


if __name__ == "__main__":
    main()
