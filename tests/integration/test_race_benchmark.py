"""The race in its short form: nothing booked twice, nothing lost, and it says what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from benchmarks.race.figures import Part
from benchmarks.race.hospital import Job
from benchmarks.race.place import database
from benchmarks.race.recount import recount
from benchmarks.race.script import Statement, literal, script
from benchmarks.race.writers import BOOKED, TAKEN, Attempt
from timevalg.store import Database
from timevalg.store.columns import as_array, microseconds
from timevalg.store.migrate import current
from timevalg.store.postgres import lock_number

ROOT = Path(__file__).parents[2]
KEYS = {
    "bookings",
    "conflicts",
    "overlaps",
    "deadlocks",
    "retries",
    "p50_ms",
    "p99_ms",
    "contended_p50_ms",
    "contended_p99_ms",
    "per_second",
    "same_sql_per_second",
}
JOB = Job(
    "t-00000000000000000007", "p-00000000000000000007", "pool-3", datetime(2027, 1, 4, tzinfo=UTC)
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.race", "--writers", "4", "--seconds", "1"]
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_short_race(postgres_url: str):
    done = run("--json", "--database", postgres_url, "--keep-database")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() >= KEYS
    assert found["overlaps"] == found["deadlocks"] == found["lost"] == found["busy"] == 0
    assert found["bookings"] > 0 and found["spread_conflicts"] == 0
    assert found["per_second"] > 0 and found["same_sql_per_second"] > 0
    # Four writers want each contended time: one gets it, three are told.
    assert found["contended_conflicts"] == 3 * found["contended_bookings"] > 0
    assert found["database"] == postgres_url
    store = Database(postgres_url)
    (organisation,) = store.organisations()
    store.close()
    counted = recount(postgres_url, organisation)
    assert counted.overlaps == counted.swept == counted.twice == 0
    assert counted.whole > found["bookings"] + found["contended_bookings"]

    refused = run("--database", postgres_url)  # there are patients in it now
    assert refused.returncode != 0 and "give an empty one" in refused.stderr


def test_the_recount_finds_what_overlaps(postgres_url: str):
    """The guard off: without the constraint an overlap gets in, and both counts see it."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("ALTER TABLE claims DROP CONSTRAINT ex_claims_no_overlap")
        connection.execute("ALTER TABLE claims DROP CONSTRAINT fk_claims_sessions")
        for name, starts in (("a", 0), ("b", 5), ("c", 10)):
            connection.execute(
                "INSERT INTO claims VALUES ('o', %s, 'r:x', %s, %s)", (name, starts, starts + 10)
            )
    counted = recount(postgres_url, "o")
    assert (counted.overlaps, counted.swept, counted.whole) == (2, 2, 0)


def test_a_migrated_database_is_left_as_it_was(postgres_url: str):
    before = current(postgres_url)
    with database(postgres_url, keep=False) as url, psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO patients (organisation, id, language, name, confidential, version)"
            " VALUES ('o', 'p', 'nb', '', false, 1)"
        )
    assert current(postgres_url) == before
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM patients").fetchone() == (0,)


def test_figures_count_what_ended_while_all_were_at_work():
    one = [Attempt(0.0, 1.0, BOOKED), Attempt(1.0, 2.0, BOOKED), Attempt(2.0, 5.0, BOOKED)]
    two = [Attempt(0.5, 1.5, BOOKED, 2), Attempt(1.5, 3.0, TAKEN)]
    part = Part.of([one, two, []])
    assert (part.bookings, part.conflicts, part.retries, part.within) == (4, 1, 2, 3)
    assert part.seconds == 2.5 and part.per_second == pytest.approx(3 / 2.5)
    assert part.ms(50) == 1000
    assert Part.of([[]]).per_second == Part.of([]).ms(99) == 0


def test_the_script_gives_every_booking_its_own():
    sql = (
        "INSERT INTO x VALUES"
        " (%(id)s::VARCHAR, %(at)s, %(on)s, %(who)s, %(new)s, %(of)s, %(locks)s, '100%%')"
    )
    row = {
        "id": "a-0123456789abcdef0123",
        "at": 1_799_020_800_000_000,
        "on": "r:dr-3",
        "who": f"check:{JOB.task}:4",
        "new": '{"task":"t-00000000000000000007"}',
        "of": '{"r:dr-3",5}',
        "locks": f"{{{lock_number('o', f'r:dr-3:{JOB.start.toordinal() + 7}')},6}}",
    }
    text = script([Statement(sql, [row]), Statement("DELETE FROM y", [{}, {}])], "o", JOB)
    assert "('a-0000000001' || :n)::VARCHAR" in text
    assert "(1799020800000000 + :shift)" in text
    assert r"(U&'r\003Apg-dr-' || :pair)" in text
    assert r"(U&'check\003At-0000000000' || :n || U&'\003A4')" in text
    assert """U&'{"task"\\003A"t-00000000000000000007"}'""" in text
    assert r"ARRAY[(U&'r\003Apg-dr-' || :pair), 5]" in text
    day = f"({microseconds(JOB.start)} + :shift) / 86400000000"
    assert f"ARRAY[(CAST(:pair + 1000000000 AS bigint) * 100000 + {day} + 7), 6]" in text
    assert text.count("'100%');") == 1
    assert "\\startpipeline\nDELETE FROM y;\nDELETE FROM y;\n\\endpipeline" in text


def test_no_lock_is_the_same_for_all_but_the_shared_one():
    def locks(*keys):
        row = {"keys": as_array([lock_number("o"), *(lock_number("o", key) for key in keys)])}
        return script([Statement("SELECT lock(%(keys)s)", [row])], "o", JOB)

    text = locks(f"t:{JOB.task}", f"p:{JOB.patient}")
    assert f"[{lock_number('o')}, (:n + 5000000000), (:n + 4000000000)]" in text
    with pytest.raises(ValueError, match="all would wait for"):
        locks("x:unheard of")


def test_literals_hide_colons_from_pgbench():
    assert literal("it's") == "'it''s'"
    assert literal("a:b\\'c") == r"U&'a\003Ab\\''c'"
