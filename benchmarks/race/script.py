"""A booking's statements as a script for pgbench.

Everything that must differ from one booking to the next differs in it: the patient's task and
place, new ids, locks, the pair and the time. So each run of it really inserts, beside no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from benchmarks.race.hospital import HORIZON, LENGTH, PAIRS, Job
from timevalg.store.columns import microseconds
from timevalg.store.postgres import lock_number

BLOCK = 50_000
"""Bookings a client may make; each has a time of its own, the same on every pair."""
FIRST = 10**9
"""pgbench's patients have numbers from here on, all with ten digits."""
STEP = LENGTH * 60_000_000
"""Microseconds from one time to the next."""

_DAY = 86_400_000_000
"""Microseconds: resources are locked by the day."""
_MOST_DAYS = 100_000
_LARGEST = 2**53
"""Of numbers that are no locks: instants are smaller, of locks one in a thousand is."""
_ID = re.compile(r"\b[a-z]-[0-9a-f]{20,}")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
_ZEROS = "0" * 10


@dataclass(frozen=True)
class Statement:
    """One call of the driver: SQL with named places, and a row of values or several."""

    sql: str
    rows: Sequence[Mapping[str, Any]]


def script(statements: Sequence[Statement], organisation: str, job: Job) -> str:
    """Write the script of the booking that `job` was; it starts at ``i`` + 1."""
    words = _Words.of(organisation, job)
    lines = [
        "\\set i :i + 1",
        f"\\set slot :client_id * {BLOCK} + :i",
        f"\\set n {FIRST} + :slot",
        f"\\set shift :slot * {STEP}",
        f"\\set pair random(0, {PAIRS - 1})",
        "BEGIN ISOLATION LEVEL READ COMMITTED;",
    ]
    for statement in statements:
        made = [f"{words.filled(statement.sql, row)};" for row in statement.rows]
        many = len(made) > 1  # psycopg's executemany sends them in a pipeline
        lines += ["\\startpipeline", *made, "\\endpipeline"] if many else made
    return "\n".join([*lines, "COMMIT;", ""])


@dataclass
class _Words:
    """What the script writes instead of the booking's own values."""

    exact: dict[Any, str]
    ids: dict[str, str]
    fresh: int = field(default=0)

    @classmethod
    def of(cls, organisation: str, job: Job) -> _Words:
        pair = job.pool.rpartition("-")[2]
        start = microseconds(job.start)
        exact: dict[Any, str] = {at: f"({at} + :shift)" for at in (start, start + STEP)}
        for number, kind in enumerate(("dr", "room"), 1):
            exact[f"r:{kind}-{pair}"] = f"({literal(f'r:pg-{kind}-')} || :pair)"
            day = f"({start} + :shift) / {_DAY}"
            lock = f"CAST(:pair + {number * FIRST} AS bigint) * {_MOST_DAYS} + {day}"
            for later in range(HORIZON):  # of the time, and of the place that is given up for it
                key = f"r:{kind}-{pair}:{job.start.toordinal() + later}"
                exact[lock_number(organisation, key)] = f"({lock} + {later})"
        for number, key in ((4, f"p:{job.patient}"), (5, f"t:{job.task}")):  # bigint from 3 on
            exact[lock_number(organisation, key)] = f"(:n + {number * FIRST})"
        exact[lock_number(organisation)] = str(lock_number(organisation))  # shared by all
        ids = {job.task: f"t-{_ZEROS}", job.patient: f"p-{_ZEROS}"}
        return cls(exact, ids)

    def filled(self, sql: str, row: Mapping[str, Any]) -> str:
        """Give the SQL with an expression in each place."""

        def put(match: re.Match[str]) -> str:
            return self.value(row[match[1]]) if match[1] else "%"

        return _PLACEHOLDER.sub(put, sql)

    def value(self, value: Any) -> str:
        """Give the expression of a value."""
        given: Callable[[Any], str] = self.value
        if value is None:
            return "NULL"
        if isinstance(value, str) and (values := _array(value)):
            return f"ARRAY[{', '.join(map(given, values))}]"
        if isinstance(value, str) and value.startswith('[{"'):
            return self._rows(json.loads(value))
        if not isinstance(value, bool) and value in self.exact:
            return self.exact[value]
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise ValueError(f"{value} in a booking's statement: a lock that all would wait for")
        if isinstance(value, bool | int):
            return str(value)
        if isinstance(value, date):
            return literal(value.isoformat())
        if not isinstance(value, str):
            raise TypeError(f"{value!r} in a booking's statement: say how pgbench writes it")
        return literal(value) if value[:1] in {"{", "["} else self._text(value)

    def _rows(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Give rows that travel as one text, each value with what differs in it."""
        made = (
            ", ".join(f"{literal(name)}, {self.value(value)}" for name, value in row.items())
            for row in rows
        )
        objects = ", ".join(f"json_build_object({fields})" for fields in made)
        return f"CAST(json_build_array({objects}) AS varchar)"

    def _text(self, value: str) -> str:
        """Give a text in which every id has the patient's number at its end."""
        parts, end = [], 0
        for match in _ID.finditer(value):
            if match[0] not in self.ids:
                self.fresh += 1
                self.ids[match[0]] = f"{match[0][:2]}{self.fresh:010}"
            parts += [literal(value[end : match.start()] + self.ids[match[0]]), ":n"]
            end = match.end()
        if not parts:
            return literal(value)
        if value[end:]:
            parts.append(literal(value[end:]))
        return f"({' || '.join(parts)})"


def _array(text: str) -> list[Any]:
    """Give the values of an array as PostgreSQL writes it; none of any other text."""
    if not text.startswith("{"):
        return []
    try:
        return list(json.loads(f"[{text[1:-1]}]"))
    except ValueError:  # an object
        return []


def literal(text: str) -> str:
    """Quote a text so that pgbench sees no variable in it."""
    quoted = text.replace("'", "''")
    if ":" not in text:
        return f"'{quoted}'"
    escaped = quoted.replace("\\", "\\\\").replace(":", "\\003A")
    return f"U&'{escaped}'"
