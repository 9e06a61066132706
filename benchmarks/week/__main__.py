"""``python -m benchmarks.week [--json]``: a week of Norway, measured in part."""

from __future__ import annotations

import argparse
import json

from benchmarks import page
from benchmarks.week.durability import measure
from benchmarks.week.week import WEEK, run


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.week", description=__doc__)
    parser.add_argument("--share", type=int, default=20, help="play one in so many of the week's")
    parser.add_argument("--pieces", type=int, default=5000, help="of work that does nothing")
    parser.add_argument("--write", action="store_true", help="put them into docs/workers.md")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    given = parser.parse_args()
    figures = run(WEEK // max(1, given.share)) | {"durability": measure(given.pieces)}
    if given.write:
        page.write("workers.md", "week", figures)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>16} {value}")


if __name__ == "__main__":
    main()
