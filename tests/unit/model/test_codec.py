"""What is kept and what is told apart: a text keeps every field, a digest those that compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest

from timevalg.model import codec


@dataclass(frozen=True)
class Note:
    """A value with a field that does not make it another."""

    text: str
    where: str = field(default="", compare=False)


def test_a_text_keeps_what_a_digest_leaves_out():
    here, there = Note("a", "here"), Note("a", "there")
    assert here == there
    assert codec.digest([here]) == codec.digest([there]) != codec.digest([Note("b", "here")])
    assert codec.load(list[Note], codec.dump([there]))[0].where == "there"


def test_a_digest_goes_neither_by_order_nor_by_zone():
    at = datetime(2027, 1, 4, 8, tzinfo=UTC)
    same = at.astimezone(timezone(timedelta(hours=1)))
    assert codec.digest({"a": at, "b": {"x", "y"}}) == codec.digest({"b": {"y", "x"}, "a": same})


def test_what_is_no_number_has_a_digest_and_no_text():
    assert codec.digest({"max": float("nan")})
    with pytest.raises(ValueError, match="JSON"):
        codec.dump({"max": float("nan")})
