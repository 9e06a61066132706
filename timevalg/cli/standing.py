"""What `reserve` and `offers` stand on: the live tasks of a clinic file, or of a database."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from timevalg.cli.at_database import nothing_published, only_organisation, ports_at
from timevalg.cli.moments import parse_now, typed_now
from timevalg.clinic import read
from timevalg.model.contents import Contents
from timevalg.model.errors import InvalidInput
from timevalg.model.session import Session
from timevalg.solver.index import Index
from timevalg.solver.picture import Picture
from timevalg.solver.reserves import picture_of

if TYPE_CHECKING:
    from timevalg.library import Timevalg


@dataclass(frozen=True)
class Standing:
    """Where the tasks are.

    Attributes
    ----------
    file : Path or None
    now : str or None
        As it was typed.
    database : str or None
        In the file's stead.
    organisation : str or None
        Which of the database's; needed where it holds several.
    """

    file: Path | None
    now: str | None = None
    database: str | None = None
    organisation: str | None = None

    @classmethod
    def of(
        cls, file: Path | None, now: str | None, database: str | None, organisation: str | None
    ) -> Standing:
        """Stand on what was typed: where that is neither, on the database of the environment."""
        if file is None and database is None:
            database = os.environ.get("TIMEVALG_DATABASE_URL") or None
        return cls(file, now, database, organisation)

    def __post_init__(self) -> None:
        if (self.file is None) == (self.database is None):
            raise InvalidInput.single(
                "FILE, --database", "give just one of the two", "command line"
            )


def picture_of_file(standing: Standing) -> tuple[Contents, Picture]:
    """Read the file; its holds count, and are places where they can be. Warns on standard error.

    Raises
    ------
    InvalidInput
    """
    assert standing.file is not None
    contents = read(standing.file, typed_now(standing.now))
    for warning in contents.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    zone = next(iter(contents.organisation.clinics.values())).timezone
    now = parse_now(standing.now, zone)
    index = Index.of(contents.organisation, [b.session for b in contents.bookings])
    return contents, picture_of(index, contents.holds, contents.tasks, now)


@contextmanager
def opened(standing: Standing) -> Iterator[Timevalg]:
    """Open the database as its organisation, at the instant asked for.

    Raises
    ------
    InvalidInput
    """
    from timevalg.library import Timevalg  # not where a file alone is asked about
    from timevalg.store import SetClock

    assert standing.database is not None
    organisation, zone = _organisation(standing.database, standing.organisation)
    clock = None if standing.now is None else SetClock(parse_now(standing.now, zone))
    with Timevalg.open(
        standing.database, organisation=organisation, clock=clock, migrate=False
    ) as valg:
        yield valg


def _organisation(url: str, wanted: str | None) -> tuple[str, ZoneInfo]:
    """Find the organisation that is meant, and its clock."""
    with ports_at(url) as ports:
        organisation = wanted or only_organisation(ports)
        if unpublished := nothing_published(ports, organisation):
            raise InvalidInput.single("--organisation", unpublished, "command line")
        clinics = ports.pictures.current(organisation).index.organisation.clinics
        return organisation, next(iter(clinics.values())).timezone


def row(session: Session, picture: Picture) -> dict[str, object]:
    """Give what is printed of a visit: start, pool and resources."""
    zone = picture.index.organisation.clinic(session.clinic).timezone
    return {
        "start": session.start.astimezone(zone).isoformat(),
        "pool": session.pool,
        "resources": {role: list(names) for role, names in session.resources.items()},
    }
