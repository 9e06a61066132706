"""Connections are shared out between the processes at one port, and a port is not taken twice."""

import pickle
import socket
import sys
from contextlib import ExitStack

import pytest

from timevalg.api.sockets import bound
from timevalg.model.errors import InvalidInput

CONNECTIONS = 64
FAIR = 12
"""Of 64 thrown at random into two, one has fewer once in ten million times."""


HERE = "127.0.0.1"


def waiting(listening: socket.socket) -> int:
    """Take all connections that wait at a socket, as an event loop does when it wakes."""
    listening.setblocking(False)
    taken = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return taken
        taken += 1


def shares(stack: ExitStack, mine: list[socket.socket]) -> list[int]:
    for listening in mine:
        stack.enter_context(listening).listen(CONNECTIONS)
    for _ in range(CONNECTIONS):
        stack.enter_context(socket.create_connection(mine[0].getsockname()))
    return [waiting(listening) for listening in mine]


def test_each_process_has_its_share_of_those_who_come_together():
    with ExitStack() as stack:
        held = stack.enter_context(bound(HERE, 0))
        if sys.platform == "linux":
            sent = [pickle.loads(pickle.dumps(held)) for _ in range(2)]  # as to a process
            found = shares(stack, sent)
            assert min(found) >= FAIR
        else:
            found = shares(stack, [held, held.dup()])
        assert sum(found) == CONNECTIONS


def test_with_one_socket_for_all_the_first_to_wake_takes_them_all():
    with ExitStack() as stack:
        shared = socket.create_server((HERE, 0))
        assert shares(stack, [shared, shared.dup()]) == [CONNECTIONS, 0]


def test_a_port_at_which_others_listen_is_refused():
    with bound(HERE, 0) as held, pickle.loads(pickle.dumps(held)) as sent:
        sent.listen()
        port = held.getsockname()[1]
        with pytest.raises(InvalidInput, match=f"{HERE}:{port}.*in use.*another port"):
            bound(HERE, port)
