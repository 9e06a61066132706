"""Everything in one run: both ways to open a calendar, even and early, and the variants."""

from __future__ import annotations

import os
import platform
import random
import statistics
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

from benchmarks.choice.clinic import EARLY, EVEN, VARIANTS, Case, Setting, case
from benchmarks.choice.exact import share_shown
from benchmarks.choice.play import CANCELLED, WAITING, Played, allotted, first_come, guaranteed

LOADS = (0.70, 0.85, 0.92)
SEEDS = (1, 2, 3, 4, 5)
VARIANT_LOAD = 0.85
EXACT = range(1_000, 1_060)
"""Seeds of the clinics small enough to try everything."""

PROCESSES = 2
"""Settings played at the same time."""

PARTS = ("loads", "even", "variants", "interleaved", "exact")
"""What there is to run: near weeks fuller, filled evenly, and the rest."""

Say = Callable[[str], None]
Figures = dict[str, Any]


def everything(
    loads: Sequence[float],
    seeds: Sequence[int],
    say: Say,
    quick: bool = False,
    parts: Collection[str] = PARTS,
) -> Figures:
    """Run the benchmark; minutes for each seed, seconds if `quick`: then clinics are tiny.

    Parameters
    ----------
    parts : collection of str
        Some of `PARTS`; what is not among them is left out, or empty.
    """

    def sized(setting: Setting) -> Setting:
        return replace(setting, clinicians=8, rooms=4, days=3) if quick else setting

    jobs: list[tuple[tuple[str, ...], Callable[..., Figures], tuple[Any, ...]]] = [
        ((name, f"{load:.2f}"), measured, (sized(setting), load, seeds))
        for load in sorted(loads, reverse=True)
        for name, setting in (("loads", EARLY), ("even", EVEN))
    ]
    jobs += [
        (("variants", name), variant, (name, sized(setting), seeds))
        for name, setting in VARIANTS.items()
    ]
    jobs.append((("interleaved",), interleaved, (sized(VARIANTS["late_cancellations"]), seeds)))
    jobs.append((("exact",), share_shown, (EXACT[:6] if quick else EXACT,)))
    found: Figures = {"loads": {}, "even": {}, "variants": {}}
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:  # each core its own setting
        running = [
            (where, pool.submit(play, *given)) for where, play, given in jobs if where[0] in parts
        ]
        for where, future in running:
            inside = found
            for name in where[:-1]:
                inside = inside[name]
            inside[where[-1]] = future.result()
            say(f"{': '.join(where)} done")
    for name in ("loads", "even"):
        found[name] = dict(sorted(found[name].items()))
    if "interleaved" in found:
        found["shown_refused_pct"] = found["interleaved"]["shown_refused_pct"]
    found["seeds"], found["quick"] = list(seeds), quick
    found["machine"] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    return found


def measured(setting: Setting, load: float, seeds: Sequence[int], cancelling: float = 0) -> Figures:
    """Play one setting in both ways; the figures of all seeds together."""
    first, ours, tasks = [], [], 0
    for seed in seeds:
        made = case(setting, load, seed)
        tasks += len(made.tasks)
        first.append(first_come(made, random.Random(seed), cancelling))
        ours.append(guaranteed(made, random.Random(seed), cancelling=cancelling))
    return {
        "tasks": tasks,
        "fcfs_stranded_pct": percent(sum(p.stranded for p in first), tasks),
        **safely(ours),
    }


def safely(ours: Sequence[Played]) -> Figures:
    """Give the figures of runs under the guarantee."""
    looks = [ms for p in ours for ms in p.look_ms]
    tidy_s = [seconds for p in ours for seconds in p.tidy_s]
    shown = [count for p in ours for count in p.shown]
    looked_at = sum(p.looked_at for p in ours)
    few, tried = sum(p.few for p in ours), sum(p.tried for p in ours)
    hidden = sum(p.hidden for p in ours) / tried if tried else 0.0
    return {
        "guaranteed_stranded": sum(p.stranded + p.unplaced for p in ours),
        "of_them_unplaced": sum(p.unplaced for p in ours),
        "offers_mean": round(statistics.fmean(shown), 2),
        "ten_or_all_pct": percent(len(looks) - few, len(looks)),
        "ten_or_all_found_pct": percent(len(looks) - few * hidden, len(looks)),
        "unsafe_pct": percent(sum(p.unsafe for p in ours), looked_at),
        "undecided_pct": percent(sum(p.undecided for p in ours), looked_at),
        "look_p50_ms": round(statistics.median(looks), 2),
        "look_p99_ms": round(statistics.quantiles(looks, n=100)[98], 2),
        "look_max_ms": round(max(looks), 1),
        "tidied": len(tidy_s),
        "tidy_mean_s": round(statistics.fmean(tidy_s or [0]), 2),
        "plan_s": round(max(p.plan_s for p in ours), 2),
    }


def variant(name: str, setting: Setting, seeds: Sequence[int]) -> Figures:
    """Play a variant; `allotted` is what hospitals do today."""
    if name != "allotted":
        return measured(
            setting, VARIANT_LOAD, seeds, CANCELLED if name == "late_cancellations" else 0.0
        )
    cases: list[tuple[int, Case]] = [(seed, case(setting, VARIANT_LOAD, seed)) for seed in seeds]
    played = [allotted(made, random.Random(seed)) for seed, made in cases]
    tasks = sum(len(made.tasks) for _, made in cases)
    return {
        "tasks": tasks,
        "stranded_pct": percent(sum(p.stranded for p in played), tasks),
        "replanned_pct": percent(sum(p.chosen for p in played), tasks),
        "none_other_pct": percent(
            sum(p.refused for p in played), sum(p.chosen for p in played) or 1
        ),
    }


def interleaved(setting: Setting, seeds: Sequence[int]) -> Figures:
    """Let several patients look before the first of them chooses."""
    played = [
        guaranteed(case(setting, VARIANT_LOAD, seed), random.Random(seed), waiting=WAITING)
        for seed in seeds
    ]
    chosen, taken = sum(p.chosen for p in played), sum(p.taken for p in played)
    return {
        "waiting": WAITING,
        "taken_pct": percent(taken, chosen),
        "shown_refused_pct": percent(sum(p.refused for p in played) - taken, chosen),
        "guaranteed_stranded": sum(p.stranded + p.unplaced for p in played),
    }


def percent(part: float, whole: int) -> float:
    """Give a share in percent."""
    return round(100 * part / whole, 2)
