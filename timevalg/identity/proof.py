"""Proof of possession: the bearer shows with each request that the token's key is theirs.

Source: RFC 9449 (DPoP); RFC 7638 (thumbprints).
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from timevalg.identity.refusal import Refused, peeked

ALGORITHMS = ("ES256", "PS256", "RS256", "EdDSA")
"""Signatures of proofs; all by keys that have a secret half."""
PAIRS = ("EC", "RSA", "OKP")
"""Kinds of keys that have a public half."""
WINDOW = 60
"""Seconds that a proof may be old or, for clocks that differ, ahead."""
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""What need not be said of where a scheme is served."""
ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
"""A byte of a path, percent-encoded."""
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
"""What means the same encoded or not."""
REMEMBERED = 200_000
"""Proofs remembered at most, so that nobody fills the memory; the oldest go first."""


@dataclass(frozen=True)
class Request:
    """What a proof must be about; and as whom it is made, where the token leaves that open.

    Attributes
    ----------
    role, patient : str
        The headers ``Timevalg-Role`` and ``Timevalg-For``.
    """

    method: str
    url: str
    role: str = ""
    patient: str = ""


class Used(Protocol):
    """Knows which proofs were used."""

    def is_new(self, thumbprint: str, name: str) -> bool:
        """Tell whether this proof is seen for the first time, and remember it."""
        ...


class Replays:
    """Remembers, in one process, proofs for as long as they could be used again.

    Parameters
    ----------
    seconds : callable
        The wall clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def is_new(self, thumbprint: str, name: str) -> bool:
        """Tell whether this proof is seen for the first time, and remember it."""
        key = hashlib.sha256(f"{thumbprint} {name}".encode()).hexdigest()
        with self._lock:
            now = self._seconds()
            while self._seen and (
                len(self._seen) >= REMEMBERED or next(iter(self._seen.values())) <= now
            ):
                del self._seen[next(iter(self._seen))]
            if key in self._seen:
                return False
            self._seen[key] = now + 2 * WINDOW
            return True


def check_proof(
    proof: str, request: Request, token: str, thumbprint: str, now: float, replays: Used
) -> None:
    """Check that a proof is for this request, this token and the key that the token names.

    Parameters
    ----------
    proof : str
        The header ``DPoP``.
    thumbprint : str
        The token's ``cnf.jkt``.
    now : float
        Seconds since 1970.

    Raises
    ------
    Refused
    """
    header = peeked(proof)
    if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
        raise Refused("the proof of possession has another type")
    shown = header.get("jwk")
    if not isinstance(shown, dict) or shown.get("kty") not in PAIRS or "d" in shown:
        raise Refused("the proof of possession shows no public key")
    try:
        key = import_key(shown)
        claims = jwt.decode(proof, key, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Refused("the proof of possession is not signed by the key it shows") from error
    hashed = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=")
    at, name = claims.get("iat"), claims.get("jti")
    rules = (
        ("is for another key", key.thumbprint() == thumbprint),
        ("is for another method", claims.get("htm") == request.method),
        ("is for another address", _same(claims.get("htu"), request.url)),
        ("is for another token", claims.get("ath") == hashed.decode()),
        ("is too old, or of the future", isinstance(at, int) and abs(now - at) <= WINDOW),
        ("has no name", isinstance(name, str) and 0 < len(name) <= 200),
        ("was used before", isinstance(name, str) and replays.is_new(thumbprint, name)),
    )
    for what, kept in rules:
        if not kept:
            raise Refused(f"the proof of possession {what}")


def _same(said: object, url: str) -> bool:
    """Compare addresses without query and fragment (RFC 9449, section 4.3)."""
    if not isinstance(said, str):
        return False
    try:
        return _normal(said) == _normal(url)
    except ValueError:  # no address at all
        return False


def _normal(url: str) -> tuple[str, str, str]:
    """Give scheme, host and path in the one way to write them (RFC 3986, sections 6.2.2 and 6.2.3).

    Raises
    ------
    ValueError
    """
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(DEFAULT_PORTS.get(parts.scheme, "")).removesuffix(":")
    return parts.scheme, host, ENCODED.sub(_plain, parts.path) or "/"


def _plain(encoded: re.Match[str]) -> str:
    """Write what need not be encoded as it is, and the rest with capitals."""
    character = chr(int(encoded[1], 16))
    return character if UNRESERVED.fullmatch(character) else encoded[0].upper()
