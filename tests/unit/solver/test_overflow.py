"""What a stretch holds flows off as far as it can: compared with OR-tools' maximal flow."""

from __future__ import annotations

import random
from itertools import product

import pytest
from ortools.graph.python.max_flow import SimpleMaxFlow

from timevalg.solver.bits import cells
from timevalg.solver.overflow import Filled, Seats, Where
from timevalg.solver.stretches import Steps, Stretches

MUCH = 1_000
LONG = 3


def network(seed: int) -> tuple[Filled, dict[Where, int], dict[str, tuple[Where, ...]], dict]:
    """Make a random one: what is filled, room by stretch, and where everybody is and could be."""
    dice = random.Random(seed)
    names = [f"room{n}" for n in range(dice.randint(1, 3))]
    sites = [(dice.randint(1, LONG), dice.randint(0, 3)) for _ in range(dice.randint(1, 3))]
    begins = [{n: _sparse(dice) << by for n in names} for _, by in sites]
    every = {
        n: Stretches(
            tuple((b[n], length, length) for (length, _), b in zip(sites, begins, strict=True))
        )
        for n in names
    }
    seats = [
        Seats(by, long, long, of_site, {})
        for (long, by), of_site in zip(sites, begins, strict=True)
    ]
    taken = dict.fromkeys(names, 0)
    staying: dict[str, dict[Where, int]] = {}
    could: dict[str, tuple[Where, ...]] = {}
    for n in range(12):
        of_site = dice.choice(seats)
        free = [
            (name, step)
            for name, bits in of_site.begins.items()
            for step in cells(bits)
            if not taken[name] >> step & (1 << of_site.length) - 1
        ]
        if free:
            name, step = dice.choice(free)
            taken[name] |= (1 << of_site.length) - 1 << step
            mine = _sparse(dice) << of_site.by | 1 << step
            assert isinstance(of_site.stuck, dict)
            of_site.stuck[f"t{n}"] = mine >> of_site.by
            staying[f"t{n}"] = {(name, every[name].number(step)): of_site.worth}
            could[f"t{n}"] = tuple(
                {
                    (r, every[r].number(s))
                    for r, bits in of_site.begins.items()
                    for s in cells(bits & mine)
                }
            )
    rooms = {
        (name, number): of_one[number].most
        - sum(parts.get((name, number), 0) for parts in staying.values())
        for name, of_one in every.items()
        for number in range(len(of_one))
    }
    return Filled(0, seats, every, staying), rooms, could, staying


def _sparse(dice: random.Random) -> int:
    return dice.getrandbits(20) & dice.getrandbits(20)


def most_that_leaves(
    where: Where,
    rooms: dict[Where, int],
    could: dict[str, tuple[Where, ...]],
    staying: dict[str, dict[Where, int]],
) -> int:
    flow, nodes = SimpleMaxFlow(), {key: n for n, key in enumerate([*rooms, *staying, "end"])}
    for place, parts in staying.items():
        for here, worth in parts.items():
            flow.add_arc_with_capacity(nodes[here], nodes[place], worth)
        for there in could[place]:
            flow.add_arc_with_capacity(nodes[place], nodes[there], MUCH)
    for there, room in rooms.items():
        if there != where and room > 0:
            flow.add_arc_with_capacity(nodes[there], nodes["end"], room)
    if not flow.num_arcs():
        return 0
    flow.solve(nodes[where], nodes["end"])
    return flow.optimal_flow()


@pytest.mark.parametrize("part", range(4))
def test_as_much_leaves_as_can_and_everything_is_back_where_it_was(part):
    seen = set()
    for seed in range(100 * part, 100 * part + 100):
        filled, rooms, could, staying = network(seed)
        for where in random.Random(seed).sample(list(rooms), len(rooms)):
            expected = most_that_leaves(where, rooms, could, staying)
            seen.add(expected)
            asked = [1, MUCH, *range(expected, expected + 2), 2]
            for much in asked:
                assert filled.lets_go(where, much) == (much <= expected), (seed, where, much)
    assert {0, 1, 2, 3, 4} <= seen


def test_a_claim_takes_too_much_if_what_it_drives_out_finds_too_little_room():
    """Three seats of two steps in two rooms, for two who could be anywhere; then for three."""
    every = {"a": Stretches(((0b0101, 2, 2),)), "b": Stretches(((0b1, 2, 2),))}
    seats = [Seats(0, 2, 2, {"a": 0b0101, "b": 0b1}, {"one": 0b101, "two": 0b101})]
    staying = {"one": {("a", 0): 2}, "two": {("a", 1): 2}}
    filled = Filled(0, seats, every, staying)
    assert not filled.takes("a", 0, 2)  # who is there goes to the other room
    assert filled.lets_go(("a", 0), 2)
    assert not filled.lets_go(("a", 0), 3)
    filled = Filled(0, seats, every, {**staying, "three": {("b", 0): 2}})
    assert filled.takes("a", 0, 2)
    assert not filled.takes("c", 0, 2)


@pytest.mark.parametrize("seed", range(150))
def test_time_is_full_of_just_those_who_leave_no_step_of_it_free_however_they_are_seated(seed):
    """Everybody takes one step of one room; compared with every way to seat them."""
    dice = random.Random(seed)
    size, many = 7, dice.randint(1, 5)
    now = dice.sample(range(size), many)
    could = {f"t{n}": 1 << step | _sparse(dice) % (1 << size) for n, step in enumerate(now)}
    seats = Seats(0, 1, 1, {"room": (1 << size) - 1}, could)
    staying = {f"t{n}": {("room", step): 1} for n, step in enumerate(now)}
    full, inside = Filled(0, [seats], {"room": Steps(size)}, staying).confined()
    ways = [
        way
        for way in product(*(cells(could[f"t{n}"]) for n in range(many)))
        if len(set(way)) == many
    ]
    always = set.intersection(*(set(way) for way in ways))
    assert {step for _, step in full} == always
    assert inside == {f"t{n}" for n in range(many) if all(way[n] in always for way in ways)}
    seen = Filled(0, [seats], {"room": Steps(size)}, staying)
    for step in range(size):
        assert seen.takes("room", step, step + 1) == (step in always)
