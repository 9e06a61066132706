"""What is set from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from timevalg.model.errors import InvalidInput
from timevalg.settings import Settings, table

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_docs_show_the_table():
    assert table() in DOCS.read_text()


def test_nothing_need_be_set():
    settings = Settings.of({})
    assert settings.is_development
    assert settings.origins == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODE", "prod"),
        ("ISSUERS", "x"),
        ("ISSUERS", "{}"),
        ("ISSUERS", '[{"issuer": "x"}]'),
        ("BODY_LIMIT", "0"),
        ("BODY_LIMIT", "-1"),
        ("PATIENCE", "long"),
    ],
)
def test_what_cannot_be_used_is_named(name, value):
    with pytest.raises(InvalidInput, match=f"TIMEVALG_{name}"):
        Settings.of({f"TIMEVALG_{name}": value})


def test_what_is_needed_is_named():
    with pytest.raises(InvalidInput, match="TIMEVALG_DATABASE_URL"):
        Settings.of({}).required("DATABASE_URL")
