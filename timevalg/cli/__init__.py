"""The ``timevalg`` command. Exit status 0 = answered, 2 = the input is wrong."""

from __future__ import annotations

import sys

from timevalg.cli.app import app
from timevalg.model.errors import InvalidInput, TimevalgError


def main() -> None:
    """Run the command; errors of timevalg become sentences on standard error."""
    try:
        app()
    except InvalidInput as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        sys.exit(2)
    except TimevalgError as error:
        print(f"timevalg: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
