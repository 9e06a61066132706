"""HTTP exchanges that end in time, whatever the other side does.

The time-outs of an HTTP client count from one read or write to the next: who sends a byte now and
then never meets them. Here each of them is given what is left of the whole, headers included.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

PIECE = 16_384
"""Bytes that are written at a time."""

_until: ContextVar[float] = ContextVar("until")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End what a `Bounded` transport does in the block when the seconds are over.

    Then `httpx2.TimeoutException` is raised, by what was to be done next: `ConnectTimeout`,
    `WriteTimeout`, `ReadTimeout`.
    """
    token = _until.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


class Bounded(httpx2.HTTPTransport):
    """A transport whose every step takes no more than is left of the time, see `within`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._pool._network_backend = _Network()  # httpx2 has no way of its own to give it one


class _Network(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(httpcore2.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), PIECE):  # what is beneath times every bit it gets rid of
            self._inner.write(buffer[at : at + PIECE], _left(httpcore2.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(over: type[Exception]) -> float:
    left = _until.get() - time.monotonic()
    if left <= 0:
        raise over("the time is over")
    return left
