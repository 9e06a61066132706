"""The SQL that people write: generate_series, ranges, EXISTS, with the indexes it wants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg

from benchmarks.search.cases import CLINICIAN, NOW, RASTER, ROOM, TODAY, ZONE, Case
from benchmarks.search.measure import timed
from benchmarks.search.peers import Answer, Missing, repeated
from benchmarks.servers import ServerMissing, postgres
from timevalg.model.service import Role
from timevalg.model.time import Span

_TABLES = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TEMP TABLE resource (id text PRIMARY KEY, kind text NOT NULL);
CREATE TEMP TABLE hours (resource text NOT NULL, during tstzrange NOT NULL);
CREATE TEMP TABLE booking (resource text NOT NULL, during tstzrange NOT NULL);
"""
_INDEXES = """
CREATE INDEX ON resource (kind);
CREATE INDEX ON hours USING gist (resource, during);
CREATE INDEX ON booking USING gist (resource, during);
ANALYZE resource; ANALYZE hours; ANALYZE booking;
"""


def answer(case: Case, rounds: int) -> Answer:
    """Search the case for visits of two roles.

    Raises
    ------
    Missing
        If there is no PostgreSQL.
    """
    try:
        server = postgres()
    except ServerMissing as error:
        raise Missing(str(error)) from error
    with server, psycopg.connect(server.url) as connection:
        fill_us = timed(lambda: _fill(connection, case))
        query = _query(case)

        def search() -> list[datetime]:
            rows = connection.execute(query).fetchall()
            return [start.astimezone(UTC) for (start,) in rows]

        return repeated(search, rounds, fill_us)


def _query(case: Case) -> str:
    opening = case.clinic.pools["p"].open[0]
    last = opening.end - case.clinic.services["visit"].length
    return f"""
SELECT t FROM (
  SELECT (day + make_interval(mins => minute)) AT TIME ZONE '{ZONE.key}' AS t
  FROM generate_series(timestamp '{TODAY}', timestamp '{TODAY}'
         + interval '{case.days - 1} days', '1 day') AS day,
       generate_series({opening.start}, {last}, {RASTER}) AS minute
  WHERE extract(isodow FROM day) <= 5) AS starts
WHERE t > '{NOW.isoformat()}' AND {_served(CLINICIAN)} AND {_served(ROOM)}
ORDER BY t"""


def _served(role: Role) -> str:
    begins = f"t + interval '{role.start} minutes'"
    visit = f"tstzrange({begins}, t + interval '{role.start + role.length} minutes')"
    return f"""EXISTS (
  SELECT FROM resource r WHERE r.kind = '{role.kind}'
  AND EXISTS (SELECT FROM hours h WHERE h.resource = r.id AND h.during @> {visit})
  AND NOT EXISTS (SELECT FROM booking b WHERE b.resource = r.id AND b.during && {visit}))"""


def _fill(connection: psycopg.Connection[tuple[object, ...]], case: Case) -> None:
    connection.execute(_TABLES)
    with connection.cursor() as cursor:
        with cursor.copy("COPY resource FROM STDIN") as copy:
            for resource in case.clinic.resources.values():
                copy.write_row((resource.id, str(resource.kind)))
        tables: dict[str, Mapping[str, list[Span]]] = {"hours": case.shifts, "booking": case.taken}
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for name, spans in rows.items():
                    for s in spans:
                        during = f"[{s.start.isoformat()},{s.end.isoformat()})"
                        copy.write_row((name, during))
    connection.execute(_INDEXES)
