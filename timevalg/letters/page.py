"""A letter as parts: what both the HTML and the plain text are made of, so they say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Paragraph:
    """Words."""

    words: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Items:
    """A list; `ordered` if its order matters."""

    items: tuple[str, ...]
    ordered: bool = False
    kind: ClassVar[str] = "items"


@dataclass(frozen=True)
class Fields:
    """Facts with their labels; the first is what the letter is about."""

    rows: tuple[tuple[str, str], ...]
    kind: ClassVar[str] = "fields"


@dataclass(frozen=True)
class Table:
    """Rows under a caption; the first cell names its row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kind: ClassVar[str] = "table"


Block = Paragraph | Items | Fields | Table


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """One letter.

    Attributes
    ----------
    language : str
        The one it is written in, which may not be the one asked for.
    sender : str
        The clinic.
    to, dated : str
        May be empty.
    """

    language: str
    subject: str
    sender: str
    to: str
    dated: str
    title: str
    hello: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    regards: str
