"""Check a bearer token: signature, issuer, audience, times, level, and the key it is bound to."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from timevalg.identity.keysets import KeySets
from timevalg.identity.profiles import PROFILES
from timevalg.identity.proof import Replays, Request, Used, check_proof
from timevalg.identity.refusal import Refused, peeked
from timevalg.model.identity import Identity

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures believed; never ``none``, never one whose key both sides hold."""
LEEWAY = 30
"""Seconds by which clocks may differ."""


@dataclass(frozen=True)
class Issuer:
    """Somebody whose tokens are believed.

    Attributes
    ----------
    name : str
        Exactly the claim ``iss``.
    audience : str
        What its tokens call this service.
    keys : str
        Where its public keys are (JWKS).
    profile : str
        How its claims are read: a name in `PROFILES`.
    """

    name: str
    audience: str
    keys: str
    profile: str


class Tokens:
    """Believes tokens of some issuers and no others.

    Parameters
    ----------
    issuers : iterable of Issuer
    keysets : KeySets
    seconds : callable
        The wall clock, seconds since 1970: issuers and bearers reckon by it.
    replays : Used or None
        Where proofs that were used are known, by default in this process alone.
    """

    def __init__(
        self,
        issuers: Iterable[Issuer],
        keysets: KeySets | None = None,
        seconds: Callable[[], float] = time.time,
        replays: Used | None = None,
    ) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._keysets = keysets or KeySets()
        self._seconds = seconds
        self._replays = replays or Replays(seconds)

    def identity(
        self, token: str, request: Request, proof: str | None = None, *, scheme: str = "bearer"
    ) -> Identity:
        """Give whom a token speaks of.

        Parameters
        ----------
        proof : str or None
            The header ``DPoP``.
        scheme : str
            Under which the token came: ``bearer`` or ``dpop``.

        Raises
        ------
        Refused
            If it is not believed.
        Busy
            If the issuer's keys cannot be had.
        """
        header = peeked(token)
        if header.get("alg") not in ALGORITHMS:
            raise Refused("the token is not signed in a way that counts here")
        issuer = self._issuers.get(_unverified_issuer(token))
        if issuer is None:
            raise Refused("the token's issuer is not trusted here")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise Refused("the token does not say which key signed it")
        claims = self._verified(token, issuer, kid)
        profile = PROFILES[issuer.profile]
        self._check_possession(claims, token, request, proof, scheme, bound=profile.bound)
        if not profile.is_asserted(claims):
            raise Refused("the client did not sign for itself when it got the token")
        identity = profile.read(claims)
        if not profile.is_sure(identity):
            raise Refused("the sign-on was not at the highest level; sign on again")
        return identity

    def _verified(self, token: str, issuer: Issuer, kid: str) -> Mapping[str, Any]:
        keys = self._keysets.having(issuer.keys, kid)
        rules = JWTClaimsRegistry(
            now=int(self._seconds()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer.name},
            aud={"essential": True, "value": issuer.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise Refused("the token does not hold; sign on again") from error
        return claims

    def _check_possession(
        self,
        claims: Mapping[str, Any],
        token: str,
        request: Request,
        proof: str | None,
        scheme: str,
        *,
        bound: bool,
    ) -> None:
        """A token that names a key needs a proof; so does every one where the issuer binds them."""
        confirmed = claims.get("cnf")
        thumbprint = confirmed.get("jkt") if isinstance(confirmed, dict) else None
        if thumbprint is None and not bound and scheme == "bearer" and proof is None:
            return
        if not isinstance(thumbprint, str):
            raise Refused("the token is bound to no key")
        if proof is None or scheme != "dpop":
            raise Refused("the token needs a proof of possession")
        check_proof(proof, request, token, thumbprint, self._seconds(), self._replays)


def _unverified_issuer(token: str) -> str:
    body = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, RecursionError) as error:
        raise Refused("the token cannot be read") from error
    return str(claims.get("iss")) if isinstance(claims, dict) else ""
