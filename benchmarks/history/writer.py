"""One writer: a process that does at random what people do, and notes what came of it.

It notes each call before it is made, each transaction inside it (the last thing before the
commit, while its locks are held), and each reply. What a killed process has noted stays.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import text

from benchmarks.history import clinic
from benchmarks.history.clinic import ORGANISATION, RESOURCES, Running, micros, taken
from benchmarks.history.record import DONE, Change, line
from timevalg.booking import (
    answer,
    cancel,
    change,
    check,
    choose,
    due,
    expire,
    hold,
    invite,
    take_up,
)
from timevalg.booking.ports import Ports
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.channels.sink import Sink
from timevalg.model.errors import TimevalgError
from timevalg.model.principal import Principal, RoleName, worker
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.picture import Picture
from timevalg.store import Database
from timevalg.wiring import ports_on

R = TypeVar("R")

DESK = Principal("anna", RoleName.PLANNER, ORGANISATION)
DIPS = Principal("dips", RoleName.SYSTEM, ORGANISATION)

_MINE = (
    "SELECT seq, type, key FROM events"
    " WHERE txid = CAST(CAST(pg_current_xact_id_if_assigned() AS text) AS bigint) ORDER BY seq"
)
_SINCE = "SELECT seq, type, key FROM events WHERE seq > :before ORDER BY seq"
_HIGHEST = "SELECT coalesce(max(seq), 0) FROM events"


class Noting:
    """A store that notes what each transaction has done, before it commits."""

    def __init__(self, store: Store, note: Callable[[bytes], object]) -> None:
        self._store, self._note = store, note

    def run(self, organisation: str, body: Callable[[UnitOfWork], R], *, write: bool = True) -> R:
        """Run a transaction; what it wrote is noted while nobody else can see it."""

        def noted(unit: UnitOfWork) -> R:
            query, before = _its_events(unit)
            result = body(unit)
            found = changes(unit, query, before)
            if found is not None:
                self._note(line("changes", **vars(found)))
            return result

        return self._store.run(organisation, noted if write else body, write=write)

    def organisations(self) -> list[str]:
        """Give the organisations."""
        return self._store.organisations()

    def close(self) -> None:
        """Let go of all connections."""
        self._store.close()


def _its_events(unit: Any) -> tuple[str, dict[str, int]]:
    """Give the query for what a transaction writes: SQLite has one writer at a time."""
    if unit.connection.dialect.name == "postgresql":
        return _MINE, {}
    return _SINCE, {"before": unit.connection.execute(text(_HIGHEST)).scalar_one()}


def changes(unit: Any, query: str, parameters: dict[str, int]) -> Change | None:
    """Give what the transaction has done so far; None if it has written no event."""
    rows = unit.connection.execute(text(query), parameters).all()
    if not rows:
        return None
    told: dict[str, list[str]] = {}
    for _, kind, key in rows:
        if kind in {"session.claimed", "session.released"}:
            told.setdefault(key, []).append(kind)
    was_there = [key for key, kinds in told.items() if kinds[0] == "session.released"]
    is_there = frozenset(key for key, kinds in told.items() if kinds[-1] == "session.claimed")
    return Change(
        max(row[0] for row in rows),
        micros(unit.now()),
        tuple(was_there),
        taken(unit.sessions.find(id=is_there)) if is_there else (),
    )


@dataclass
class Writer:
    """Who does things at random, on what its own picture shows."""

    ports: Ports
    clock: Running
    note: Callable[[bytes], object]
    dice: random.Random

    def step(self) -> None:
        """Do one thing and note it; it begins with the look at what there is."""
        began = micros(self.clock.now())
        picture = self.ports.pictures.current(ORGANISATION)
        verb = self.dice.choice(_CARDS)
        call = getattr(self, f"_{verb}")(picture)
        if call is None:
            return
        task, pool, start, do = call
        self.note(
            line(
                "begins",
                verb=verb,
                task=task.id if task else "",
                patient=task.patient if task else "",
                pool=pool,
                start=None if start is None else micros(start),
                began=began,
            )
        )
        told: dict[str, Any] = {}
        try:
            told, outcome = do(), DONE
        except TimevalgError as error:
            outcome = type(error).__name__
        self.note(line("ends", outcome=outcome, told=told, ended=micros(self.clock.now())))

    # -- each verb: the task, the pool and the start it is about, and how it is done -------------

    def _choose(self, picture: Picture) -> Any:
        task = self._task(picture, "open with-staff", odd="chosen")
        start = self.dice.choice(clinic.STARTS)
        held = [s for s in picture.index.by_task(task.id) if s.kind == "hold"] if task else []
        if held and self.dice.random() < 0.7:
            start = held[0].start
        return task and (task, task.pools[0], start, lambda: self._chosen(task, start))

    def _hold(self, picture: Picture) -> Any:
        task, start = self._task(picture, "open", odd="chosen"), self.dice.choice(clinic.STARTS)
        return task and (task, task.pools[0], start, lambda: self._held(task, start))

    def _change(self, picture: Picture) -> Any:
        visit, task = self._visit(picture)
        start = self.dice.choice(clinic.STARTS)
        return task and (task, task.pools[0], start, lambda: self._changed(visit, task, start))

    def _cancel(self, picture: Picture) -> Any:
        visit, task = self._visit(picture)
        who = DESK if self.dice.random() < 0.5 else _patient(task)
        do = self._then(lambda: cancel.cancel(self.ports, who, visit))
        return task and (task, "", None, do)

    def _refuse(self, picture: Picture) -> Any:
        visit, task = self._visit(picture)
        return task and (
            task,
            "",
            None,
            self._then(lambda: answer.refuse(self.ports, DIPS, visit, "no")),
        )

    def _confirm(self, picture: Picture) -> Any:
        task = self._task(picture, "chosen assigned", odd="open")
        do = self._then(lambda: check.check(self.ports, DESK, task.id, True))
        return task and (task, "", None, do)

    def _take(self, picture: Picture) -> Any:
        task = self._task(picture, "open chosen", odd="confirmed")
        do = self._then(lambda: take_up.hand_to_staff(self.ports, DESK, task.id))
        return task and (task, "", None, do)

    def _assign(self, picture: Picture, override: bool = False) -> Any:
        task, start = self._task(picture, "with-staff", odd="open"), self.dice.choice(clinic.STARTS)
        return task and (
            task,
            task.pools[0],
            start,
            self._then(lambda: self._assigned(task, start, override)),
        )

    def _override(self, picture: Picture) -> Any:
        return self._assign(picture, override=True)

    def _withdraw(self, picture: Picture) -> Any:
        task = self._task(picture, "open with-staff chosen", odd="confirmed")
        do = self._then(lambda: cancel.withdraw(self.ports, DESK, task=task.id))
        return task and (task, "", None, do)

    def _invite(self, picture: Picture) -> Any:
        if sum(t.is_live for t in picture.tasks.values()) >= clinic.MOST_LIVE:
            return None
        number, pool = self.dice.randrange(clinic.PATIENTS), self.dice.choice([*RESOURCES])
        task = replace(clinic.invitation(number, pool), id=self.ports.keys.new("task"))
        return task, pool, None, self._then(lambda: invite.invite(self.ports, DESK, [task]))

    def _expire(self, picture: Picture) -> Any:
        do = self._then(lambda: expire.expire_holds(self.ports, worker(ORGANISATION)))
        return None, "", None, do

    # -- doing, and what one is told -----------------------------------------------------------

    def _chosen(self, task: Task, start: datetime) -> dict[str, Any]:
        visit = choose.choose(self.ports, _patient(task), task.id, start)
        return {"session": visit.session, "start": micros(visit.start)}

    def _held(self, task: Task, start: datetime) -> dict[str, Any]:
        held = hold.hold(self.ports, _patient(task), task.id, start)
        until = None if held.until is None else micros(held.until)
        return {"session": held.id, "start": micros(held.start), "until": until}

    def _changed(self, visit: str, task: Task, start: datetime) -> dict[str, Any]:
        moved = change.change(self.ports, _patient(task), visit, start)
        return {"session": moved.session, "start": micros(moved.start)}

    def _assigned(self, task: Task, start: datetime, override: bool) -> None:
        doctor, room = RESOURCES[task.pools[0]]
        resources = {"doctor": (doctor,), "room": (room,)}
        pool, why = task.pools[0], "needed"
        due.assign(self.ports, DESK, task.id, start, resources, pool, why, override)

    @staticmethod
    def _then(call: Callable[[], object]) -> Callable[[], dict[str, Any]]:
        def do() -> dict[str, Any]:
            call()
            return {}

        return do

    # -- what to do it to ----------------------------------------------------------------------

    def _task(self, picture: Picture, states: str, odd: str) -> Task | None:
        """Give a task in one of the states; now and then one that the verb is refused for."""
        wanted: Collection[str] = (odd if self.dice.random() < 0.1 else states).split()
        found = sorted((t for t in picture.tasks.values() if t.state in wanted), key=lambda t: t.id)
        return self.dice.choice(found) if found else None

    def _visit(self, picture: Picture) -> tuple[str, Task | None]:
        """Give the appointment of a task that has one; now and then of one that is long gone."""
        states = "chosen assigned confirmed"
        task = self._task(picture, states, odd=f"open with-staff {states}")
        if task is None:
            return "", None
        visits = self.ports.store.run(
            ORGANISATION,
            lambda unit: unit.appointments.find(task=task.id, order="-created_at"),
            write=False,
        )
        return (visits[0].id, task) if visits else ("", None)


_CARDS = [
    *["choose"] * 6,
    *["hold"] * 5,
    *["change"] * 4,
    *["cancel"] * 3,
    *["invite"] * 4,
    *["confirm", "take", "assign", "override", "refuse", "withdraw", "expire"],
]
"""How often each verb is drawn."""


def _patient(task: Task | None) -> Principal:
    name = task.patient if task else "nobody"
    return Principal(name, RoleName.PATIENT, ORGANISATION, patient=name)


def write(
    url: str, path: Path, origin: float, ready: Barrier, seconds: float, least: int, seed: int
) -> None:
    """Be one writer from when all are ready: for some seconds, and at least so many steps."""
    clock = Running(origin)
    store = Database(url, clock)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(text: bytes) -> None:
        os.write(file, text)

    ports = ports_on(Noting(store, note), Sink())
    writer = Writer(ports, clock, note, random.Random(seed))
    ports.pictures.current(ORGANISATION)
    ready.wait(60)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end or least > 0:
            writer.step()
            least -= 1
    finally:
        store.close()
        os.close(file)


def sessions(store: Store) -> list[Session]:
    """Give every session there is."""
    return store.run(ORGANISATION, lambda unit: unit.sessions.find(), write=False)
