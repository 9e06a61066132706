"""The short list against scoring every start one by one, naively, on random clinics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.clinics import World, worlds
from tests.property.reference import DAY, Reference, at, minutes
from tests.property.test_search import thorough
from timevalg.model.clinic import Organisation
from timevalg.model.resource import Kind
from timevalg.solver.ask import Ask
from timevalg.solver.index import Index
from timevalg.solver.ranking import VARIETY, Ranking
from timevalg.solver.search import feasible
from timevalg.solver.verify import broken
from timevalg.solver.wishes import Wishes

SEX = ("female", "male", None)
LANGUAGES = (("nb",), ("nb", "en"), (), ("se",))


def with_people(organisation: Organisation) -> Organisation:
    """Give everybody a sex and languages, and one pool of each clinic another taste."""
    clinics = {}
    for clinic in organisation.clinics.values():
        resources = {
            name: replace(r, sex=SEX[i % 3], languages=LANGUAGES[i % 4])
            for i, (name, r) in enumerate(clinic.resources.items())
        }
        first, *others = clinic.pools.values()
        first = replace(first, weights={**first.weights, "gaps": 3, "same_clinician": 2.5})
        pools = {p.id: p for p in (first, *others)}
        clinics[clinic.id] = replace(clinic, resources=resources, pools=pools)
    return replace(organisation, clinics=clinics)


@st.composite
def wishes(draw, world: World) -> Wishes:
    day = world.asks[0].now.date()
    some = {
        "days": st.frozensets(st.integers(0, 6), min_size=1),
        "after": st.integers(0, 24).map(lambda h: 60 * h),
        "before": st.integers(0, 24).map(lambda h: 60 * h),
        "not_on": st.frozensets(st.integers(0, 5).map(lambda i: day + i * DAY), min_size=1),
        "earliest": st.integers(-3, 9).map(lambda i: day + i * DAY),
        "latest": st.integers(-3, 9).map(lambda i: day + i * DAY),
        "clinicians": st.frozensets(st.sampled_from(["here-0", "here-1", "here-2"]), min_size=1),
        "sex": st.sampled_from(["female", "male"]),
        "language": st.sampled_from(["nb", "en", "se"]),
        "places": st.sampled_from([frozenset({"here"}), frozenset({"elsewhere"})]),
        "modes": st.sampled_from([frozenset({"physical"}), frozenset({"video"})]),
    }
    names = draw(st.lists(st.sampled_from(sorted(some)), max_size=4, unique=True))
    given_ = {name: draw(some[name]) for name in names}
    must = frozenset(draw(st.lists(st.sampled_from(names), max_size=1))) if names else frozenset()
    return Wishes(**given_, must=must)


class Naive:
    """Parts of the score of one ask's starts, one by one."""

    def __init__(self, world: World, ask: Ask, wishes: Wishes) -> None:
        self.world, self.ask, self.wishes = world, ask, wishes
        self.reference = Reference(world.organisation, world.sessions, ask)
        self.clinic, self.pool = self.reference.clinic, self.reference.pool
        self.service = self.reference.service
        fitting = {
            p.id: {
                r.id
                for role in self.clinic.services[p.service].roles
                for r in self.clinic.candidates(p, role)
            }
            for p in self.clinic.pools.values()
        }
        self.rivals = [
            Reference(
                world.organisation,
                world.sessions,
                Ask(ask.clinic, p, ask.now, count_places=ask.count_places, today=ask.today),
            )
            for p, names in fitting.items()
            if p == ask.pool or names & fitting[ask.pool]
        ]
        # What is said of a role's calendars concerns everybody who could serve it.
        self.anybody = Reference(world.organisation, world.sessions, ask)
        self.anybody.task = None
        self.usable = [(r, r.starts()) for r in self.rivals]

    def keeps(self, name: str, t) -> bool:
        zone, w = self.reference.zone, self.wishes
        local = t.astimezone(zone)
        length = minutes(self.service.length + self.reference.extra)
        if name == "days":
            return local.weekday() in w.days
        if name == "after":
            return any(a <= t for a, _ in self.day_range(local.date(), w.after, 1440))
        if name == "before":
            return any(t + length <= b for _, b in self.day_range(local.date(), 0, w.before))
        if name == "not_on":
            return local.date() not in w.not_on
        if name == "earliest":
            return local.date() >= w.earliest
        if name == "latest":
            return local.date() <= w.latest
        if name == "places":
            return "here" in w.places
        return self.service.mode in w.modes

    def day_range(self, day, start, end):
        a, b = at(day, start, self.reference.zone), at(day, end, self.reference.zone)
        return [(a, b)] if a < b else []

    def of_clinician(self, name: str, assignment) -> bool:
        roles = [r for r in self.service.roles if r.kind is Kind.CLINICIAN]
        if name == "clinicians":
            return any(x in self.wishes.clinicians for r in roles for x in assignment[r.id])
        people = [self.clinic.resources[x] for r in roles[:1] for x in assignment[r.id]]
        if not people:
            return False
        if name == "sex":
            return all(p.sex == self.wishes.sex for p in people)
        return all(self.wishes.language in p.languages for p in people)

    def staffed(self, t):
        """The best (wishes kept, same clinician) of all assignments that keep the musts."""
        w = self.wishes
        soft = [n for n in ("sex", "language") if n in w.given and n not in w.must]
        hard = [n for n in ("sex", "language", "clinicians") if n in w.must]
        each = self.pool.weights["wishes"] / max(1, len(w.soft))
        same_weight = self.pool.weights["same_clinician"]
        options = []
        for a in self.reference.all_assignments(t):
            if all(self.of_clinician(n, a) for n in hard):
                kept = sum(self.of_clinician(n, a) for n in soft)
                same = self.of_clinician("clinicians", a)
                options.append((kept * each + same * same_weight, kept, same))
        return max(options, default=None)

    def tidy(self, t) -> float:
        good = 0
        able = dict(zip(self.reference.copies(), self.anybody.fitting(t), strict=True))
        grid = timedelta(minutes=self.world.organisation.grid)
        for role in self.service.roles:
            length = minutes(role.length + self.reference.extra)
            a = t + minutes(role.start)
            b = a + length
            neat = 0
            for name in able[role.id]:
                resource = self.clinic.resources[name]

                def free(first, last, resource=resource):
                    return self.reference.free(resource, (first, last))

                useless_before = free(a - grid, b) and not free(a - length, b)
                useless_after = free(a, b + grid) and not free(a, b + length)
                neat += not useless_before and not useless_after
            good += neat >= role.count
        return good / len(self.service.roles)

    def unwanted(self, t) -> float:
        end = t + minutes(self.service.length + self.reference.extra)
        count = sum(
            any(s < end and t < s + minutes(r.service.length) for s in starts)
            for r, starts in self.usable
        )
        return 1 - count / len(self.usable)

    def candidates(self):
        w = self.wishes
        plain = [n for n in w.given if n not in {"sex", "language", "clinicians"}]
        for t in self.reference.starts():
            staffed = self.staffed(t)
            if staffed is None or not all(self.keeps(n, t) for n in plain if n in w.must):
                continue
            _, kept, same = staffed
            kept += sum(self.keeps(n, t) for n in plain if n not in w.must)
            yield Row(
                t,
                self.ask.pool,
                {
                    **({"wishes": kept / len(w.soft)} if w.soft else {}),
                    **({"same_clinician": float(same)} if w.clinicians else {}),
                    "gaps": self.tidy(t),
                    "scarcity": self.unwanted(t),
                },
                self.pool.weights,
            )


