"""`make bench`: the slot search beside its limit and its peers, into docs/."""

from __future__ import annotations

from benchmarks.search.report import rounded, write
from benchmarks.search.run import everything


def test_search(capsys):
    with capsys.disabled():
        found = rounded(everything(print))
    write(found)
    assert found["sizes"]["50x30"]
