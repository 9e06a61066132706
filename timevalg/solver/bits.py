"""Bitmaps as Python ints: bit i is cell i of some frame. Pure arithmetic, no time in here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import islice
from operator import ge, gt

_FEW = 100
"""Ranges up to which it is quicker to put them together one by one."""


def stretch(start: int, end: int) -> int:
    """Give the bits of the cells ``[start, end)``, those below 0 left out; 0 if there are none."""
    start = max(start, 0)
    return ((1 << (end - start)) - 1) << start if end > start else 0


def runs(bits: int, length: int) -> int:
    """Give the cells from which `length` cells in a row are set, by doubling shift-ANDs."""
    for step in _doubling(length):
        bits &= bits >> step
    return bits


def spread(bits: int, reach: int) -> int:
    """Give the cells that are set, or have one set among the `reach` cells after them."""
    for step in _doubling(reach + 1):
        bits |= bits >> step
    return bits


def raised(bits: int, length: int) -> int:
    """Give the cells that are set, and those less than `length` cells after one that is."""
    for step in _doubling(length):
        bits |= bits << step
    return bits


@cache
def _doubling(length: int) -> tuple[int, ...]:
    steps, have = [], 1
    while have < length:
        steps.append(min(have, length - have))
        have += steps[-1]
    return tuple(steps)


def shifted(bits: int, offset: int) -> int:
    """Move what is `offset` cells later (earlier, if negative) to where it is asked for."""
    if offset == 0:
        return bits  # a shift by nothing copies
    return bits >> offset if offset > 0 else bits << -offset


def marks(cells: Iterable[int], size: int) -> int:
    """Give the bits of single cells below `size`; others are left out."""
    return _marked([cell for cell in cells if 0 <= cell < size], size)


def _marked(cells: Iterable[int], size: int) -> int:
    data = bytearray((size >> 3) + 1)
    for cell in cells:
        data[cell >> 3] |= 1 << (cell & 7)
    return int.from_bytes(data, "little")


def fill(ranges: Iterable[tuple[int, int]], size: int, first: int = 0) -> int:
    """Give the union of ranges ``[start, end)`` of cells, clipped to ``[first, first + size)``.

    Bit 0 is cell `first`. Many ranges that share no cell are told apart by their ends, so their sum
    is the difference of two sets of single bits: Σ 2^end − Σ 2^start.
    """
    rows = list(ranges)
    if len(rows) <= _FEW:
        bits, last = 0, first + size
        for start, end in rows:
            if start < first or end > last:
                start, end = max(start, first), min(end, last)
            if start < end:
                bits |= (1 << end - start) - 1 << start - first
        return bits
    rows.sort()
    starts, ends = [start for start, _ in rows], [end for _, end in rows]
    if rows and (
        starts[0] < first
        or ends[-1] > first + size
        or any(map(ge, starts, ends))
        or any(map(gt, ends, islice(starts, 1, None)))
    ):
        joined = _joined(rows, first, first + size)
        starts, ends = [start for start, _ in joined], [end for _, end in joined]
    if first:
        starts, ends = [start - first for start in starts], [end - first for end in ends]
    return _marked(ends, size) - _marked(starts, size)


def _joined(rows: Iterable[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """Clip ranges, given in order, to ``[low, high)``, and join those that overlap."""
    out: list[tuple[int, int]] = []
    for start, end in rows:
        start, end = max(start, low), min(end, high)
        if end <= start:
            continue
        if out and start <= out[-1][1]:
            start, end = out[-1][0], max(end, out.pop()[1])
        out.append((start, end))
    return out


def cells(bits: int) -> list[int]:
    """Give the set cells in order."""
    if not bits:
        return []
    base = (bits & -bits).bit_length() - 1
    text = format(bits >> base, "b")[::-1]
    out = []
    at = text.find("1")
    while at >= 0:
        out.append(base + at)
        at = text.find("1", at + 1)
    return out


def lowest(bits: int) -> int:
    """Give the first set cell of a bitmap that is not empty."""
    return (bits & -bits).bit_length() - 1


def at_least(masks: Collection[int], need: int, among: int) -> int:
    """Give the cells of `among` that at least `need` of the masks have.

    Up to three by saturating planes ("one or more", "two or more" …), which stop once all cells
    are served; beyond by a carry-save adder: five operations for each mask, whatever the number.
    """
    if need <= 0:
        return among
    if len(masks) < need:
        return 0
    if need > 3:
        return _not_below(_sum(masks), need, among)
    left = among
    if need == 1:
        for mask in masks:
            hit = left & mask
            if hit:
                left ^= hit
                if not left:
                    return among
        return among ^ left
    seen = [0] * need
    for mask in masks:
        hit = left & mask
        if hit:
            for i in range(need - 1, 0, -1):
                seen[i] |= seen[i - 1] & hit
            seen[0] |= hit
            left = among ^ seen[-1]
            if not left:
                return among
    return seen[-1]


def _sum(masks: Iterable[int]) -> list[int]:
    """Add one-bit masks cell by cell; gives the binary digits, lowest first."""
    planes: list[int] = []
    level = list(masks)
    while level:
        carries = []
        while len(level) >= 3:
            a, b, c = level.pop(), level.pop(), level.pop()
            half = a ^ b
            level.append(half ^ c)
            carries.append(a & b | half & c)
        if len(level) == 2:
            a, b = level
            level = [a ^ b]
            carries.append(a & b)
        planes.append(level[0])
        level = carries
    return planes


def _not_below(planes: Sequence[int], need: int, among: int) -> int:
    """Compare binary digits with a number, highest first."""
    if need.bit_length() > len(planes):
        return 0
    more, equal = 0, among
    for i in range(len(planes) - 1, -1, -1):
        if need >> i & 1:
            equal &= planes[i]
        else:
            above = equal & planes[i]
            more |= above
            equal ^= above
    return more | equal
