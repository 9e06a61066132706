"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database", envvar="TIMEVALG_DATABASE_URL", help="sqlite:///… or postgresql://…"
    ),
]
