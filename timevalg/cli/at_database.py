"""What a command stands on that works in a database: its ports, as long as the command runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
