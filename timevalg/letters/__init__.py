"""Texts and documents: what the patient is told, as HTML and plain text."""

from timevalg.letters.render import Letters

__all__ = ["Letters"]
