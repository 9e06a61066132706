"""Text in several languages: bokmål (nb), nynorsk (nn), North Sami (se), English (en)."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("nb", "nn", "se", "en")
_NEAREST = {
    "nb": ("nb", "nn", "en", "se"),
    "nn": ("nn", "nb", "en", "se"),
    "se": ("se", "nb", "nn", "en"),
    "en": ("en", "nb", "nn", "se"),
}


@dataclass(frozen=True)
class Text:
    """A name or sentence, as pairs of language and words.

    A plain string is one pair with the empty language and serves everybody.
    """

    words: tuple[tuple[str, str], ...]

    @classmethod
    def plain(cls, words: str) -> Text:
        """Make a text that reads the same in every language."""
        return cls((("", words),))

    def to(self, language: str) -> str:
        """Give the words in the language, or in the nearest one there is."""
        known = dict(self.words)
        for candidate in (*_NEAREST.get(language, _NEAREST["nb"]), ""):
            if candidate in known:
                return known[candidate]
        return self.words[0][1]

    def __str__(self) -> str:
        return self.to("nb")
