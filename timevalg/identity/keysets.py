"""The public keys of an issuer, kept for some minutes, fetched again when a new one appears."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from timevalg.exchange import Bounded, within
from timevalg.model.errors import Busy

KEPT = 600.0
"""Seconds for which fetched keys are used without asking again."""
PAUSE = 30.0
"""Seconds between two fetches at least, however many unknown keys turn up."""
LARGEST = 100_000
"""Bytes of a key set at most."""
PATIENCE = 5.0
"""Seconds for a whole answer."""

NOTHING: tuple[float, KeySet | None] = (float("-inf"), None)

Fetch = Callable[[str], Mapping[str, Any]]


def fetched(url: str) -> Mapping[str, Any]:
    """Give the JSON of a key set.

    Raises
    ------
    httpx2.HTTPError, ValueError
    """
    there = httpx2.URL(url)
    proxy = _proxy_to(there)
    asked = {"accept": "application/json", "accept-encoding": "identity"}
    with (
        httpx2.Client(transport=Bounded(proxy=proxy), timeout=PATIENCE, headers=asked) as client,
        within(PATIENCE),
        client.stream("GET", there) as answer,
    ):
        answer.raise_for_status()
        content = b""
        for part in answer.iter_raw():
            content += part
            if len(content) > LARGEST:
                raise ValueError(f"the key set is larger than {LARGEST} bytes")
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("the key set is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("the key set is no JSON object")
    return found


def _proxy_to(there: httpx2.URL) -> str | None:
    """Give the proxy that the environment names, if one; it may lack its scheme."""
    named = getproxies()
    found = named.get(there.scheme) or named.get("all")
    if not found or proxy_bypass(there.host):
        return None
    return found if "://" in found else f"http://{found}"


class KeySets:
    """Key sets by address.

    A key that is not known may be a new one (rotation): the set is fetched again, at most every
    `PAUSE` seconds. An issuer that does not answer leaves the keys as they were. While one asks an
    issuer, only those wait who lack a key of that issuer.

    Parameters
    ----------
    fetch : callable
        Gives the JSON at an address.
    seconds : callable
        A monotonic clock.
    """

    def __init__(self, fetch: Fetch = fetched, seconds: Callable[[], float] = time.monotonic):
        self._fetch, self._seconds = fetch, seconds
        self._kept: dict[str, tuple[float, KeySet]] = {}
        self._tried: dict[str, float] = {}
        self._asking: dict[str, threading.Lock] = {}

    def having(self, url: str, kid: str) -> KeySet:
        """Give the key set at an address, fetched anew if it lacks the key and that may help.

        Raises
        ------
        Busy
            If there are no keys yet and the issuer does not answer.
        """
        at, keys = self._kept.get(url, NOTHING)
        known = keys if keys is not None and _has(keys, kid) else None
        if known is not None and self._seconds() - at < KEPT:
            return known
        asking = self._asking.setdefault(url, threading.Lock())
        if not asking.acquire(blocking=known is None) and known is not None:
            return known
        try:
            return self._renewed(url)
        finally:
            asking.release()

    def _renewed(self, url: str) -> KeySet:
        now, (_, keys) = self._seconds(), self._kept.get(url, NOTHING)
        if now - self._tried.get(url, float("-inf")) < PAUSE:
            if keys is None:
                raise Busy("the token issuer")
            return keys
        self._tried[url] = now
        try:
            new = KeySet.import_key_set(dict(self._fetch(url)))  # type: ignore[arg-type]  # checked while it is imported
        except (httpx2.HTTPError, ValueError, TypeError, KeyError, JoseError) as error:
            if keys is None:
                raise Busy("the token issuer") from error
            return keys
        self._kept[url] = (now, new)
        return new


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)
