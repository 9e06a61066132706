"""Why a token is not believed."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from timevalg.model.errors import NotSignedOn

LARGEST = 16_384
"""Characters of a token or proof at most."""


class Refused(NotSignedOn):
    """The token or its proof does not hold."""


def peeked(token: str) -> dict[str, Any]:
    """Give a token's header, unverified: only to find out which key to check it with.

    Raises
    ------
    Refused
        If it is no signed token, or is too large.
    """
    if len(token) > LARGEST:
        raise Refused(f"the token is longer than {LARGEST} characters")
    head, _, rest = token.partition(".")
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused("the token cannot be read") from error
    if not isinstance(header, dict) or rest.count(".") != 1:
        raise Refused("the token cannot be read")
    return header
