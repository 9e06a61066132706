"""Figures counted by the database: one statement each, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, TextClause, bindparam, text

from timevalg.model.figures import Counted, Period, waited
from timevalg.store.columns import Instant

if TYPE_CHECKING:
    from timevalg.store.unit import SqlUnit

_IS_PATIENTS = """(e.origin IN ('patient', 'representative') OR e."by" = 'patient')"""

_VISITS = """
SELECT a.clinic,
  count(CASE WHEN a.state <> 'cancelled' THEN 1 END) AS visits,
  count(a.lettered_at) AS lettered,
  count(CASE WHEN a.state IN ('arrived', 'fulfilled') THEN 1 END) AS attended,
  count(CASE WHEN a.state = 'no-show' THEN 1 END) AS no_shows
FROM appointments a
WHERE a.organisation = :organisation AND a.start >= :since AND a.start < :until
  AND a.patient IS NOT NULL
GROUP BY a.clinic
"""

_MOVED = f"""
SELECT m.clinic, count(*) AS moved, sum(m.by_patient) AS moved_by_patient,
  sum(m.by_hospital) AS moved_by_hospital
FROM (
  SELECT a.clinic, a.id,
    max(CASE WHEN {_IS_PATIENTS} THEN 1 ELSE 0 END) AS by_patient,
    max(CASE WHEN {_IS_PATIENTS} THEN 0 ELSE 1 END) AS by_hospital
  FROM appointments a
  JOIN events e ON e.organisation = a.organisation AND e.subject = 'appointment'
    AND e."key" = a.id AND e.type = 'appointment.changed'
  WHERE a.organisation = :organisation AND a.start >= :since AND a.start < :until
    AND a.patient IS NOT NULL AND a.lettered_at IS NOT NULL AND a.moves > 0
    AND {{old_start}} <> {{new_start}}
    AND e.version > (
      SELECT min(l.version) FROM events l
      WHERE l.organisation = a.organisation AND l.subject = 'appointment' AND l."key" = a.id
        AND l.type = 'appointment.lettered')
  GROUP BY a.clinic, a.id
) m
GROUP BY m.clinic
"""

_INVITED = """
SELECT t.clinic, count(*) AS invited,
  count(CASE WHEN EXISTS (
    SELECT 1 FROM appointments a
    WHERE a.organisation = t.organisation AND a.task = t.id AND a.origin = 'chosen'
  ) THEN 1 END) AS chosen
FROM tasks t
WHERE t.organisation = :organisation AND t.due >= :first AND t.due <= :last
  AND t.state <> 'draft' AND t.mode <> 'allot'
GROUP BY t.clinic
"""

_WAITED = """
SELECT a.clinic, {waited} AS days, count(*) AS visits,
  count(CASE WHEN {day} > t.not_after THEN 1 END) AS past_planned
FROM appointments a
JOIN tasks t ON t.organisation = a.organisation AND t.id = a.task
WHERE a.organisation = :organisation AND a.start >= :since AND a.start < :until
  AND a.state <> 'cancelled'
GROUP BY a.clinic, {waited}
"""

_DEADLINES = """
SELECT t.clinic, count(*) AS with_deadline,
  count(CASE WHEN NOT EXISTS (
    SELECT 1 FROM appointments a WHERE a.organisation = t.organisation AND a.task = t.id
      AND a.state <> 'cancelled' AND {day} <= t.deadline
  ) AND (t.deadline < :today OR EXISTS (
    SELECT 1 FROM appointments a WHERE a.organisation = t.organisation AND a.task = t.id
      AND a.state <> 'cancelled'
  )) THEN 1 END) AS deadline_breaches
FROM tasks t
WHERE t.organisation = :organisation AND t.deadline >= :first AND t.deadline <= :last
  AND t.state NOT IN ('draft', 'withdrawn', 'declined')
GROUP BY t.clinic
"""

_TOUCHES = """
SELECT x.clinic, count(*) AS touches FROM (
  SELECT t.clinic FROM audit u
  JOIN tasks t ON t.organisation = u.organisation AND t.id = u."key"
  WHERE u.organisation = :organisation AND u.subject = 'task'
    AND u.role IN ('planner', 'secretary', 'clinician') AND u.verb IN :verbs
    AND u."time" >= :since AND u."time" < :until
  UNION ALL
  SELECT a.clinic FROM audit u
  JOIN appointments a ON a.organisation = u.organisation AND a.id = u."key"
  WHERE u.organisation = :organisation AND u.subject = 'appointment'
    AND u.role IN ('planner', 'secretary', 'clinician') AND u.verb IN :verbs
    AND u."time" >= :since AND u."time" < :until
) x
GROUP BY x.clinic
"""

_FREED = """
WITH gone AS (
  SELECT a.clinic AS clinic, a.start AS starts, a.start + a.length * 60000000 AS ends,
    a.resources AS resources
  FROM appointments a
  WHERE a.organisation = :organisation AND a.start >= :since AND a.start < :until
    AND a.state IN ('cancelled', 'no-show') AND a.patient IS NOT NULL
  UNION ALL
  SELECT v.clinic, v.starts, v.starts + v.minutes * 60000000, v.resources
  FROM (
    SELECT e.clinic AS clinic, {old_microseconds} AS starts, {old_length} AS minutes,
      {old_resources} AS resources
    FROM appointments a
    JOIN events e ON e.organisation = a.organisation AND e.subject = 'appointment'
      AND e."key" = a.id AND e.type = 'appointment.changed'
    WHERE a.organisation = :organisation AND a.moves > 0 AND a.patient IS NOT NULL
      AND {old_start} <> {new_start}
  ) v
  WHERE v.starts >= :since AND v.starts < :until
), seats AS (
  SELECT gone.clinic AS clinic, gone.starts AS starts, gone.ends AS ends, {seat} AS resource
  FROM gone {each_seat}
)
SELECT f.clinic, f.resource, sum(f.ends - f.starts) AS lost, sum(f.refilled) AS refilled
FROM (
  SELECT s.clinic, s.resource, s.starts, s.ends, coalesce((
    SELECT sum({least}(c.ends_at, s.ends) - {greatest}(c.starts_at, s.starts))
    FROM claims c
    JOIN sessions b ON b.organisation = c.organisation AND b.id = c.session_id
    WHERE c.organisation = :organisation AND c.subject = 'r:' || s.resource
      AND c.starts_at < s.ends AND c.ends_at > s.starts AND b.kind = 'booking'
  ), 0) AS refilled
  FROM seats s
) f
GROUP BY f.clinic, f.resource
"""

_STRANDED = """
SELECT c.clinic,
  count(DISTINCT CASE WHEN c.created_at >= :since AND c.created_at < :until THEN c.task END)
    AS stranded,
  count(DISTINCT CASE WHEN c.closed_at IS NULL THEN c.task END) AS stranded_now