@dataclass
class Row:
    """A start with its parts, scored by the formula as it is documented."""

    start: datetime
    pool: str
    parts: dict[str, float]
    weights: dict[str, float]
    score: float = 0.0

    def among(self, first, last):
        early = 1.0 - (self.start - first) / (last - first) if first < last else 1.0
        self.parts = {"earliness": early, **self.parts}
        total = sum(self.weights[name] for name in self.parts)
        weighed = sum(self.weights[name] * part for name, part in self.parts.items())
        self.score = weighed / total if total else 0.0

    @property
    def key(self):
        return -round(self.score, 9), self.start, self.pool


def in_order(rows, zone):
    """Best first, each earlier one of the same half-day costing `VARIETY`."""
    for row in rows:
        row.among(min(r.start for r in rows), max(r.start for r in rows))
    seen, spread = Counter(), []
    for row in sorted(rows, key=lambda r: r.key):
        local = row.start.astimezone(zone)
        half = local.date(), local.hour < 12
        spread.append((row.key[0] + VARIETY * seen[half], row.key, row))
        seen[half] += 1
    return [row for _, _, row in sorted(spread, key=lambda one: one[:2])]


@settings(thorough, max_examples=settings.default.max_examples)
@given(worlds(), st.data())
def test_the_short_list_is_what_scoring_every_start_gives(world: World, data) -> None:
    world = replace(world, organisation=with_people(world.organisation))
    first = world.asks[0]
    clinic = world.organisation.clinic(first.clinic)
    asks = [replace(first, pool=pool) for pool in clinic.pools]
    wish = data.draw(wishes(world))
    rows = [row for ask in asks for row in Naive(world, ask, wish).candidates()]
    expected = in_order(rows, clinic.timezone)
    index = Index.of(world.organisation, world.sessions)
    ranking = Ranking(index, asks, wish)
    found = list(ranking)
    assert len(ranking) == len(rows)
    assert [(s.start, s.pool) for s in found] == [(r.start, r.pool) for r in expected]
    for got, wanted in zip(found, expected, strict=True):
        assert abs(got.score - wanted.score) < 1e-9
        assert dict(got.parts) == {n: round(p, 4) for n, p in wanted.parts.items()}
        ask = next(a for a in asks if a.pool == got.pool)
        assert not broken(world.organisation, world.sessions, ask, got.start, got.resources)
        if got.parts.get("same_clinician"):
            assert set().union(*got.resources.values()) & wish.clinicians
    for got in found[:5]:
        assert got.start in feasible(index, got.ask)
        for way in islice(got.ways(), 1, None):
            assert way.score <= got.score
            assert not broken(world.organisation, world.sessions, way.ask, way.start, way.resources)
            known = bool(set().union(*way.resources.values()) & wish.clinicians)
            assert way.parts.get("same_clinician", 0.0) <= known
    assert list(islice(ranking, 3)) == found[:3]
