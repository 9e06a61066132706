"""``timevalg offers``: the safe offers of one task."""

from __future__ import annotations

import json
import sys

import typer
from rich.console import Console
from rich.table import Table

from timevalg.cli.asking import find_task
from timevalg.cli.counting import counted
from timevalg.cli.standing import Standing, opened, picture_of_file, row
from timevalg.model.errors import InvalidInput
from timevalg.model.resource import Kind
from timevalg.prover import CpSat
from timevalg.solver.picture import Picture
from timevalg.solver.reserves import reserve
from timevalg.solver.settle_offers import SettledOffers, offers_settled
from timevalg.solver.wishes import Wishes, places_of

MOST = 20
"""Names that an error gives at most."""


def run(standing: Standing, task: str, limit: int | None, wishes: Wishes, as_json: bool) -> None:
    """Answer, as a table or as JSON."""
    if standing.file is not None:
        contents, picture = picture_of_file(standing)
        require_there(wishes, picture)
        asked, solve = find_task(contents, task), CpSat().solve
        picture = reserve(picture, solve, why=False).picture
        found = offers_settled(
            picture, asked, picture.now, solve, key="offer", limit=limit, wishes=wishes
        )
    else:
        with opened(standing) as valg:
            desk = valg.planner("timevalg offers")
            picture = valg.ports.pictures.current(valg.organisation)
            require_there(wishes, picture)
            found = desk.settle_offers(task, limit, wishes)
    if as_json:
        answer = {
            "task": task,
            "offers": [
                row(o.session, picture) | {"score": o.score, "parts": o.parts} for o in found.offers
            ],
            "unsafe": found.unsafe,
            "undecided": found.undecided,
        }
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _print(task, found, picture)


def require_there(wishes: Wishes, picture: Picture) -> None:
    """Refuse wishes for clinicians and places that the organisation does not have.

    Raises
    ------
    InvalidInput
        With those that there are.
    """
    clinics = picture.index.organisation.clinics.values()
    people = {r.id for c in clinics for r in c.resources.values() if r.kind is Kind.CLINICIAN}
    places = {place for c in clinics for place in places_of(c)}
    for option, kind, wished, known in (
        ("--clinicians", "clinician", wishes.clinicians, people),
        ("--places", "place", wishes.places, places),
    ):
        if wrong := sorted(wished - known):
            names = sorted(known)
            there = ", ".join(names[:MOST]) + (" …" if len(names) > MOST else "")
            said = f"there is no {kind} {wrong[0]!r}; there is {there or 'none'}"
            raise InvalidInput.single(option, said, "command line")


def _print(task: str, found: SettledOffers, picture: Picture) -> None:
    table = Table(title=f"{counted(len(found.offers), 'safe offer')} for {task}")
    for heading in ("start", "pool", "resources", "score"):
        table.add_column(heading)
    for offer in found.offers:
        session = offer.session
        zone = picture.index.organisation.clinic(session.clinic).timezone
        served = ", ".join(f"{role}: {' + '.join(ids)}" for role, ids in session.resources.items())
        start = f"{offer.start.astimezone(zone):%a %Y-%m-%d %H:%M}"
        table.add_row(start, offer.pool, served, f"{offer.score:.2f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    typer.echo(f"{found.unsafe} would strand somebody; {found.undecided} are not settled")
