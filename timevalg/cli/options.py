"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database", envvar="TIMEVALG_DATABASE_URL", help="sqlite:///… or postgresql://…"
    ),
]
File = Annotated[Path, typer.Argument(help="A clinic file, or a folder of them.")]
Now = Annotated[str | None, typer.Option(help="Instant; local if it has no offset.")]
Organisation = Annotated[
    str | None, typer.Option(help="Which of the database's, if it holds several.")
]
