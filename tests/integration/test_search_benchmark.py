"""The search benchmark in its short form: it runs, its answer sets agree, its keys are there."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.search import intervals, naive
from benchmarks.search.cases import booking, case
from benchmarks.search.kernel import Kernel, NoCompiler, compiled
from benchmarks.search.ours import bookings, index_of
from benchmarks.search.peers import Missing
from benchmarks.search.report import markdown, plot
from timevalg.model.time import Span, joined
from timevalg.solver.bits import cells as bit_cells
from timevalg.solver.diary import Fixed
from timevalg.solver.frame import end_cell, first_cell
from timevalg.solver.index import Index
from timevalg.solver.search import feasible

FIGURES = ("build", "cold", "update", "warm", "list", "top20")


@pytest.fixture(scope="module")
def small():
    return case(5, 3, 21)


def test_the_short_form_gives_every_figure():
    argv = [sys.executable, "-m", "benchmarks.search", "--quick", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (row,) = found["sizes"].values()
    assert row.keys() >= {f"{name}_us" for name in FIGURES}
    assert found["ratios"].keys() >= {"naive", "sql", "sql_with_build", "cold_to_update"}
    assert found["region"].keys() >= {"resources", "rss_mb", "load_s", "p50_us", "p99_us"}
    assert found["explain"].keys() >= {"call_ms", "with_loading_s", "file_mb"}
    assert "| cold |" in markdown(found)
    assert plot(found).startswith("<svg")


def test_the_kernel_finds_the_same_starts(small):
    try:
        library = compiled()
    except NoCompiler as error:  # then the report leaves the kernel out, and says this
        assert str(error)
        return
    index = index_of(small)
    for ask in (small.ask, small.reduced):
        assert Kernel(library, index, ask).answer() == feasible(index, ask).bits


def test_the_peers_find_the_same_starts(small):
    ours = feasible(index_of(small), small.ask).instants()
    assert naive.answer(small, 1).starts == ours
    try:
        assert intervals.answer(small, 1).starts == ours
    except Missing as error:  # then the report leaves the peer out, and says this
        assert str(error)


def test_what_is_taken_may_come_as_spans_or_as_sessions(small):
    spans, sessions = index_of(small), Index.of(small.organisation, small.sessions())
    for ask in (small.ask, small.reduced):
        assert feasible(spans, ask) == feasible(sessions, ask)


def test_no_change_gives_back_what_is_taken_for_good(small):
    """A booking over a taken span comes and goes; the span stays, whenever it is looked at."""
    name, spans = next((n, joined(s)) for n, s in small.taken.items() if n.startswith("c"))
    over = booking("over", {name: spans[3]})
    for look_before in (False, True):
        index = index_of(small)
        if look_before:
            feasible(index, small.reduced)
        index = index.apply([over])
        if look_before:
            feasible(index, small.reduced)
        index = index.apply(removed=["over"])
        assert feasible(index, small.reduced) == feasible(index_of(small), small.reduced)


def test_many_changes_between_searches(small):
    """However many bookings came since the last search, masks end up as if made anew."""
    index = index_of(small)
    news = bookings(index, small.reduced, feasible(index, small.reduced), 100)
    for number in (1, 3, 70, 100):
        changed = index
        for session in news[:number]:
            changed = changed.apply([session])
        fresh = Index.of(small.organisation, news[:number], small.taken)
        for ask in (small.ask, small.reduced):
            assert feasible(changed, ask) == feasible(fresh, ask)


def test_spans_off_the_grid_take_every_cell_they_touch():
    start = datetime(2027, 1, 4, 9, 2, 30, 500_000, tzinfo=UTC)
    spans = [
        Span(start + timedelta(days=2), start + timedelta(days=2, minutes=3)),
        Span(start, datetime(2027, 1, 4, 9, 15, 0, 1, tzinfo=UTC)),
        Span(start + timedelta(minutes=1), datetime(2027, 1, 5, 0, 0, tzinfo=UTC)),
        Span(datetime(1969, 12, 31, 23, 58, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)),
    ]
    for per_day in (96, 288, 1440):
        grid = 1440 // per_day
        cells = {
            cell for s in spans for cell in range(first_cell(s.start, grid), end_cell(s.end, grid))
        }
        fixed = Fixed.of(spans, per_day)
        assert {fixed.first + i for i in bit_cells(fixed.bits)} == cells
    assert Fixed.of([], 288).bits == 0
