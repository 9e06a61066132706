"""The stores behind the ports: SQLite and PostgreSQL (`Database`), and plain dicts (`Memory`)."""

from __future__ import annotations

from timevalg.store.clock import SetClock
from timevalg.store.database import Database
from timevalg.store.memory import Memory

__all__ = ["Database", "Memory", "SetClock"]
