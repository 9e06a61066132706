"""What a command stands on that works in a database: its ports, as long as the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from timevalg.model.errors import InvalidInput

if TYPE_CHECKING:
    from timevalg.booking.ports import Ports
    from timevalg.booking.unit_of_work import UnitOfWork


NOTHING = "nothing is published there: `timevalg clinic publish FILE` does it"


@contextmanager
def ports_at(url: str) -> Iterator[Ports]:
    """Open a database that is there already, as this installation needs it.

    Raises
    ------
    InvalidInput
        Naming ``--database``; a file that is not there is not made.
    """
    from timevalg.store.migrate import require_current
    from timevalg.wiring import open_ports

    require_current(url)
    ports = open_ports(url)
    try:
        yield ports
    finally:
        ports.store.close()


@contextmanager
def ports_of(url: str, organisation: str) -> Iterator[Ports]:
    """Open a database for one of its organisations, before anything is written.

    Raises
    ------
    InvalidInput
        Naming ``--database``, or ``--organisation`` as `require_known` does.
    """
    with ports_at(url) as ports:
        require_known(ports, organisation)
        yield ports


def require_known(ports: Ports, organisation: str) -> None:
    """Refuse an organisation that has no clinic in the database, nor rights: one typed wrongly.

    Raises
    ------
    InvalidInput
        Naming ``--organisation`` and those that there are.
    """
    unpublished = nothing_published(ports, organisation)
    if unpublished and not ports.store.run(organisation, _rights, write=False):
        raise InvalidInput.single("--organisation", unpublished, "command line")


def only_organisation(ports: Ports) -> str:
    """Give the organisation that the database holds, where nobody says which.

    Raises
    ------
    InvalidInput
        Naming ``--organisation`` where there are several, ``--database`` where there is none.
    """
    known = ports.store.organisations()
    if not known:
        raise InvalidInput.single("--database", NOTHING, "command line")
    if len(known) > 1:
        said = f"the database holds {', '.join(known)}; say which"
        raise InvalidInput.single("--organisation", said, "command line")
    return known[0]


def nothing_published(ports: Ports, organisation: str) -> str:
    """Say that an organisation has no clinic in the database, and which have; "" = it has."""
    known = ports.store.organisations()
    if organisation in known:
        return ""
    there = f"there is {', '.join(known)}" if known else NOTHING
    return f"{organisation!r} has no clinic in this database; {there}"


def _rights(unit: UnitOfWork) -> int:
    return unit.rights.count()
