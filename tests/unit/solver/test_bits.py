"""Bitmaps, and the persistent map, against the plain way to do the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timevalg.solver.bits import at_least, cells, fill, lowest, marks, runs, shifted, stretch
from timevalg.solver.trie import Trie

BITS = st.integers(0, 2**70 - 1)


def as_set(bits: int) -> set[int]:
    return {i for i in range(bits.bit_length()) if bits >> i & 1}


@given(BITS, st.integers(1, 20))
def test_runs(bits, length):
    there = as_set(bits)
    assert as_set(runs(bits, length)) == {
        i for i in there if all(i + k in there for k in range(length))
    }


@pytest.mark.parametrize("few", [-1, 100], ids=["as many", "as few"])
@given(
    st.lists(st.tuples(st.integers(-20, 90), st.integers(-20, 90))),
    st.integers(1, 80),
    st.integers(-9, 9),
)
def test_fill_is_the_clipped_union(few, ranges, size, first):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("timevalg.solver.bits._FEW", few)
        filled = as_set(fill(ranges, size, first))
    assert filled == {
        i - first for a, b in ranges for i in range(max(a, first), min(b, first + size))
    }


@given(BITS)
def test_cells_and_lowest(bits):
    assert cells(bits) == sorted(as_set(bits))
    assert marks(cells(bits), 70) == bits
    if bits:
        assert lowest(bits) == cells(bits)[0]


@given(BITS, st.integers(-5, 5))
def test_shifted(bits, offset):
    assert as_set(shifted(bits, offset)) == {i - offset for i in as_set(bits) if i >= offset}


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_stretch(start, end):
    assert as_set(stretch(start, end)) == set(range(max(start, 0), end))


@given(st.lists(BITS, max_size=12), st.integers(0, 12), BITS)
def test_at_least(masks, need, among):
    expected = {i for i in as_set(among) if sum(m >> i & 1 for m in masks) >= need}
    assert as_set(at_least(masks, need, among)) == expected


@given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=300), st.integers(0, 500))
def test_a_trie_is_a_dict_whose_old_versions_stay(changes, size):
    plain = {i * 64: str(i) for i in range(size)}
    trie = Trie.of(plain)
    before, copy = trie, dict(plain)
    for key, setting in changes:
        if setting:
            trie = trie.set(key, "new")
            plain[key] = "new"
        else:
            trie = trie.without(key)
            plain.pop(key, None)
    assert dict(trie) == plain
    assert len(trie) == len(plain)
    assert dict(before) == copy
    assert all((key in trie) == (key in plain) for key in range(0, 3000, 7))
    assert trie.get(-1, "none") == "none"


def test_a_trie_of_many_grown_one_by_one():
    trie: Trie[str, int] = Trie()
    for number in range(5000):
        trie = trie.set(f"k{number}", number)
    assert len(trie) == 5000
    assert all(trie[f"k{number}"] == number for number in range(5000))


class Same(int):
    """Ints whose hashes all collide."""

    def __hash__(self) -> int:
        return 7


def test_a_trie_bears_equal_hashes():
    trie: Trie[Same, int] = Trie()
    for number in range(200):
        trie = trie.set(Same(number), number)
    assert sorted(trie.values()) == list(range(200))
    assert Trie.of({Same(n): n for n in range(200)})[Same(150)] == 150
