"""What a database's refusal means: one table from causes to errors of the domain.

A cause is the name of a constraint (as `tables` and the migrations name it), or one of the words
below for what has no constraint's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from timevalg.model.errors import Busy, Conflict, InvalidInput, TimeTaken
from timevalg.store.kinds import KINDS
from timevalg.store.tables import metadata

BUSY = "busy"
REPEAT = "repeat"
READ_ONLY = "read-only"
NOT_NULL = "not-null"
VALUE = "value"

NO_OVERLAP = "ex_claims_no_overlap"
APPEND_ONLY = "tr_audit_append_only"


class Repeat(Exception):
    """The database asks for the whole transaction again; nothing was changed."""


class ReadOnly(RuntimeError):
    """A unit of work that only reads was asked to write."""

    def __init__(self) -> None:
        super().__init__("this unit of work only reads: run it with write=True")


class AppendOnly(RuntimeError):
    """Somebody tried to change or delete what may only be added to."""

    def __init__(self) -> None:
        super().__init__("the audit log can only be added to")


def taken() -> TimeTaken:
    """Give the error of overlapping claims."""
    return TimeTaken("the time")


def _conflict(says: str) -> Callable[[], Exception]:
    return lambda: Conflict(says)


def _broken(name: str) -> Callable[[], Exception]:
    return lambda: InvalidInput.single(name, "the database refuses the value")


REFUSALS: Mapping[str, Callable[[], Exception]] = {
    BUSY: Busy,
    REPEAT: Repeat,
    READ_ONLY: ReadOnly,
    NO_OVERLAP: taken,
    APPEND_ONLY: AppendOnly,
    "fk_claims_sessions": _conflict("the session of these claims is gone"),
    NOT_NULL: _broken("a value that must be given"),
    VALUE: _broken("a value out of bounds"),
    "pk_claims": _conflict("there is already a claim of this session on this resource"),
    **{f"uq_{k.table}_organisation_id": _conflict(k.same_id) for k in KINDS if k.ordered},
    **{f"pk_{kind.table}": _conflict(kind.same_id) for kind in KINDS},
    **{unique.name(kind.table): _conflict(unique.says) for kind in KINDS for unique in kind.unique},
    **{
        str(check.name): _broken(str(check.name))
        for table in metadata.tables.values()
        for check in table.constraints
        if str(check.name).startswith("ck_")
    },
}


def refusal(cause: str) -> Exception | None:
    """Give the domain's error for a cause; None for one that nobody foresaw."""
    make = REFUSALS.get(cause)
    return None if make is None else make()
