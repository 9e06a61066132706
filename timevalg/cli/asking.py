"""What several commands ask in the same words: a file, a pool or a task, an instant, a window."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path

from timevalg.cli.moments import parse_date, parse_now
from timevalg.clinic import read
from timevalg.model.clinic import Clinic
from timevalg.model.contents import Contents
from timevalg.model.errors import InvalidInput
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index


@dataclass(frozen=True)
class Asking:
    """What the command line asks.

    Attributes
    ----------
    file : Path
    pool, task : str or None
        Just one of the two.
    now, not_before, not_after : str or None
        As they were typed.
    done : sequence of str
        Preparations already done.
    """

    file: Path
    pool: str | None = None
    task: str | None = None
    now: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    done: Sequence[str] = ()


@dataclass(frozen=True)
class Asked:
    """What it means.

    Attributes
    ----------
    now : datetime
        UTC.
    asks : tuple of Ask
        One for each pool, in the task's order.
    """

    contents: Contents
    index: Index
    clinic: Clinic
    now: datetime
    asks: tuple[Ask, ...]


def understand(asking: Asking) -> Asked:
    """Read the file and make the asks; the file's warnings go to standard error.

    Raises
    ------
    InvalidInput
    """
    if (asking.pool is None) == (asking.task is None):
        raise InvalidInput.single("--pool, --task", "give just one of the two", "command line")
    contents = read(asking.file)
    for warning in contents.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    organisation = contents.organisation
    task = find_task(contents, asking.task) if asking.task is not None else None
    clinic = (
        organisation.clinic(task.clinic) if task is not None else find_clinic(contents, asking.pool)
    )
    _require_preparations(asking.done, clinic, task)
    now = parse_now(asking.now, clinic.timezone)
    first = parse_date("--not-before", asking.not_before)
    last = parse_date("--not-after", asking.not_after)
    index = Index.of(organisation, [*(b.session for b in contents.bookings), *contents.holds])
    asks = (
        tuple(_for_task(index, task, pool, now, first, last, asking.done) for pool in task.pools)
        if task is not None
        else (
            Ask.for_pool(
                index,
                asking.pool or "",
                now,
                clinic=clinic.id,
                not_before=first,
                not_after=last,
                done=asking.done,
            ),
        )
    )
    return Asked(contents, index, clinic, now, asks)


def _for_task(
    index: Index,
    task: Task,
    pool: str,
    now: datetime,
    first: date | None,
    last: date | None,
    done: Iterable[str],
) -> Ask:
    return Ask.for_task(
        index, task, pool, now, changing=True, not_before=first, not_after=last, done=done
    )


def _require_preparations(done: Iterable[str], clinic: Clinic, task: Task | None) -> None:
    known = {
        p.id
        for s in clinic.services.values()
        for p in (task.preparation_rules(s) if task else s.preparations)
    }
    for name in done:
        if name not in known:
            raise unknown("--done", "preparation", name, known)


def find_task(contents: Contents, task: str) -> Task:
    """Give the file's task of this id.

    Raises
    ------
    InvalidInput
        With the nearest one there is.
    """
    tasks = {t.id: t for t in contents.tasks}
    if task not in tasks:
        raise unknown("--task", "task", task, tasks)
    return tasks[task]


def find_clinic(contents: Contents, pool: str | None) -> Clinic:
    """Give the clinic that has the pool.

    Raises
    ------
    InvalidInput
        With the nearest one there is.
    """
    pools = {p for c in contents.organisation.clinics.values() for p in c.pools}
    if pool not in pools:
        raise unknown("--pool", "pool", pool or "", pools)
    return contents.organisation.clinic_of_pool(pool or "")


def unknown(option: str, kind: str, name: str, known: Iterable[str]) -> InvalidInput:
    """Say that there is no such thing, and what there is instead."""
    near = get_close_matches(name, list(known), 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InvalidInput.single(option, f"there is no {kind} {name!r}{hint}", "command line")
