"""Everything in one run: answers compared first, then measured; what cannot be is said."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any

from benchmarks.search import calcom, explaining, intervals, naive, sql, timefold
from benchmarks.search.cases import DAYS, SIZES, Case, case
from benchmarks.search.kernel import NoCompiler, compiled
from benchmarks.search.ours import alone, figures, index_of, loads
from benchmarks.search.peers import Answer, Missing, run
from benchmarks.search.region import measure
from timevalg.solver.search import feasible

PEERS: dict[str, tuple[Callable[[Case, int], Answer], str]] = {
    "naive": (naive.answer, "p"),
    "intervals": (intervals.answer, "p"),
    "sql": (sql.answer, "p"),
    "calcom": (calcom.answer, "q"),
    "timefold": (timefold.answer, "q"),
}
"""How each is asked, and in which pool: ``p`` two roles, ``q`` the clinician alone."""

MAIN = "50x30"
"""The size of the ratios."""

PARTS = ("peers", "bookings", "explain", "region")
"""What a run can leave out."""

Say = Callable[[str], None]


def everything(
    say: Say, rounds: int = 9, sizes: Sequence[str] = (), without: Collection[str] = ()
) -> dict[str, Any]:
    """Run the whole benchmark; some minutes.

    Parameters
    ----------
    sizes : sequence of str
        Only these of `SIZES`, such as ``50x30``; none = all. What belongs to `MAIN` (ratios,
        peers) is left out without it.
    without : collection of str
        Of `PARTS`: what to leave out.
    """
    notes: list[str] = []
    library = _library(notes)
    found: dict[str, Any] = {"sizes": {}}
    for clinicians, rooms in SIZES:
        if not sizes or f"{clinicians}x{rooms}" in sizes:
            made = case(clinicians, rooms)
            say(f"{made.name}: ours and the C kernel")
            found["sizes"][made.name] = figures(made, library, rounds)
    main = case(50, 30)
    asked = [] if "peers" in without or MAIN not in found["sizes"] else list(PEERS)
    found["peers"] = ask_peers(main, asked, 3, notes, say)
    if "bookings" not in without:
        say("50x30: without bookings and with them")
        found["bookings"] = loads(lambda: main, rounds)
    if MAIN in found["sizes"]:
        found["single"] = alone(main, rounds)
        found["ratios"] = ratios(found["sizes"][MAIN], found["single"], found["peers"])
    if "explain" not in without:
        say("50x30: explain")
        found["explain"] = explaining.figures(main, 3)
    if "region" not in without:
        say("region: 20,000 resources")
        found["region"] = json.loads(run([sys.executable, "-m", "benchmarks.search.region"]))
    return found | {"notes": notes, "machine": _machine()}


def quick(say: Say) -> dict[str, Any]:
    """Run a short form that needs nothing fetched: two weeks of a tiny clinic, a small region."""
    notes: list[str] = []
    small = case(5, 3, 14)
    sizes = {small.name: figures(small, _library(notes), 1)}
    peers = ask_peers(small, ["naive", "sql"], 1, notes, say)
    single = alone(small, 1)
    return {
        "sizes": sizes,
        "ratios": ratios(sizes[small.name], single, peers),
        "region": measure(2, 14, 200),
        "peers": peers,
        "single": single,
        "bookings": loads(lambda: small, 1),
        "explain": explaining.figures(small, 1),
        "notes": notes,
        "machine": _machine(),
    }


def ask_peers(
    made: Case, names: list[str], rounds: int, notes: list[str], say: Say
) -> dict[str, dict[str, float]]:
    """Ask the peers, and compare their answers with ours.

    Raises
    ------
    AssertionError
        If one finds other starts than we do.
    """
    index = index_of(made)
    peers: dict[str, dict[str, float]] = {}
    for name in names:
        answer, pool = PEERS[name]
        say(f"{made.name}: {name}")
        ours = feasible(index, made.ask if pool == "p" else made.reduced).instants()
        try:
            theirs = answer(made, rounds)
        except Missing as error:
            notes.append(f"{name}: not measured: {error}")
            continue
        if theirs.starts != ours:
            differ = sorted(set(theirs.starts) ^ set(ours))
            raise AssertionError(f"{name}: {len(differ)} starts differ, the first {differ[:3]}")
        peers[name] = {"us": theirs.us, "prepare_us": theirs.prepare_us, "starts": len(ours)}
        if pool == "q":
            notes.append(
                f"{name}: knows one kind of resource, so the case is reduced for both: a visit "
                "that takes a clinician alone, in openings that cut nobody's hours."
            )
    return peers


def ratios(
    ours: dict[str, float], single: dict[str, float], peers: dict[str, dict[str, float]]
) -> dict[str, float]:
    """Say how many times faster we are; peers with one kind of resource meet `single`."""
    found: dict[str, float] = {}
    for name, peer in peers.items():
        mine = single if PEERS[name][1] == "q" else ours
        whole = mine["build_us"] + mine["cold_us"] + mine["list_us"]
        found[name] = peer["us"] / mine["cold_us"]
        if name in ("calcom", "sql"):
            found[f"{name}_with_build"] = (peer["us"] + peer["prepare_us"]) / whole
    if "c_cold_us" in ours:
        found["cold_to_c"] = ours["cold_us"] / ours["c_cold_us"]
        found["warm_to_c"] = ours["warm_us"] / ours["c_warm_us"]
    found["cold_to_update"] = ours["cold_us"] / ours["update_us"]
    return found


def _library(notes: list[str]) -> Any:
    try:
        return compiled()
    except NoCompiler as error:
        notes.append(f"C kernel: not measured: {error}")
        return None


def _machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "days": DAYS,
    }
