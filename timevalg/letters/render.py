"""From facts to a finished letter."""

from __future__ import annotations

import textwrap
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from timevalg.letters.kinds import compose
from timevalg.letters.wording import GLUE, Wording, nearest
from timevalg.model.letter import Document, LetterFacts

WIDTH = 72
"""Columns of the plain text."""


def render(kind: str, facts: LetterFacts) -> Document:
    """Write a letter in the patient's language, or in the nearest one there is.

    Parameters
    ----------
    kind : str
        ``choice`` | ``appointment`` | ``change`` | ``cancellation`` | ``reminder``.
    facts : LetterFacts
        What it shows.

    Raises
    ------
    ValueError
        If there is no such kind, or the facts lack what it is about.
    """
    page = compose(kind, facts, Wording(nearest(facts.language), facts.zone))
    html = _template("letter.html.j2").render(page=page)
    text = _template("letter.txt.j2").render(page=page)
    return Document(_unglued(page.subject), _unglued(html), _unglued(text).rstrip() + "\n")


class Letters:
    """The typesetter that `booking` asks for: `render` as a port."""

    def render(self, kind: str, facts: LetterFacts) -> Document:
        """Write a letter; see `timevalg.letters.render.render`."""
        return render(kind, facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("timevalg.letters", "templates"),
        autoescape=lambda name: name is None or name.endswith(".html.j2"),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = wrap
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)


def _unglued(words: str) -> str:
    return words.replace(GLUE, " ")


def wrap(words: str, first: str = "", rest: str | None = None) -> str:
    """Wrap words to `WIDTH` columns; a date or a long word is never broken.

    Parameters
    ----------
    first, rest : str
        What begins the first line, and the others (default: as many spaces).
    """
    return textwrap.fill(
        words,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
