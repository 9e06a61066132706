"""The public keys of an issuer, kept for some minutes, fetched again when a new one appears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from timevalg.model.errors import Busy

KEPT = 600.0
"""Seconds for which fetched keys are used without asking again."""
PAUSE = 30.0
"""Seconds between two fetches at least, however many unknown keys turn up."""
LARGEST = 100_000
"""Bytes of a key set at most."""
PATIENCE = 5.0
"""Seconds to wait for an answer."""

Fetch = Callable[[str], Mapping[str, Any]]


def fetched(url: str) -> Mapping[str, Any]:
    """Give the JSON of a key set.

    Raises
    ------
    httpx2.HTTPError, ValueError
    """
    answer = httpx2.get(url, timeout=PATIENCE, follow_redirects=False)
    answer.raise_for_status()
    if len(answer.content) > LARGEST:
        raise ValueError(f"the key set is larger than {LARGEST} bytes")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("the key set is no JSON object")
    return found


class KeySets:
    """Key sets by address.

    A key that is not known may be a new one (rotation): the set is fetched again, at most every
    `PAUSE` seconds. An issuer that does not answer leaves the keys as they were.

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
        self._lock = threading.Lock()

    def having(self, url: str, kid: str) -> KeySet:
        """Give the key set at an address, fetched anew if it lacks the key and that may help.

        Raises
        ------
        Busy
            If there are no keys yet and the issuer does not answer.
        """
        with self._lock:
            now = self._seconds()
            at, keys = self._kept.get(url, (float("-inf"), None))
            fresh = now - at < KEPT
            if keys is None or not fresh or not _has(keys, kid):
                keys = self._renewed(url, now, keys)
            return keys

    def _renewed(self, url: str, now: float, keys: KeySet | None) -> KeySet:
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
