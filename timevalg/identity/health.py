"""Do the trusted issuers show their keys?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from timevalg.identity.keysets import Fetch, fetched
from timevalg.model.soundness import Finding


def health(issuers: Iterable[Mapping[str, str]], fetch: Fetch = fetched) -> list[Finding]:
    """Fetch the key set of each issuer; a finding for one that cannot be used."""
    findings = []
    for issuer in issuers:
        try:
            keys = KeySet.import_key_set(dict(fetch(issuer["keys"]))).keys  # type: ignore[arg-type]  # checked while it is imported
            why = "" if keys else "it is empty"
        except (httpx2.HTTPError, ValueError, TypeError, KeyError, JoseError) as error:
            why = type(error).__name__
        if why:
            what = f"no key set of {issuer['issuer']} at {issuer['keys']}: {why}"
            findings.append(Finding("keys", what, "mend TIMEVALG_ISSUERS, or the way there"))
    return findings
