"""The issuer for development: a key of this user's on this machine, believed in no production."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from timevalg.identity.tokens import Issuer
from timevalg.model.errors import InvalidInput

NAME = "https://timevalg.invalid/development"
AUDIENCE = "timevalg"
LASTS = 12 * 3600
"""Seconds that its tokens are good for."""


def issuer(path: Path) -> Issuer:
    """Give the issuer whose key lies at a path."""
    return Issuer(NAME, AUDIENCE, path.as_uri(), "development")


def path_of(configured: str = "") -> Path:
    """Give where the development key lies: where configured, else with this user's state."""
    if configured:
        return Path(configured).absolute()
    return Path(platformdirs.user_state_dir("timevalg")) / "development-issuer.json"


def key_at(path: Path) -> ECKey:
    """Give the key at a path, made if there is none; nobody else may read it.

    Raises
    ------
    InvalidInput
        If something else is there.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        key = ECKey.generate_key(
            "P-256", {"use": "sig", "alg": "ES256", "kid": secrets.token_hex(8)}
        )
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(key.as_dict(private=True), file)
        try:
            os.link(fresh, path)  # of two at the same moment, one key wins whole
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    try:
        return ECKey.import_key(json.loads(path.read_text()))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput.single(
            "development issuer", f"{path} holds no key; remove it", str(path)
        ) from error


def key_set(path: Path) -> Mapping[str, Any]:
    """Give the public half, as other issuers publish theirs."""
    return {"keys": [key_at(path).as_dict(private=False)]}


def token(path: Path, subject: str, granted: Mapping[str, str], lasts: int = LASTS) -> str:
    """Give a token that grants rights by itself.

    Parameters
    ----------
    granted : mapping
        ``role`` and ``organisation``, and where needed ``clinic`` and ``patient``.
    lasts : int
        Seconds.
    """
    key, now = key_at(path), int(time.time())
    claims = {
        "iss": NAME,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": now,
        "nbf": now,
        "exp": now + lasts,
        "jti": secrets.token_hex(8),
        **granted,
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}, claims, key)
