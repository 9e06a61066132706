"""Requests that come when they come, however slow the answers: no coordinated omission.

An answer's time counts from the instant at which its request was due to be sent, not from when a
connection was free for it. The client is plain sockets, so that it costs the machine little.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECTIONS = 32
"""Requests under way at once at most; what is due beyond that waits, and its wait counts."""
AT_ONCE = 16
"""Requests under way where as much is asked as is answered."""


@dataclass
class Outcome:
    """What came of some requests.

    Attributes
    ----------
    waits : list of float
        Seconds from when each was due until it was answered.
    moments : list of float
        Seconds of the clock at which the answers came, in their order.
    """

    rate: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    moments: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers of success a second."""
        good = sum(n for status, n in self.statuses.items() if status < 300)
        return self.answered * good / self.statuses.total() if self.statuses else 0.0

    @property
    def answered(self) -> float:
        """Answers a second, whatever they say, without the first and the last tenth of them.

        The first answers come a wait later than the first requests, and the last ones a wait later
        than the last: with them a short run would tell how long a wait is.
        """
        tenth = len(self.moments) // 10
        counted = self.moments[tenth : len(self.moments) - tenth]
        seconds = counted[-1] - counted[0] if counted else 0.0
        return (len(counted) - 1) / seconds if seconds else 0.0

    def ms(self, percent: float) -> float:
        """Give a percentile of the waits, in milliseconds."""
        ordered = sorted(self.waits)
        if not ordered:
            return 0.0
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def drive(port: int, requests: Iterator[bytes], seconds: float, rate: float = 0.0) -> Outcome:
    """Send requests for some seconds, so many a second; with rate 0 as many as are answered."""
    return asyncio.run(_drive(port, requests, seconds, rate))


async def _drive(port: int, requests: Iterator[bytes], seconds: float, rate: float) -> Outcome:
    outcome = Outcome(rate)
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    count = CONNECTIONS if rate else AT_ONCE
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    begun = time.perf_counter()
    until = begun + seconds
    if rate:
        senders = [asyncio.create_task(_send_due(due, *line, outcome)) for line in lines]
        await _arrive(due, requests, begun, until, rate)
        for _ in lines:
            due.put_nowait(None)
    else:
        senders = [asyncio.create_task(_send(requests, until, *line, outcome)) for line in lines]
    await asyncio.gather(*senders)
    for _, writer in lines:
        writer.close()
    return outcome


async def _arrive(
    due: asyncio.Queue[tuple[float, bytes] | None],
    requests: Iterator[bytes],
    begun: float,
    until: float,
    rate: float,
) -> None:
    number = 0
    while (at := begun + number / rate) < until:
        if (ahead := at - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        request = next(requests, None)
        if request is None:
            return
        due.put_nowait((at, request))
        number += 1


async def _send_due(
    due: asyncio.Queue[tuple[float, bytes] | None],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    outcome: Outcome,
) -> None:
    while (given := await due.get()) is not None:
        await _ask(given[1], given[0], reader, writer, outcome)


async def _send(
    requests: Iterator[bytes],
    until: float,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    outcome: Outcome,
) -> None:
    while (now := time.perf_counter()) < until and (request := next(requests, None)) is not None:
        await _ask(request, now, reader, writer, outcome)


async def _ask(
    request: bytes,
    at: float,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    outcome: Outcome,
) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    outcome.statuses[int(head[9:12])] += 1
    outcome.moments.append(time.perf_counter())
    outcome.waits.append(outcome.moments[-1] - at)
