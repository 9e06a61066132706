"""A TCP proxy before PostgreSQL that can lose the answer to a COMMIT."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

_COMMIT = b"COMMIT\0"


class Proxy:
    """Passes connections on; `cut` lets the next COMMIT reach the server and its answer nobody.

    Attributes
    ----------
    silent : threading.Event
        While it is set, connections stay open and nothing passes.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"postgres@127.0.0.1:{port}").geturl()
        self.cuts = 0
        self.silent = threading.Event()
        self._wanted = 0
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take no more connections, and break those there are."""
        self._listener.close()
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Lose the answer to one more COMMIT."""
        with self._lock:
            self._wanted += 1

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._ends += [client, server]
        doomed = threading.Event()
        with client, server:
            back = threading.Thread(target=self._pump, args=(server, client, doomed), daemon=True)
            back.start()
            self._pump(client, server, doomed, watch=True)
            back.join()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        doomed: threading.Event,
        watch: bool = False,
    ) -> None:
        try:
            while data := source.recv(65536):
                if self.silent.is_set():
                    continue
                if watch and _COMMIT in data and self._is_chosen():
                    doomed.set()
                elif not watch and doomed.is_set():
                    self.cuts += 1  # the server has answered: it is committed
                    break
                sink.sendall(data)
        except OSError:
            doomed.set()  # one end is gone: so is the other
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _is_chosen(self) -> bool:
        with self._lock:
            chosen = self._wanted > 0
            self._wanted -= chosen
            return chosen
