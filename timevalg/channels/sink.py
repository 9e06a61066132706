"""The sink: letters go into a folder (or nowhere), where people can look at them."""

from __future__ import annotations

from pathlib import Path

from timevalg.model.records import Letter, Patient


class Sink:
    """Writes each letter as ``<id>.html`` and ``<id>.txt``; the same letter twice is one file."""

    name = "sink"
    deduplicates = True
    rate = 0

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def address(self, letter: Letter, patient: Patient) -> str | None:
        """Take every letter; a reminder in a folder reminds nobody."""
        return None if letter.kind == "reminder" else ""

    def send(self, effect: str, letter: Letter) -> str:
        """Write the letter's two files; the receipt is their name."""
        if self._folder is None:
            return "kept"
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{effect}.html").write_text(letter.html, encoding="utf-8")
        (self._folder / f"{effect}.txt").write_text(letter.text, encoding="utf-8")
        return f"{effect}.html"
