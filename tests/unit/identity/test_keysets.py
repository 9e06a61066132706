"""Keys are fetched in bounded time and size, and nobody waits for another's issuer."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.dripping import answering
from tests.unit.identity.signers import Clock, Signer
from timevalg.identity import keysets
from timevalg.identity.keysets import KEPT, KeySets, fetched

HEAD = b"HTTP/1.1 200 OK\r\n"
LATE = 5
"""Seconds that a test waits for what only a fault keeps from happening."""


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [(HEAD, b"x"), (HEAD + b"content-length: 90000\r\n\r\n", b" ")],
    ids=["headers", "body"],
)
def test_an_issuer_that_drips_is_given_up_in_time(monkeypatch, beginning, drop):
    monkeypatch.setattr(keysets, "PATIENCE", 0.5)
    with answering(beginning, drop) as url, pytest.raises(httpx2.TimeoutException):
        fetched(url)


def test_no_more_is_read_than_a_key_set_may_have():
    """Though the answer has no end."""
    with (
        answering(HEAD + b"\r\n" + b" " * (keysets.LARGEST + 1), b" ") as url,
        pytest.raises(ValueError, match="larger than"),
    ):
        fetched(url)


def test_what_is_nested_without_end_is_no_key_set():
    with (
        answering(HEAD + b"\r\n" + b"[" * keysets.LARGEST) as url,
        pytest.raises(ValueError, match="nested"),
    ):
        fetched(url)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_keys_are_fetched_through_the_proxy_that_the_environment_names(monkeypatch, name, scheme):
    with answering(HEAD + b'content-length: 12\r\n\r\n{"keys": []}') as url:
        monkeypatch.setenv(name, url.replace("http://", scheme))
        assert fetched("http://issuer.invalid/jwks") == {"keys": []}


class Slow(Signer):
    """One that answers only when it is let."""

    def __init__(self):
        super().__init__(clock=Clock())
        self.begun, self.let = threading.Event(), threading.Event()
        self.slow, self.was_let = True, False

    def fetch(self, url):
        if self.slow and url == "slow":
            self.begun.set()
            self.was_let = self.let.wait(LATE)
        return super().fetch(url)


def test_a_slow_issuer_keeps_nobody_from_another():
    signer = Slow()
    keys = KeySets(signer.fetch, signer.clock)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(keys.having, "slow", "k-1")
        assert signer.begun.wait(LATE)
        other = keys.having("other", "k-1")
        signer.let.set()
        assert first.result().as_dict() == other.as_dict()
    assert signer.was_let


def test_while_one_asks_again_the_others_use_the_keys_they_have():
    """And who lacks a key gets what came of asking, without asking once more."""
    signer = Slow()
    keys = KeySets(signer.fetch, signer.clock)
    signer.slow = False
    old = keys.having("slow", "k-1")
    signer.slow, signer.clock.at = True, signer.clock.at + KEPT
    with ThreadPoolExecutor() as pool:
        first = pool.submit(keys.having, "slow", "k-1")
        assert signer.begun.wait(LATE)
        assert keys.having("slow", "k-1") is old
        stranger = pool.submit(keys.having, "slow", "k-2")
        signer.let.set()
        assert stranger.result() is first.result() is not old
    assert signer.was_let
    assert signer.asked == 2
