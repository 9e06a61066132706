"""Our own figures on one case, each apart, with the C kernel in the same rounds."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

from benchmarks.search.cases import Case
from benchmarks.search.kernel import Kernel
from benchmarks.search.measure import Probe, medians
from benchmarks.search.shortlist import top20
from timevalg.model.session import Session, SessionKind
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assign, session_for
from timevalg.solver.index import Index
from timevalg.solver.search import Starts, feasible, first


def index_of(case: Case) -> Index:
    """Make the index from what is taken, as spans; nothing is remembered from earlier ones."""
    return Index.of(replace(case.organisation), taken=case.taken)


def figures(case: Case, library: ctypes.CDLL | None, rounds: int) -> dict[str, float]:
    """Measure everything on a case.

    Returns
    -------
    dict
        ``…_us`` → microseconds. `build` is what the first search after loading costs beyond
        `cold`; `update` is one booking and the next search, less a warm search; `apply` is the
        part of it before the search.
    """
    index, ask = index_of(case), case.ask
    found = feasible(index, ask)
    index.apply(bookings(index, ask, found, 1)[0:1])
    news = cycle(bookings(index, ask, found, 32))
    probes = {
        "first": Probe(lambda: feasible(index_of(case), ask)),
        "cold": Probe(lambda: feasible(index.without_masks(), ask), samples=9),
        "apply": Probe(lambda: index.apply((next(news),)), samples=65),
        "change": Probe(lambda: feasible(index.apply((next(news),)), ask), samples=65),
        "warm": Probe(lambda: feasible(index, ask), times=20, samples=25),
        "next_free": Probe(lambda: first(index, ask), times=20, samples=25),
        "list": Probe(found.instants, samples=15),
        "top20": Probe(lambda: top20(index, ask), samples=9),
        "top20_after": Probe(lambda: top20(index.apply((next(news),)), ask), samples=9),
    }
    if library is not None:
        kernel = Kernel(library, index, ask)
        if kernel.answer() != found.bits:
            raise AssertionError(f"{case.name}: the kernel found other starts")
        probes["c_cold"] = Probe(lambda: kernel.cold_us(1), samples=25)
        probes["c_warm"] = Probe(lambda: kernel.warm_us(100), samples=25)
    measured = medians(probes, rounds)
    measured["build"] = measured.pop("first") - measured["cold"]
    measured["update"] = measured.pop("change") - measured["warm"]
    return {f"{name}_us": us for name, us in measured.items()}


def alone(case: Case, rounds: int) -> dict[str, float]:
    """Measure the case for the clinician alone: build, cold and list."""
    people = {r.id for r in case.clinic.resources.values() if r.kind == "clinician"}
    clinic = replace(
        case.clinic,
        resources={name: r for name, r in case.clinic.resources.items() if name in people},
        pools={"q": case.clinic.pools["q"]},
        services={"alone": case.clinic.services["alone"]},
    )
    organisation = replace(case.organisation, clinics={"c": clinic})
    small = replace(
        case, organisation=organisation, taken={name: case.taken[name] for name in people}
    )
    index, ask = index_of(small), case.reduced
    found = feasible(index, ask)
    measured = medians(
        {
            "first": Probe(lambda: feasible(index_of(small), ask)),
            "cold": Probe(lambda: feasible(index.without_masks(), ask), samples=9),
            "list": Probe(found.instants, samples=15),
        },
        rounds,
    )
    measured["build"] = measured.pop("first") - measured["cold"]
    return {f"{name}_us": us for name, us in measured.items()}


def bookings(index: Index, ask: Ask, found: Starts, number: int) -> list[Session]:
    """Make bookings at some of the starts found, of the resources that would serve them."""
    dice = random.Random(number)
    made: list[Session] = []
    for start in dice.choices(found.instants(), k=number):
        resources = assign(index, ask, start)
        assert resources is not None
        made.append(
            session_for(
                index.organisation,
                ask,
                start,
                resources,
                id=f"new-{len(made)}",
                kind=SessionKind.BOOKING,
            )
        )
    return made


def loads(make: Callable[[], Case], rounds: int) -> dict[str, dict[str, float]]:
    """Measure cold and warm searches without bookings, and with them as bits and as sessions."""
    case = make()
    indexes = {
        "none": Index.of(case.organisation),
        "spans": index_of(case),
        "sessions": Index.of(case.organisation, case.sessions()),
    }
    probes = {}
    for name, index in indexes.items():
        feasible(index, case.ask)
        probes[f"{name} cold"] = _search(index.without_masks, case.ask, 1)
        probes[f"{name} warm"] = _search(lambda index=index: index, case.ask, 20)  # type: ignore[misc]  # mypy cannot infer lambdas with defaults
    found = medians(probes, rounds)
    return {
        name: {f"{what}_us": found[f"{name} {what}"] for what in ("cold", "warm")}
        for name in indexes
    }


def _search(index: Callable[[], Index], ask: Ask, times: int) -> Probe:
    return Probe(lambda: feasible(index(), ask), times, samples=9)
