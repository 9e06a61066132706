"""What a command stands on that works in a database: its ports, as long as the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from timevalg.model.errors import InvalidInput

if TYPE_CHECKING:
    from timevalg.booking.ports import Ports


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


def require_known(ports: Ports, organisation: str) -> None:
    """Refuse an organisation that has no clinic in the database: a number typed wrongly.

    Raises
    ------
    InvalidInput
        Naming ``--organisation`` and those that there are.
    """
    known = ports.store.organisations()
    if organisation not in known:
        there = f"there is {', '.join(known)}" if known else "nothing is published there"
        said = f"{organisation!r} has no clinic in this database; {there}"
        raise InvalidInput.single("--organisation", said, "command line")