FROM cases c
WHERE c.organisation = :organisation AND c.kind = 'capacity-loss'
GROUP BY c.clinic
"""

_DIALECTS = {
    "sqlite": {
        "old_start": "json_extract(e.\"old\", '$.start')",
        "new_start": "json_extract(e.\"new\", '$.start')",
        "old_length": "CAST(json_extract(e.\"old\", '$.length') AS INTEGER)",
        "old_resources": "json_extract(e.\"old\", '$.resources')",
        "old_microseconds": "CAST(strftime('%s', json_extract(e.\"old\", '$.start')) AS INTEGER)"
        " * 1000000",
        "day": "substr(a.wall, 1, 10)",
        "waited": "CAST(julianday(substr(a.wall, 1, 10)) - julianday(t.opens) AS INTEGER)",
        "seat": "seat.value",
        "each_seat": "JOIN json_each(gone.resources) role JOIN json_each(role.value) seat",
        "least": "min",
        "greatest": "max",
    },
    "postgresql": {
        "old_start": "(CAST(e.\"old\" AS jsonb) ->> 'start')",
        "new_start": "(CAST(e.\"new\" AS jsonb) ->> 'start')",
        "old_length": "CAST(CAST(e.\"old\" AS jsonb) ->> 'length' AS integer)",
        "old_resources": "(CAST(e.\"old\" AS jsonb) ->> 'resources')",
        "old_microseconds": "CAST(extract(epoch FROM CAST("
        "CAST(e.\"old\" AS jsonb) ->> 'start' AS timestamptz)) * 1000000 AS bigint)",
        "day": "CAST(substr(a.wall, 1, 10) AS date)",
        "waited": "(CAST(substr(a.wall, 1, 10) AS date) - t.opens)",
        "seat": "seat.value",
        "each_seat": "CROSS JOIN LATERAL jsonb_each(CAST(gone.resources AS jsonb)) role"
        " CROSS JOIN LATERAL jsonb_array_elements_text(role.value) AS seat(value)",
        "least": "least",
        "greatest": "greatest",
    },
}
"""What the databases say differently."""
_MINUTE = 60_000_000
_TYPES: dict[str, Any] = {
    "since": Instant(),
    "until": Instant(),
    "first": Date(),
    "last": Date(),
    "today": Date(),
}


@cache
def _statement(sql: str, dialect: str) -> tuple[TextClause, frozenset[str]]:
    """Give a statement in a database's words, and the names of its parameters."""
    told = sql.format(**_DIALECTS[dialect])
    names = frozenset(name for name in _TYPES if f":{name}" in told)
    typed = [bindparam(name, type_=_TYPES[name]) for name in names]
    if ":verbs" in told:
        names |= {"verbs"}
        typed.append(bindparam("verbs", expanding=True))
    return text(told).bindparams(*typed), names


class SqlTallies:
    """The counts of one organisation."""

    def __init__(self, unit: SqlUnit) -> None:
        self._unit = unit

    def count(self, period: Period, touches: Collection[str]) -> list[Counted]:
        """Count everything of `timevalg.model.figures.MEASURES`, by clinic."""
        given = {name: getattr(period, name) for name in _TYPES}
        given["verbs"] = sorted(touches)
        found: list[Counted] = []
        for sql in (_VISITS, _MOVED, _INVITED, _DEADLINES, _TOUCHES, _STRANDED):
            for row in self._rows(sql, given):
                clinic, *counts = row
                named = zip(list(row._fields)[1:], counts, strict=True)
                found += [Counted(clinic, name, int(count)) for name, count in named if count]
        for clinic, days, visits, past in self._rows(_WAITED, given):
            found += waited(clinic, int(days), int(visits), int(past))
        for clinic, resource, lost, refilled in self._rows(_FREED, given):
            found.append(Counted(clinic, "lost_minutes", int(lost) // _MINUTE, resource))
            found.append(Counted(clinic, "refilled_minutes", int(refilled) // _MINUTE, resource))
        return found

    def _rows(self, sql: str, given: dict[str, Any]) -> list[Any]:
        connection = self._unit.connection
        statement, names = _statement(sql, connection.dialect.name)
        wanted = {name: given[name] for name in names}
        return list(
            connection.execute(statement, {"organisation": self._unit.organisation, **wanted})
        )
