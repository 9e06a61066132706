"""One port, many processes: each listens with a socket of its own, and the kernel shares out.

With one socket for all of them, whichever process wakes first takes every connection that waits,
and a proxy keeps its connections for long.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

from timevalg.model.errors import InvalidInput


class OwnSocket(socket.socket):
    """Bound to an address beside others of its kind; a process that it is sent to binds its own.

    Where it was made it holds the port, and does not listen.

    Parameters
    ----------
    family : int
        Of addresses.
    address : tuple
        As `getsockname` gives it.
    """

    def __init__(self, family: int, address: tuple[Any, ...]) -> None:
        super().__init__(family)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.bind(address)

    def __reduce__(self) -> tuple[Any, ...]:
        return OwnSocket, (self.family, self.getsockname())


def bound(host: str, port: int) -> socket.socket:
    """Give what processes listen with: on Linux each with its own, else all with one.

    Elsewhere the kernel would send every connection to the last that was bound.

    Raises
    ------
    InvalidInput
        If the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    shared = socket.socket(family)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        shared.bind((host, port))  # refused where others listen; the other kind would join in
    except OSError as error:
        shared.close()
        why = f"{host}:{port} cannot be listened at ({error.strerror}); stop what does, or give"
        raise InvalidInput.single("--port", f"{why} another port or --host") from error
    if sys.platform != "linux":
        return shared
    with shared:
        address = shared.getsockname()
    return OwnSocket(family, address)
