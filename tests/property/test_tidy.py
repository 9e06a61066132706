"""Tidied places: everybody keeps a valid one, and looks leave fewer starts open.

The clinic is small; looks are kept from moving anybody, so that they leave much open, while plans
move as many as they like.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from benchmarks.choice.clinic import EARLY, NOW, case
from benchmarks.choice.play import check
from timevalg.model.session import SessionKind
from timevalg.model.states import TaskState
from timevalg.model.task import Task
from timevalg.solver import safety, tidy
from timevalg.solver.certificates import after
from timevalg.solver.complete import first_and_last
from timevalg.solver.index import Index
from timevalg.solver.offers import offers
from timevalg.solver.picture import Picture
from timevalg.solver.places import Plan, is_valid_place, plan
from timevalg.solver.tidy import tidied

CLINIC = replace(EARLY, clinicians=8, rooms=4, days=6)


def played(seed: int, every: int = 12) -> Iterator[tuple[Picture, Task]]:
    """Let half of all choose at random; gives the pictures on the way, and who looks next."""
    made = case(CLINIC, 0.85, seed)
    dice = random.Random(seed)
    picture = plan(Picture(Index.of(made.organisation), {}, NOW), made.tasks, NOW).picture
    for number, task in enumerate(made.tasks[: len(made.tasks) // 2]):
        if number and number % every == 0:
            yield picture, task
        found = offers(picture, task, NOW, limit=20, key=f"b:{task.id}").offers
        picture = after(picture, dice.choice(found).certificate)
        picture = picture.with_task(replace(task, state=TaskState.CONFIRMED))


@pytest.fixture
def short_of_breath(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Looks move nobody."""
    return looks_that_move_nobody(monkeypatch)


def looks_that_move_nobody(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(safety, "CHAIN", -1)
    monkeypatch.setattr(safety, "WAYS", 0)
    return monkeypatch


def left_open(picture: Picture, tasks: list[Task]) -> int:
    *_, count = tidy._left_open(picture, tasks, NOW)
    return count


def places(picture: Picture) -> dict[str, object]:
    sessions = picture.index.sessions.values()
    return {s.task or "": s for s in sessions if s.kind is SessionKind.PLACE}


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("near", [(3, 12), tidy.NEAR])
def test_everybody_keeps_a_valid_place_and_fewer_starts_are_left_open(seed, near, monkeypatch):
    monkeypatch.setattr(tidy, "NEAR", near)
    moved = beyond = 0
    for picture, task in played(seed):
        with monkeypatch.context() as looks:
            looks_that_move_nobody(looks)
            found = tidied(picture, task, NOW)
            if found is None:
                continue
            then = after(picture, found)
            asked = tidy._asked(task, [picture.tasks[name] for name in places(picture)])
            open_before, open_then = (left_open(p, asked) for p in (picture, then))
        assert open_then < open_before
        check(then, found)
        assert places(then).keys() == places(picture).keys()
        assert all(is_valid_place(then, then.tasks[n], s, NOW) for n, s in places(then).items())
        others = {s.id for s in picture.index.sessions.values()} - {
            s.id for s in (*found.released, *found.displaced)
        }
        assert all(then.index.sessions[k] == picture.index.sessions[k] for k in others)
        moved += 1
        beyond += 1 + len(found.moved) > max(near)
    assert moved
    assert beyond or near == tidy.NEAR  # repair moves others too


@cache
def a_jam() -> tuple[Picture, Task]:
    """Give somebody whose look leaves much open, where tidying helps."""
    return next((p, t) for p, t in played(1) if tidied(p, t, NOW) is not None)


def test_no_plan_is_kept_that_leaves_somebody_out(short_of_breath):
    picture, task = a_jam()

    def leaving_out(*given: object, steps: int) -> Plan:
        return replace(plan(*given, steps=steps), unplaced=(task,))

    short_of_breath.setattr(tidy, "plan", leaving_out)
    assert tidied(picture, task, NOW) is None


def test_no_plan_is_kept_that_opens_nothing(short_of_breath):
    picture, task = a_jam()
    short_of_breath.setattr(tidy, "_left_open", lambda *_: iter([10]))
    assert tidied(picture, task, NOW) is None


def test_where_little_is_open_nothing_is_planned(short_of_breath):
    picture, task = a_jam()
    short_of_breath.setattr(tidy, "MANY", 10_000)
    short_of_breath.setattr(tidy, "plan", None)
    assert tidied(picture, task, NOW) is None


def test_more_are_planned_where_few_do_not_help(short_of_breath):
    picture, task = a_jam()
    sizes, left = [], iter([10, 10, 3])

    def counting(bare: Picture, tasks: list[Task], now: object, *, steps: int) -> Plan:
        sizes.append(len(tasks))
        return plan(bare, tasks, NOW, steps=steps)

    short_of_breath.setattr(tidy, "plan", counting)
    short_of_breath.setattr(tidy, "_left_open", lambda *_: iter([next(left)]))
    short_of_breath.setattr(tidy, "NEAR", (10, 20, 40))
    assert tidied(picture, task, NOW) is not None
    assert sizes == [10, 20]


def test_asked_are_those_most_alike_and_some_of_all_others():
    tasks = case(CLINIC, 0.85, 1).tasks

    def days_apart(task: Task) -> int:
        pairs = zip(first_and_last(task), first_and_last(tasks[0]), strict=True)
        return sum(abs(a - b) for a, b in pairs)

    asked = tidy._asked(tasks[0], tasks)
    alike, others = asked[: tidy.ALIKE], asked[tidy.ALIKE :]
    same = sorted(days_apart(t) for t in tasks if t.pools == tasks[0].pools)
    assert [days_apart(t) for t in alike] == same[: tidy.ALIKE]
    assert {t.pools for t in alike} == {tasks[0].pools}
    assert len(others) == tidy.OTHERS
    assert len({t.pools for t in others}) > 1
    few = tidy._asked(tasks[0], tasks[:3])
    assert sorted(t.id for t in few) == sorted(t.id for t in tasks[:3])
