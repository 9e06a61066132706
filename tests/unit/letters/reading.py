"""Reads a letter as a patient does: the words on the page, and the page's structure."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Collects elements and visible words; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self, *tags: str) -> list[str]:
        """Give the words directly in elements of some kinds, in order."""
        return [words for tag, words in self.texts if tag in tags]

    def pairs(self) -> dict[str, str]:
        """Give the labelled facts."""
        return dict(zip(self.words("dt"), self.words("dd"), strict=True))

    def visible(self) -> list[str]:
        """Give everything shown, in order."""
        return [words for tag, words in self.texts if tag not in ("style", "title")]


def flat(text: str) -> str:
    """Give plain text with its line breaks and indents undone."""
    return " ".join(text.split())
