"""What the claims of each kind of issuer mean: one row a kind.

Source: facts.md, "Identity numbers" (HelseID, ID-porten); RFC 9068 and RFC 9449 for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from timevalg.model.identity import Identity

HIGH = frozenset({"idporten-loa-high", "Level4", "4"})
"""The words of issuers for the highest level of assurance."""
GRANTED = ("role", "organisation", "clinic", "patient")
"""Claims of the development issuer that are rights in themselves."""


@dataclass(frozen=True)
class Profile:
    """How an issuer's claims are read.

    Attributes
    ----------
    fields : mapping
        Field of `Identity` → the claim that fills it.
    persons_level : frozenset of str
        A token of a person is believed only at one of these levels.
    granted : tuple of str
        Claims that are rights in themselves.
    bound : bool
        Whether the token must be bound to a key (DPoP).
    asserted : frozenset of str
        How its client may have shown the issuer who it is, where the token says how.
    """

    fields: Mapping[str, str]
    persons_level: frozenset[str] = frozenset()
    granted: tuple[str, ...] = ()
    bound: bool = False
    asserted: frozenset[str] = frozenset()

    def read(self, claims: Mapping[str, Any]) -> Identity:
        """Give the identity that valid claims speak of."""
        said = {field: _text(claims.get(claim)) for field, claim in self.fields.items()}
        return Identity(
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            granted={k: str(claims[k]) for k in self.granted if claims.get(k) is not None},
            **{field: value for field, value in said.items() if value is not None},
        )

    def is_sure(self, identity: Identity) -> bool:
        """Tell whether a person was recognised surely enough."""
        if identity.person is None or not self.persons_level:
            return True
        return identity.level in self.persons_level

    def is_asserted(self, claims: Mapping[str, Any]) -> bool:
        """Tell whether the client may have shown itself in this way (a secret can be copied)."""
        how = claims.get("client_amr")
        known = isinstance(how, str) and how in self.asserted
        return not self.asserted or how is None or known


PROFILES: Mapping[str, Profile] = {
    "development": Profile(fields={}, granted=GRANTED),
    "idporten": Profile(
        fields={"person": "pid", "client": "client_id", "level": "acr"}, persons_level=HIGH
    ),
    "helseid": Profile(
        fields={
            "person": "helseid://claims/identity/pid",
            "level": "helseid://claims/identity/security_level",
            "professional": "helseid://claims/hpr/hpr_number",
            "organisation": "helseid://claims/client/claims/orgnr_parent",
            "unit": "helseid://claims/client/claims/orgnr_child",
            "client": "client_id",
        },
        persons_level=HIGH,
        bound=True,
        asserted=frozenset({"private_key_jwt"}),  # a client assertion, RFC 7523
    ),
}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
