"""A whole calendar: streamed, started again at any point, and going on whatever a row is like."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event

from tests.world import ORGANISATION, oslo
from timevalg.booking import calendar_import, sync
from timevalg.booking.calendar_import import Imported, Rejected
from timevalg.booking.examine import examine
from timevalg.booking.sync import AT_ONCE
from timevalg.model.errors import Busy, InvalidInput
from timevalg.model.principal import Principal, RoleName

AT = oslo(2027, 1, 20, 9)
AUDITOR = Principal("eva", RoleName.AUDITOR, ORGANISATION)
ROOM = {"doctor": ["dr-a"], "room": ["room"]}


def row(number, **more):
    """Give one of many visits, none in the way of another."""
    start = oslo(2027, 1, 4) + timedelta(minutes=30 * number)
    fields = {
        "ref": f"kontakt/{number}",
        "version": 1,
        "clinic": "clinic",
        "service": "talk",
        "start": start.isoformat(),
        "resources": ROOM,
        "patient": f"p-{number}",
        **more,
    }
    return {k: v for k, v in fields.items() if v is not None}


def lines(*rows):
    return [f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows]


def importing(world, *rows, form="jsonl"):
    rejected = []
    given = rows[0] if form == "csv" else lines(*rows)
    done = world.dips.import_calendar(given, form=form, reject=rejected.append)
    return done, rejected


def calendar(world):
    found = world.read(lambda unit: unit.appointments.find())
    return {a.ref: (a.start, dict(a.resources), a.patient, a.state) for a in found}


def test_what_can_be_is_taken_in_and_the_rest_is_told_with_its_line(world):
    rows = [
        row(0),
        "{",
        row(1, start=None),
        row(2),
        row(3, start=row(2)["start"]),
        row(4, service="dance"),
        row(0, version=2, start=AT.isoformat()),
        {"ref": "kontakt/2", "version": 5, "deleted": True},
    ]
    done, rejected = importing(world, *rows)
    assert done == Imported(rows=8, applied=4, broken=0, known=0, rejected=4)
    assert [(r.line, r.ref) for r in rejected] == [
        (2, ""),
        (3, "kontakt/1"),
        (5, "kontakt/3"),
        (6, "kontakt/4"),
    ]
    assert "Invalid JSON" in rejected[0].reason
    assert "overlaps booking" in rejected[2].reason
    assert "no service 'dance'" in rejected[3].reason
    assert {c.ref for c in world.cases("conflict")} == {"kontakt/1", "kontakt/3", "kontakt/4"}
    assert {ref: found[3] for ref, found in calendar(world).items()} == {
        "kontakt/0": "booked",
        "kontakt/2": "cancelled",
    }


def test_again_changes_nothing_but_tries_what_was_in_the_way(world):
    rows = [row(n) for n in range(5)] + [row(9, start=row(2)["start"])]
    importing(world, *rows)
    before = calendar(world)
    done, rejected = importing(world, *rows)
    assert (done.known, done.applied, len(rejected)) == (5, 0, 1)
    assert calendar(world) == before
    assert len(world.cases("conflict")) == 1
    done, _ = importing(world, row(2, version=2, deleted=True), *rows)
    assert done == Imported(rows=7, applied=2, broken=0, known=5, rejected=0)
    assert world.cases() == []


def test_csv_says_the_same(quick):
    out = io.StringIO()
    writer = csv.DictWriter(out, [*row(0), "deleted"])
    writer.writeheader()
    cells = "doctor=dr-a;room=room"
    writer.writerows(row(n, resources=cells) for n in range(3))
    writer.writerow({"ref": "kontakt/1", "version": 2, "deleted": "true"})
    writer.writerow(row(7, resources=cells, version="two"))
    done, rejected = importing(quick, out.getvalue().splitlines(True), form="csv")
    assert done == Imported(rows=5, applied=4, broken=0, known=0, rejected=1)
    assert rejected == [Rejected(6, "", "version: not a whole number")]
    assert calendar(quick)["kontakt/0"][1] == {"doctor": ("dr-a",), "room": ("room",)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[]", "line: "),
        ('{"version": 1}', "ref: "),
        ('{"ref": "", "version": 1}', "needs a ref"),
        ('{"ref": "k", "version": "1"}', "version: "),
        ('{"ref": "k", "version": 1, "colour": "red"}', "colour: "),
        ('{"ref": "k", "version": 1, "start": "2027-01-20T09:00:00"}', "without an offset"),
        ('{"ref": "k", "version": 1, "start": "yesterday"}', "start: "),
        ('{"ref": "k\udcff", "version": 1}', "not UTF-8"),
        ('{"ref": "k", "version": 1, "deleted": "no"}', "deleted: "),
        (json.dumps(row(1, ref="k\0")), "cannot be kept"),
        (json.dumps(row(1, start="0001-01-01T00:00:00+00:00")), "starts in 1"),
        (json.dumps(row(1, start="9999-12-31T23:59:59+00:00")), "starts in 9999"),
        (json.dumps(row(1, version=2**31)), "2147483648 is not"),
    ],
)
def test_a_line_that_is_no_row_stops_nothing(database, line, why):
    done, rejected = importing(database, row(0), line, row(2))
    assert (done.applied, done.rejected) == (2, 1)
    assert rejected[0].line == 2
    assert why in rejected[0].reason
    assert set(calendar(database)) == {"kontakt/0", "kontakt/2"}


@pytest.mark.parametrize(
    ("headings", "why"), [("ref,colour", "colour"), ("ref", "no column version"), ("", "ref")]
)
def test_a_file_of_another_kind_is_refused(quick, headings, why):
    with pytest.raises(InvalidInput, match=why):
        importing(quick, [headings + "\n", "k-1,1\n"], form="csv")
    with pytest.raises(InvalidInput, match="neither jsonl nor csv"):
        quick.dips.import_calendar([], form="xls")


def test_never_more_than_one_transactions_rows_are_waiting(world, monkeypatch):
    monkeypatch.setattr(sync, "AT_ONCE", 7)
    ahead = []

    def streamed():
        for number, line in enumerate(lines(*(row(n) for n in range(40)))):
            ahead.append(number - len(calendar(world)))
            yield line

    assert world.dips.import_calendar(streamed()).applied == 40
    assert max(ahead) == 7


def test_there_is_no_query_for_each_row(database):
    def statements(first, count):
        seen = []
        engine = database.store._engine

        def note(*args):
            seen.append(args[2])

        event.listen(engine, "before_cursor_execute", note)
        importing(database, *(row(n) for n in range(first, first + count)))
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    small, large = statements(0, 20), statements(100, 120)
    assert large <= small + 8


def test_places_give_way_and_no_promise_is_broken(world):
    tasks = [world.invited(f"q-{n}") for n in range(6)]
    places = world.sessions(kind="place")
    rows = [row(n, start=p.start.isoformat()) for n, p in enumerate(places)]
    assert importing(world, *rows)[0].applied == len(places)
    assert len(world.sessions(kind="place")) == len(tasks)
    assert world.promises_broken() == {}
    assert examine(world.ports, AUDITOR).findings == ()


def test_it_waits_for_who_has_the_organisation_and_gives_up_at_last(quick, monkeypatch):
    real, tries = calendar_import.run, []

    def busy(*args):
        tries.append(args)
        if len(tries) < 3:
            raise Busy
        return real(*args)

    monkeypatch.setattr(calendar_import, "run", busy)
    assert importing(quick, row(0))[0].applied == 1
    assert len(tries) == 3
    monkeypatch.setattr(calendar_import, "run", lambda *_: busy_for_ever())
    with pytest.raises(Busy):
        importing(quick, row(1))


def busy_for_ever():
    raise Busy


def test_killed_half_way_and_run_again_it_ends_the_same(database, request, tmp_path):
    """The child is killed when it has taken in one transaction's rows and waits for more."""
    rows = [row(n) for n in range(AT_ONCE + 30)]
    fifo = tmp_path / "calendar.jsonl"
    os.mkfifo(fifo)
    url = database.store._engine.url.render_as_string(hide_password=False)
    command = ["import", fifo, "--database", url, "--organisation", ORGANISATION]
    with subprocess.Popen(
        [sys.executable, "-m", "timevalg.cli", *map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        with fifo.open("w", encoding="utf-8") as out:
            out.writelines(lines(*rows[: AT_ONCE + 20], "no row"))
            out.flush()
            assert "Invalid JSON" in child.stderr.readline()
            child.kill()
        assert child.wait() < 0
    half = calendar(database)
    assert len(half) == AT_ONCE
    done, _ = importing(database, *rows)
    assert done == Imported(len(rows), applied=30, broken=0, known=AT_ONCE, rejected=0)
    whole = calendar(database)
    assert {k: v[0] for k, v in whole.items()} == {
        r["ref"]: datetime.fromisoformat(r["start"]) for r in rows
    }
    assert len(database.sessions()) == len(rows)
    told = [e.key for e in database.events("appointment.imported")]
    assert len(told) == len(set(told)) == len(rows)


def test_what_is_over_asks_for_no_preparation(quick):
    over = oslo(2026, 12, 1, 9).isoformat()
    importing(quick, row(0, start=over), row(1, start=AT.isoformat()))
    assert quick.preparations(quick.desk.appointment("kontakt/0")) == []
    assert quick.preparations(quick.desk.appointment("kontakt/1"))
