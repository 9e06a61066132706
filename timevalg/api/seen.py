"""The picture that a request's use case planned on, kept for telling its answer."""

from __future__ import annotations

from timevalg.booking.ports import Pictures, UnitOfWork
from timevalg.solver.picture import Picture


class Seen:
    """Pictures for one request; what it saw last need not be asked for again.

    Attributes
    ----------
    last : Picture or None
    """

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self.last: Picture | None = None

    def current(self, organisation: str) -> Picture:
        """Give the picture with every change committed before the call."""
        self.last = self._pictures.current(organisation)
        return self.last

    def within(self, unit: UnitOfWork) -> Picture:
        """Give the picture as a transaction sees it."""
        return self._pictures.within(unit)
