"""The README is true: its stories run as they stand, its commands exist."""

import re
import textwrap
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from benchmarks import servers
from timevalg import CalendarRow, Timevalg
from timevalg.cli.app import app
from timevalg.model.states import AppointmentState, TaskState
from timevalg.store import SetClock
from timevalg.store.migrate import upgrade

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OSLO = ZoneInfo("Europe/Oslo")


def story(heading):
    section = README.split(f"## {heading}\n")[1].split("\n## ")[0]
    return textwrap.dedent(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1])


@pytest.fixture
def clock():
    return SetClock(datetime(2027, 1, 4, 9, tzinfo=OSLO))


@pytest.fixture(autouse=True)
def beside_the_examples(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)


def test_the_patients_story(clock):
    lines = story("The patient's story")
    imports, body = lines.split("\n\n", 1)
    assert len(body.strip().splitlines()) <= 10
    names = {"clock": clock}
    printed = StringIO()
    with redirect_stdout(printed):
        exec(imports + "\n" + body, names)
    visit = names["visit"]
    assert visit.wall in printed.getvalue()
    assert visit.state is AppointmentState.BOOKED
    assert {p.rule for p in names["me"].preparations(visit)} == {"medicines", "fasting"}
    names["valg"].work()
    assert names["me"].task(names["asked"].task.id).state is TaskState.CONFIRMED
    names["valg"].close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_record_systems_story(kind, clock, request):
    url = "sqlite:///dips.sqlite"
    if kind == "postgresql":  # of its own: the feed waits for every transaction of the server
        server = servers.postgres(private=True)
        request.addfinalizer(server.stop)
        url = server.create_database()
        upgrade(url)
    before, _, after = story("The record system's story").partition("for e in dips.events")
    sunday = datetime(2027, 1, 10, tzinfo=OSLO)

    def calendar():
        start = datetime(2027, 1, 13, 9, 15, tzinfo=OSLO)
        yield CalendarRow(
            "kontakt/1",
            3,
            clinic="gastro",
            service="follow-up",
            start=start,
            resources={"clinician": ("dr-berg",), "room": ("room-4",)},
            patient="p-7",
        )
        yield CalendarRow("kontakt/1", 2, deleted=True)
        yield CalendarRow("kontakt/2", 1, clinic="gastro", service="follow-up",
                          start=start + timedelta(minutes=15), patient="p-8",
                          resources={"clinician": ("dr-berg",), "room": ("room-5",)})  # fmt: skip

    names = {
        "Timevalg": Timevalg, "url": url, "clock": clock, "calendar": calendar, "cursor": "",
        "first": sunday, "last": sunday + timedelta(days=7), "o": date(2027, 1, 4),
        "d": date(2027, 1, 11), "n": date(2027, 2, 26), "f": date(2027, 3, 31),
    }  # fmt: skip
    exec(before, names)
    synced = names["dips"].sync(calendar())
    assert synced.stale == ("kontakt/1", "kontakt/1")
    assert synced.conflicts == ("kontakt/2",)
    asked = names["asked"]
    assert asked.shortage is None
    assert asked.task.ref == "oppgave/4711"
    valg = Timevalg.open(url, organisation="999999999", clock=clock)
    me = valg.patient("p-1")
    me.choose(asked.task, me.offers(asked.task).offers[0])

    accepting, _, rest = after.partition("dips.move")
    exec("for e in dips.events" + accepting, names)
    visit = names["dips"].appointment("kontakt/88")
    assert names["dips"].task(asked.task.id).state is TaskState.CONFIRMED
    offer = me.offers_to_change(visit).offers[5]
    names |= {"t": offer.start, "r": offer.session.resources, "v": visit.version}
    exec("dips.move" + rest, names)
    assert names["dips"].appointment("kontakt/88").state is AppointmentState.CANCELLED
    ours = [e for e in names["dips"].events() if e.appointment == visit.id]
    assert [e.type for e in ours] == [
        "appointment.chosen", "appointment.accepted", "appointment.confirmed",
        "appointment.changed", "appointment.cancelled",
    ]  # fmt: skip
    changed = ours[3]
    assert (changed.by, changed.reason) == ("dips", "8446:1")
    assert changed.refs == {
        "task": "oppgave/4711", "referral": "henv/9", "appointment": "kontakt/88",
    }  # fmt: skip
    assert changed.old["start"] == visit.start.isoformat()
    assert changed.new["start"] == offer.start.isoformat()
    assert (ours[4].by, ours[4].origin, ours[4].reason) == ("patient", "dips", "8445:22")
    valg.close()
    names["dips"].ports.store.close()


def test_every_command_of_the_readme_exists():
    named = set(re.findall(r"^\| `timevalg ([a-z]+)", README, re.MULTILINE))
    there = {c.name or c.callback.__name__ for c in app.registered_commands}
    there |= {g.name for g in app.registered_groups}
    assert named == there


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE))
    help_line = re.search(r"`make help` lists the rest: (.*)\.\n", README)[1]
    named = set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE))
    assert named | set(re.findall(r"`([a-z]+)`", help_line)) | {"help"} == targets


def test_the_map_of_folders_is_the_tree():
    section = README.split("## The folders\n")[1].split("\n## ")[0]
    inner = {n for n in re.findall(r"^  ([a-z_.]+?)/? ", section, re.MULTILINE)}
    there = {
        p.name
        for p in (ROOT / "timevalg").iterdir()
        if (p.is_dir() and (p / "__init__.py").exists())
        or (p.suffix == ".py" and p.name != "__init__.py")
    }
    assert inner == there
    outer = set(re.findall(r"^([a-z]+)/ ", section, re.MULTILINE)) | {"timevalg"}
    assert outer <= {p.name for p in ROOT.iterdir()}
