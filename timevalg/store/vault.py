"""Personal data as it is kept: sealed field by field, where keys are given.

A sealed text says with which key (``timevalg-sealed:KEY:…``), so keys rotate: the first is written
with, all are read with. It is bound to its table and column. AES-256-GCM, a random nonce for each.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from timevalg.model.errors import InvalidInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "timevalg-sealed:"
_NONCE = 12
_SETTING = "TIMEVALG_DATA_KEYS"


class DataKeys(Protocol):
    """Where the keys of personal data come from: the environment, or a key management system."""

    @property
    def names(self) -> Sequence[str]:
        """Every key there is, that to write with first; none: nothing is sealed."""
        ...

    def key(self, name: str) -> bytes:
        """Give the 32 bytes of a key; asked once for each key and process."""
        ...


class KeysInText:
    """Keys as they stand in a setting: ``name:base64, name:base64``, the newest first.

    Raises
    ------
    InvalidInput
        If a name or a key is none; the message repeats no key.
    """

    def __init__(self, text: str) -> None:
        pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
        self._keys = {name: _decoded(key) for name, _, key in pairs}
        if len(self._keys) < len(pairs) or not all(n.isalnum() and n.isascii() for n in self._keys):
            raise _wrong("give each key a name of letters and digits, and each name once")

    @property
    def names(self) -> Sequence[str]:
        """Every name, in order."""
        return tuple(self._keys)

    def key(self, name: str) -> bytes:
        """Give a key."""
        return self._keys[name]


class Vault:
    """Seals and opens texts."""

    def __init__(self, keys: DataKeys) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError as error:
            why = f"{error.name} is missing; pip install 'timevalg[encryption]'"
            raise InvalidInput.single(_SETTING, why, "environment") from error
        self.names = tuple(keys.names)
        self._ciphers: Mapping[str, AESGCM] = {n: AESGCM(keys.key(n)) for n in self.names}

    def seal(self, text: str, place: str) -> str:
        """Give a text sealed with the newest key, for a place (``table.column``)."""
        nonce, name = secrets.token_bytes(_NONCE), self.names[0]
        sealed = self._ciphers[name].encrypt(nonce, text.encode(), place.encode())
        return f"{PREFIX}{name}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Give the text again.

        Raises
        ------
        InvalidInput
            If its key is not there, or it is not what was sealed for this place.
        """
        from cryptography.exceptions import InvalidTag

        name, _, kept = sealed.removeprefix(PREFIX).partition(":")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise _wrong(f"{place} was sealed with the key {name!r}, which is not there")
        try:
            data = base64.b64decode(kept, validate=True)
            return cipher.decrypt(data[:_NONCE], data[_NONCE:], place.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise _wrong(f"{place} does not open: it is not as it was sealed") from error

    def is_newest(self, text: str) -> bool:
        """Tell whether a text as it is kept need not be sealed anew."""
        return not text or text.startswith(f"{PREFIX}{self.names[0]}:")


def vault_of(keys: DataKeys | None) -> Vault | None:
    """Give the vault of some keys; None where there are none."""
    return Vault(keys) if keys is not None and keys.names else None


def new_key(name: str) -> str:
    """Give a new key as it stands in the setting."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def kept(value: str, place: str, dialect: Any) -> str:
    """Give a text as the database of a dialect keeps it.

    Raises
    ------
    InvalidInput
        If nothing is sealed there, and it looks as if it were.
    """
    vault: Vault | None = getattr(dialect, "timevalg_vault", None)
    if vault is not None and value:
        return vault.seal(value, place)
    if value.startswith(PREFIX):
        raise InvalidInput.single("text", f"{PREFIX!r} is no beginning of a text")
    return value


def read(value: str, place: str, dialect: Any) -> str:
    """Give a text that the database of a dialect kept; one from before there were keys as it is.

    Raises
    ------
    InvalidInput
        If it cannot be opened.
    """
    if not value.startswith(PREFIX):
        return value
    vault: Vault | None = getattr(dialect, "timevalg_vault", None)
    if vault is None:
        raise _wrong(f"{place} is sealed, and no keys are given")
    return vault.open(value, place)


def _decoded(key: str) -> bytes:
    try:
        found = base64.b64decode(key.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != 32:
        raise _wrong("a key is 32 bytes in base64: timevalg db key NAME makes one")
    return found


def _wrong(why: str) -> InvalidInput:
    return InvalidInput.single(_SETTING, why, "environment")
