"""``python -m benchmarks.chaos --seconds N [--json]``: nothing lost, duplicated or unexplained."""

from __future__ import annotations

import argparse
import json

from benchmarks import page
from benchmarks.chaos.chaos import run


def main() -> None:
    """Run, print, and fail if anything was lost, done twice, unknown without cause or left."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long faults go on")
    parser.add_argument("--seed", type=int, default=1, help="which faults come when")
    parser.add_argument("--write", action="store_true", help="put them into docs/workers.md")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    given = parser.parse_args()
    figures = run(given.seconds, given.seed)
    if given.write:
        page.write("workers.md", "chaos", figures)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>18} {value}")
    wrong = ("lost", "duplicated", "unexplained", "forged")
    if not figures["settled"] or any(figures[name] for name in wrong):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
