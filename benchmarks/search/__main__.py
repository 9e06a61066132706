"""``python -m benchmarks.search [--quick] [--json] [--docs]``."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.search.report import markdown, rounded, write
from benchmarks.search.run import everything, quick


def main() -> None:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny case, nothing fetched")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    parser.add_argument("--docs", action="store_true", help="write docs/search.md and search.svg")
    given = parser.parse_args()

    def say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    found = rounded(quick(say) if given.quick else everything(say))
    if given.docs:
        write(found)
    print(json.dumps(found, indent=1) if given.json else markdown(found))


if __name__ == "__main__":
    main()
