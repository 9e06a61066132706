"""Answers to idempotency keys: one for each, forgotten by age; a lock that nobody waits for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.samples import EXAMPLES, NINE, ORG, OTHER, at
from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import Conflict
from timevalg.store import Database

(ANSWER,) = EXAMPLES["answers"]


def test_only_the_old_of_one_organisation_are_forgotten(store: Store):
    older = replace(ANSWER, id="older", answered_at=at(-1))
    store.run(ORG, lambda unit: [unit.answers.add(a) for a in (ANSWER, older)])
    theirs = replace(older, organisation=OTHER)
    store.run(OTHER, lambda unit: unit.answers.add(theirs))
    assert store.run(ORG, lambda unit: unit.answers.forget(NINE)) == 1
    assert store.run(ORG, lambda unit: unit.answers.find()) == [ANSWER]
    assert store.run(OTHER, lambda unit: unit.answers.find()) == [theirs]


def test_one_answer_for_a_key(store: Store):
    store.run(ORG, lambda unit: unit.answers.add(ANSWER))
    with pytest.raises(Conflict, match="already a"):
        store.run(ORG, lambda unit: unit.answers.add(replace(ANSWER, value="{}")))


def test_a_lock_can_be_had_when_nobody_holds_it(store: Store):
    for _ in range(2):  # the first is free again once its transaction has ended
        assert store.run(ORG, lambda unit: unit.try_lock("k:1") and unit.try_lock("k:1"))


def test_a_lock_that_another_holds_cannot_be_had(emptied_postgres_url: str):
    store = Database(emptied_postgres_url)
    other = Database(emptied_postgres_url)

    def body(unit: UnitOfWork) -> list[bool]:
        assert unit.try_lock("k:1")
        return [
            other.run(organisation, lambda unit, key=key: unit.try_lock(key))
            for organisation, key in ((ORG, "k:1"), (ORG, "k:2"), (OTHER, "k:1"))
        ]

    assert store.run(ORG, body) == [False, True, True]
    store.close()
    other.close()
