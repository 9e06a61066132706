"""The command: ``python -m benchmarks.api --json``."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import page
from benchmarks.api.run import run


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each rate of each kind")
    parser.add_argument("--json", action="store_true", help="one line of JSON, no more")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/api.md")
    given = parser.parse_args(arguments)
    found = run(given.seconds)
    print(json.dumps(found, indent=None if given.json else 2))
    if given.write:
        page.write("api.md", "figures", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
