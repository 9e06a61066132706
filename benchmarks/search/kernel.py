"""The C kernel: compiled if a compiler is there, fed with the bitmaps of a search."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.look import Look

SOURCE = Path(__file__).with_name("kernel.c")
_Words = ctypes.c_uint64
_Longs = ctypes.c_long


class NoCompiler(RuntimeError):
    """There is no C compiler here."""


def compiled() -> ctypes.CDLL:
    """Compile and load the kernel.

    Raises
    ------
    NoCompiler
        If there is nothing to compile with.
    """
    compiler = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc"))), None)
    if compiler is None:
        raise NoCompiler("no C compiler: neither CC nor cc nor gcc")
    with tempfile.TemporaryDirectory(prefix="timevalg-kernel-") as folder:
        library = Path(folder) / "kernel.so"
        command = [*shlex.split(compiler), "-O3", "-shared", "-fPIC", str(SOURCE)]
        subprocess.run([*command, "-o", str(library)], check=True, capture_output=True)
        loaded = ctypes.CDLL(str(library))
    loaded.bench_warm.restype = loaded.bench_cold.restype = ctypes.c_double
    return loaded


class Kernel:
    """The kernel on the bitmaps of one ask.

    Parameters
    ----------
    library : ctypes.CDLL
    index : Index
    ask : Ask
        Of a pool whose roles take one resource each and share none, without a task.
    """

    def __init__(self, library: ctypes.CDLL, index: Index, ask: Ask) -> None:
        self._library = library
        look = Look(index, ask)
        plan, frame = look.pool, look.frame
        self.size = frame.size
        self._words = -(-frame.size // 64)
        hours, taken = [], []
        for candidates in plan.candidates:
            for resource in candidates:
                hours.append(look.window.calendar.free(plan.clinic, resource, plan.pool.id))
                taken.append(index.diary(resource.id).taken(frame, ask.now, False))
        roles = plan.service.roles
        number = len(roles)
        self._hours, self._taken = self._packed(hours), self._packed(taken)
        self._starts = self._packed([look.window.starts])
        self._roles = self._packed([0] * number)
        self._out, self._scratch = self._packed([0]), self._packed([0, 0])
        longs = _Longs * number
        counts = longs(*(len(c) for c in plan.candidates))
        lengths = longs(*(role.length // frame.grid for role in roles))
        offsets = longs(*(role.start // frame.grid for role in roles))
        soonest = _Longs(frame.cell(ask.now) + 1)
        ends = (_Longs(number), _Longs(self._words), soonest)
        self._warm = (self._out, self._starts, self._roles, *ends)
        bitmaps = (self._out, self._starts, self._hours, self._taken)
        self._cold = (*bitmaps, counts, lengths, offsets, *ends, self._roles, self._scratch)

    def answer(self) -> int:
        """Give the starts as a bitmap, worked out whole and then again from the role masks."""
        self._library.cold(*self._cold)
        whole = bytes(self._out)
        self._library.warm(*self._warm)
        assert bytes(self._out) == whole
        return int.from_bytes(whole, "little")

    def cold_us(self, times: int) -> float:
        """Measure the whole; microseconds."""
        return float(self._library.bench_cold(_Longs(times), *self._cold)) / 1e3

    def warm_us(self, times: int) -> float:
        """Measure the answer from role masks; microseconds."""
        return float(self._library.bench_warm(_Longs(times), *self._warm)) / 1e3

    def _packed(self, bitmaps: Sequence[int]) -> ctypes.Array[ctypes.c_uint64]:
        """Lay bitmaps side by side, each with a word of zeros behind it."""
        row = 8 * (self._words + 1)
        data = b"".join(bits.to_bytes(row, "little") for bits in bitmaps)
        return (_Words * (len(data) // 8)).from_buffer_copy(data)
