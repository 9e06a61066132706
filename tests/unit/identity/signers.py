"""An issuer and a bearer for tests, with clocks that are set."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from timevalg.identity.keysets import KeySets
from timevalg.identity.proof import Request
from timevalg.identity.tokens import Issuer, Tokens

NOW = 1_800_000_000
REQUEST = Request("POST", "https://timevalg.example/v1/tasks/t-1/choose")


def new_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class Clock:
    at: float = NOW

    def __call__(self) -> float:
        return self.at


@dataclass
class Signer:
    """An issuer with its published keys; `asked` counts who fetched them."""

    profile: str = "development"
    name: str = "https://issuer.example"
    clock: Clock = field(default_factory=Clock)
    keys: list[ECKey] = field(default_factory=lambda: [new_key("k-1")])
    asked: int = 0
    answers: bool = True

    def fetch(self, url: str) -> dict[str, Any]:
        self.asked += 1
        if not self.answers:
            raise ValueError("no answer")
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def tokens(self) -> Tokens:
        issuer = Issuer(self.name, "timevalg", f"{self.name}/jwks", self.profile)
        return Tokens([issuer], KeySets(self.fetch, self.clock), self.clock)

    def token(self, key: ECKey | None = None, header: Any = None, **claims: Any) -> str:
        said = {
            "iss": self.name,
            "aud": "timevalg",
            "sub": "s-1",
            "iat": int(self.clock.at),
            "exp": int(self.clock.at) + 600,
            **claims,
        }
        key = key or self.keys[-1]
        head = {"alg": "ES256", "kid": key.kid, **(header or {})}
        return jwt.encode(_told(head), _told(said), key)


def proof(key: ECKey, token: str, at: float, header: Any = None, **claims: Any) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=")
    said = {
        "htm": REQUEST.method,
        "htu": REQUEST.url,
        "iat": int(at),
        "jti": "j-1",
        "ath": digest.decode(),
        **claims,
    }
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False), **(header or {})}
    return jwt.encode(_told(head), _told(said), key)


def _told(said: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in said.items() if v is not None}
