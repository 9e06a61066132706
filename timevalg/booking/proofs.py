"""Proofs of possession that were used: noted in the database, so that every process knows of them.

A proof lets in once. One process alone could remember; several that answer at one address cannot.
They stand among the answers to idempotency keys, of no organisation, for some minutes.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from timevalg.booking.unit_of_work import Store, UnitOfWork
from timevalg.model.errors import Conflict
from timevalg.model.records import Answer

NOBODY = ""
"""The organisation of what is noted before anybody is signed on."""
KEPT = timedelta(minutes=10)
"""How long a proof is noted: well beyond the time in which it could be used."""
VERB = "use proof"


class Proofs:
    """Knows the proofs that were used, at whichever process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def is_new(self, thumbprint: str, name: str) -> bool:
        """Tell whether this proof is seen for the first time, and note it."""
        key = hashlib.sha256(f"{thumbprint} {name}".encode()).hexdigest()

        def note(unit: UnitOfWork) -> bool:
            if unit.answers.find(id=key):
                return False
            now = unit.now()
            unit.answers.add(Answer(key, NOBODY, VERB, "", "", now))
            if key.startswith("00"):  # now and then
                unit.answers.forget(now - KEPT)
            return True

        try:
            return self._store.run(NOBODY, note)
        except Conflict:
            return False  # another process noted it at this moment
