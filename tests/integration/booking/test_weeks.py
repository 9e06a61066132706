"""Weeks of everything at once; ``--hypothesis-profile=long`` plays many more."""

import shutil
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.conftest import empty
from tests.integration.booking.weeks import Weeks
from timevalg.booking.sync import CalendarRow
from timevalg.store import Database, Memory

# A short form is not shrunk: that takes minutes. The long profile does.
PHASES = settings.default.phases if settings.default.max_examples > 100 else [Phase.generate]
few = settings(
    max_examples=settings.default.max_examples // 10, stateful_step_count=25, phases=PHASES
)
fewer = settings(few, max_examples=settings.default.max_examples // 50, stateful_step_count=15)
HALF = timedelta(minutes=30)


def play(make, how):
    class Machine(Weeks):
        make_store = staticmethod(make)

    run_state_machine_as_test(Machine, settings=how)


def test_nobody_is_stranded_whatever_happens():
    play(Memory, few)


def test_nor_on_sqlite(migrated, tmp_path):
    files = count()

    def make(clock):
        copy = shutil.copy(migrated, tmp_path / f"{next(files)}.db")
        return Database(f"sqlite:///{copy}", clock)

    play(make, fewer)


def test_nor_on_postgresql(emptied_postgres_url):
    def make(clock):
        empty(emptied_postgres_url)
        return Database(emptied_postgres_url, clock)

    play(make, fewer)


def test_the_machine_sees_a_loss_that_nobody_names(monkeypatch):
    """An import takes the only place: named with the guard on, seen with the guard off."""
    for guard in (True, False):
        machine = Weeks()
        machine.make_store = Memory
        machine.begin([(1, 8, 0, 0)])
        if not guard:
            monkeypatch.setattr("timevalg.booking.reliving.lose", lambda *_: None)
        place = machine.world.sessions(kind="place")[0]
        rows = [
            CalendarRow(f"op/{n}", 1, clinic="clinic", service="talk", start=start)
            for n, start in enumerate(place.start + k * HALF for k in range(-4, 5))
        ]
        rows = [replace(row, resources={"room": ("room",)}) for row in rows]
        machine.doing("an import", machine.world.dips.sync, rows)
        if guard:
            machine.nobody_is_stranded()
            assert machine.homeless == {place.task}
            continue
        with pytest.raises(AssertionError, match="0 places"):
            machine.nobody_is_stranded()
