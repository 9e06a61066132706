"""Pages in order of time: a cursor names the last start and its pool."""

from __future__ import annotations

from datetime import UTC, datetime

from timevalg.model.errors import InvalidInput

FIRST = datetime.min.replace(tzinfo=UTC), ""
"""Before every start."""
_FORM = "%Y-%m-%dT%H:%M:%SZ"


def cursor_after(start: datetime, pool: str) -> str:
    """Give the cursor of the page that follows a start."""
    return f"{start.astimezone(UTC):{_FORM}} {pool}"


def since(cursor: str) -> tuple[datetime, str]:
    """Give the start and pool that a page follows; nothing for the first page.

    Raises
    ------
    InvalidInput
        If the cursor was not given here.
    """
    if not cursor:
        return FIRST
    start, _, pool = cursor.partition(" ")
    try:
        return datetime.strptime(start, _FORM).replace(tzinfo=UTC), pool
    except ValueError as error:
        raise InvalidInput.single("/query/cursor", "was not given here") from error
