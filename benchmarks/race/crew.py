"""The writer processes: what each does when told, and the one who tells them."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Barrier
from typing import Any

from benchmarks.race.contended import contend
from benchmarks.race.hospital import Job
from benchmarks.race.writers import Attempt, Planner, attempt, whole
from timevalg.channels.sink import Sink
from timevalg.store import Database
from timevalg.wiring import ports_on

SPREAD, CONTENDED, WHOLE = "spread", "contended", "whole"
WARM = 8
"""Bookings before the clock runs: caches of statements, here and in the server, are filled."""
_HEAD_START = 0.5
_PATIENCE = 600


@dataclass(frozen=True)
class Order:
    """What a writer is to do: which part, with which jobs, for how many seconds."""

    part: str
    jobs: Sequence[Job]
    seconds: float


def write(url: str, organisation: str, number: int, told: Connection, together: Barrier) -> None:
    """Be one writer until told that there is nothing more to do.

    A session of its own, as each of PostgreSQL's backends is: a kernel that shares the processor
    out by session (Linux's autogroups) else gives all writers together the share of one backend.
    """
    os.setsid()
    store = Database(url)
    try:
        planner = Planner(store, organisation)
        while (order := told.recv()) is not None:
            told.send(_obey(store, organisation, number, planner, order, told, together))
    except BaseException:
        together.abort()
        raise
    finally:
        store.close()


def _obey(
    store: Database,
    organisation: str,
    number: int,
    planner: Planner,
    order: Order,
    told: Connection,
    together: Barrier,
) -> list[Attempt]:
    if order.part == CONTENDED:
        _start(told)
        return contend(store, organisation, planner, number, order.jobs, order.seconds, together)
    if order.part == WHOLE:
        ports = ports_on(store, Sink())
        for job in order.jobs[:WARM]:
            whole(ports, organisation, job)
        end = _start(told) + order.seconds
        jobs = _until(end, order.jobs[WARM:])
        return [whole(ports, organisation, job) for job in jobs]
    bodies = [planner.body(job) for job in order.jobs]
    for body in bodies[:WARM]:
        attempt(store, organisation, body)
    end = _start(told) + order.seconds
    return [attempt(store, organisation, body) for body in _until(end, bodies[WARM:])]


def _start(told: Connection) -> float:
    """Say that all is ready, and wait for the moment at which everybody starts."""
    told.send(None)
    moment: float = told.recv()
    time.sleep(max(0.0, moment - time.monotonic()))
    return moment


def _until(end: float, items: Sequence[Any]) -> Iterator[Any]:
    for item in items:
        if time.monotonic() >= end:
            return
        yield item


class Crew:
    """Writers that wait to be told."""

    def __init__(self, members: list[tuple[SpawnProcess, Connection]]) -> None:
        self._members = members

    def race(
        self, part: str, hands: Iterable[Sequence[Job]], seconds: float
    ) -> list[list[Attempt]]:
        """Let all do one part at the same time; gives what each did.

        Raises
        ------
        RuntimeError
            If one of them has ended; its error is on stderr.
        """
        for (_, told), jobs in zip(self._members, hands, strict=True):
            told.send(Order(part, jobs, seconds))
        self._answers()
        moment = time.monotonic() + _HEAD_START
        for _, told in self._members:
            told.send(moment)
        return self._answers()

    def _answers(self) -> list[Any]:
        return [_answer(process, told) for process, told in self._members]


def _answer(process: SpawnProcess, told: Connection) -> Any:
    if not told.poll(_PATIENCE):
        raise RuntimeError(f"{process.name} does not answer")
    try:
        return told.recv()
    except EOFError:
        raise RuntimeError(f"{process.name} has failed") from None


@contextmanager
def crew(url: str, organisation: str, writers: int) -> Iterator[Crew]:
    """Start the writers, and end them whatever happens."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(writers)
    members: list[tuple[SpawnProcess, Connection]] = []
    try:
        for number in range(writers):
            ours, theirs = context.Pipe()
            arguments = (url, organisation, number, theirs, together)
            process = context.Process(
                target=write, args=arguments, name=f"writer {number}", daemon=True
            )
            process.start()
            theirs.close()
            members.append((process, ours))
        yield Crew(members)
        for _, told in members:
            told.send(None)
        for process, _ in members:
            process.join(30)
    finally:
        for process, told in members:
            told.close()
            if process.is_alive():
                process.kill()
            process.join()
