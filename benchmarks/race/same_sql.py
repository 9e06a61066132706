"""The same statements without the project around them: a real booking's SQL under pgbench."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from benchmarks.race.hospital import PAIRS, Job
from benchmarks.race.script import BLOCK, FIRST, STEP, Statement

_YEARS = 65 * 366 * 86_400_000_000
"""How far the places of pgbench's patients lie beyond all times that it books."""
_TRIAL = 40
"""Bookings of each client in the run that only finds out how many there will be."""

# The patients are copies of one who has been invited and has not chosen yet.
_TASKS = """
INSERT INTO tasks SELECT (jsonb_populate_record(t, jsonb_build_object(
    'id', 't-' || lpad(n::text, 20, '0'), 'patient', 'p-' || lpad(n::text, 20, '0')))).*
FROM tasks t, generate_series(%(first)s::bigint, %(last)s) n
WHERE t.organisation = %(organisation)s AND t.id = %(task)s
"""
_PLACES = """
INSERT INTO sessions SELECT (jsonb_populate_record(s, jsonb_build_object(
    'id', 'place:t-' || lpad(n::text, 20, '0'), 'task', 't-' || lpad(n::text, 20, '0'),
    'patient', 'p-' || lpad(n::text, 20, '0'),
    'start', s.start + %(years)s + (n - %(zero)s) * %(step)s))).*
FROM sessions s, generate_series(%(first)s::bigint, %(last)s) n
WHERE s.organisation = %(organisation)s AND s.task = %(task)s
"""
_CLAIMS = """
INSERT INTO claims (organisation, session_id, subject, starts_at, ends_at)
SELECT c.organisation, 'place:t-' || lpad(n::text, 20, '0'),
    CASE WHEN c.subject LIKE 'p:%%' THEN 'p:p-' || lpad(n::text, 20, '0')
    ELSE regexp_replace(c.subject, '^r:([a-z]+)-.*', 'r:pg-\\1-') || n %% %(pairs)s END,
    c.starts_at + %(years)s + (n - %(zero)s) * %(step)s,
    c.ends_at + %(years)s + (n - %(zero)s) * %(step)s
FROM sessions s JOIN claims c ON c.organisation = s.organisation AND c.session_id = s.id,
    generate_series(%(first)s::bigint, %(last)s) n
WHERE s.organisation = %(organisation)s AND s.task = %(task)s
"""
_BOOKED = "SELECT count(*) FROM tasks WHERE organisation = %s AND id >= %s AND state = 'chosen'"


class PgbenchFailed(RuntimeError):
    """pgbench did not do what was asked; the message carries what it said."""


@dataclass(frozen=True)
class SameSql:
    """Rate and mean latency of the same statements under pgbench, and how many ran."""

    per_second: float
    mean_ms: float
    transactions: int

    @classmethod
    def of(cls, turns: Sequence[SameSql]) -> SameSql:
        """Put turns of the same length together."""
        return cls(
            fmean(t.per_second for t in turns),
            fmean(t.mean_ms for t in turns),
            sum(t.transactions for t in turns),
        )


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Listen to every statement that SQLAlchemy sends from this process."""
    heard: list[Statement] = []

    def hear(_: Any, __: Any, sql: str, parameters: Any, ___: Any, many: bool) -> None:
        rows = parameters if many else [parameters]
        heard.append(Statement(sql, [dict(row) for row in rows]))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


@dataclass
class Pgbench:
    """The script on a database, for an organisation.

    Attributes
    ----------
    model : Job
        A patient who has not chosen: pgbench's are copies.
    used, said : int
        Patients that each client has used up; transactions it reported in all.
    """

    binary: Path
    url: str
    organisation: str
    script: str
    model: Job
    clients: int
    used: int = 0
    said: int = 0

    def measure(self, seconds: float) -> SameSql:
        """Run it for about some seconds, every booking on a patient of its own.

        Raises
        ------
        PgbenchFailed
            Also if it booked less than it says.
        """
        trial = self._run(_TRIAL)
        most = BLOCK - self.used - 1
        each = min(most, round(trial.per_second * seconds / self.clients) + 1)
        done = self._run(each)
        with psycopg.connect(self.url) as connection:
            first = f"t-{FIRST:020}"
            row = connection.execute(_BOOKED, (self.organisation, first)).fetchone()
        booked = row[0] if row else 0
        if booked != self.said or done.transactions != each * self.clients:
            raise PgbenchFailed(
                f"pgbench ran {self.said} transactions, which booked {booked} times"
            )
        return done

    def _run(self, each: int) -> SameSql:
        since = self.used
        self.used += each
        self._invite(since, each)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(self.script)
            file.flush()
            threads = min(self.clients, os.cpu_count() or 1)
            options = ["--no-vacuum", "--protocol=prepared", f"--define=i={since}"]
            options += [f"--client={self.clients}", f"--jobs={threads}", f"--transactions={each}"]
            done = subprocess.run(
                [str(self.binary), *options, f"--file={file.name}", self.url],
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise PgbenchFailed(f"pgbench: {done.stderr.strip()[-2000:]}")
        done_all = int(_number(r"actually processed: (\d+)", done.stdout))
        self.said += done_all
        return SameSql(
            _number(r"^tps = ([\d.]+)", done.stdout),
            _number(r"^latency average = ([\d.]+)", done.stdout),
            done_all,
        )

    def _invite(self, since: int, each: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for client in range(self.clients):
                first = FIRST + client * BLOCK + since + 1
                values = {
                    "first": first,
                    "last": first + each - 1,
                    "organisation": self.organisation,
                    "task": self.model.task,
                    "years": _YEARS,
                    "zero": FIRST,
                    "step": STEP,
                    "pairs": PAIRS,
                }
                with connection.transaction():
                    for statement in (_TASKS, _PLACES, _CLAIMS):
                        connection.execute(statement, values)
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise PgbenchFailed(f"pgbench said nothing of {pattern!r}:\n{text[-2000:]}")
    return float(found[1])
