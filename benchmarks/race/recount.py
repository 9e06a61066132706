"""What the database says afterwards, asked in plain SQL without any of the project's code."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import psycopg

_OVERLAPS = """
SELECT count(*) FROM claims a JOIN claims b
    ON a.organisation = b.organisation AND a.subject = b.subject
    AND a.session_id < b.session_id
    AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
"""
_BOOKED_TWICE = """
SELECT count(*) FROM (
    SELECT 1 FROM sessions WHERE kind = 'booking' AND organisation = %s
    GROUP BY organisation, task HAVING count(*) > 1
) AS twice
"""
_WHOLE = """
SELECT count(*) FROM appointments a
JOIN sessions s ON s.organisation = a.organisation AND s.id = a.session AND s.kind = 'booking'
    AND s.task = a.task AND s.start = a.start
JOIN tasks t ON t.organisation = a.organisation AND t.id = a.task AND t.state = 'chosen'
WHERE a.organisation = %s
    AND (SELECT count(*) FROM claims c
         WHERE c.organisation = s.organisation AND c.session_id = s.id) = 3
    AND EXISTS (SELECT 1 FROM events e WHERE e.organisation = a.organisation
        AND e.subject = 'appointment' AND e.key = a.id)
    AND EXISTS (SELECT 1 FROM work w WHERE w.organisation = a.organisation
        AND w.kind = 'check' AND w.entity = t.id)
    AND EXISTS (SELECT 1 FROM audit u WHERE u.organisation = a.organisation
        AND u.subject = 'task' AND u.key = t.id AND u.verb = 'choose')
"""


@dataclass(frozen=True)
class Recount:
    """Attributes
    ----------
    overlaps : int
        Pairs of claims that share time on a subject, by a self-join.
    swept : int
        Claims that begin before the last one of their subject has ended, by a sweep in Python.
    twice : int
        Tasks with more than one booking.
    whole : int
        Bookings that are there with all that belongs to them: appointment, session, three claims,
        the task's move, event, work, audit.
    """

    overlaps: int
    swept: int
    twice: int
    whole: int


def recount(url: str, organisation: str) -> Recount:
    """Count what there must be none of, and what there must be."""
    with psycopg.connect(url) as connection:
        return Recount(
            _count(connection, _OVERLAPS),
            _sweep(connection),
            _count(connection, _BOOKED_TWICE, organisation),
            _count(connection, _WHOLE, organisation),
        )


def deadlocks(url: str) -> int:
    """Give how many deadlocks PostgreSQL has counted in the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        return _count(
            connection, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )


def _count(connection: psycopg.Connection[Any], query: Any, *parameters: Any) -> int:
    row = connection.execute(query, parameters or None).fetchone()
    return int(row[0]) if row else 0


def _sweep(connection: psycopg.Connection[Any]) -> int:
    rows = connection.execute("SELECT organisation, subject, starts_at, ends_at FROM claims")
    found = 0
    for _, claims in groupby(sorted(rows.fetchall()), key=lambda row: row[:2]):
        reached = 0
        for *_, starts, ends in claims:
            found += starts < reached
            reached = max(reached, ends)
    return found
