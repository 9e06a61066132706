"""A proof of possession lets in once, whichever process it comes to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from itertools import count

from timevalg.booking.proofs import KEPT, NOBODY, Proofs


def test_once_and_never_again(store):
    one, other = Proofs(store), Proofs(store)
    assert one.is_new("key", "a")
    assert not one.is_new("key", "a")
    assert not other.is_new("key", "a")
    assert other.is_new("key", "b")
    assert other.is_new("another key", "a")


def test_of_many_at_once_one(store):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: Proofs(store).is_new("key", "a"), range(8)))
    assert found.count(True) == 1


def test_they_are_forgotten(store, clock):
    proofs = Proofs(store)
    proofs.is_new("key", "old")
    clock.advance(KEPT + timedelta(seconds=1))
    names = map(str, count())
    sweeps = next(n for n in names if sha256(f"key {n}".encode()).hexdigest().startswith("00"))
    proofs.is_new("key", sweeps)
    (kept,) = store.run(NOBODY, lambda unit: unit.answers.find(), write=False)
    assert kept.answered_at == clock.now()
