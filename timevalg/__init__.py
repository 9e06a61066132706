"""timevalg: patients choose their own hospital appointments, and nobody is left without a time.

Importing this loads no database, solver or web library; each name is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from timevalg.booking.sync import CalendarRow
    from timevalg.library import Timevalg
    from timevalg.model.errors import TimevalgError
    from timevalg.solver.wishes import Wishes

__version__ = "0.1.0"
__all__ = ["CalendarRow", "Timevalg", "TimevalgError", "Wishes", "__version__"]

_HOMES = {
    "CalendarRow": "timevalg.booking.sync",
    "Timevalg": "timevalg.library",
    "TimevalgError": "timevalg.model.errors",
    "Wishes": "timevalg.solver.wishes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'timevalg' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
