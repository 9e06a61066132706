"""Letters on paper: a folder from which a printing house takes them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from timevalg.model.records import Letter, Patient


@dataclass(frozen=True)
class Spool:
    """Writes each letter as one whole file ``<effect>.html``; the same effect is the same file."""

    folder: Path
    name: str = "print"
    deduplicates: bool = True
    rate: int = 0

    def address(self, letter: Letter, patient: Patient) -> str | None:
        """Take every letter, but no reminder: it would come too late."""
        return None if letter.kind == "reminder" else ""

    def send(self, effect: str, letter: Letter) -> str:
        """Write the file under another name first, so that nobody prints half of it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        done = self.folder / f"{effect}.html"
        half = self.folder / f".{effect}.{os.getpid()}"
        with half.open("w", encoding="utf-8") as file:
            file.write(letter.html)
            file.flush()
            os.fsync(file.fileno())
        half.replace(done)
        return done.name
