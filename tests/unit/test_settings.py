"""What is set from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from timevalg.model.errors import InvalidInput
from timevalg.settings import PREFIX, SETTINGS, Settings, table

ROOT = Path(__file__).parents[2]
FOLDERS = ("timevalg", "workers", "migrations")
NAME = re.compile(r"TIMEVALG_[A-Z_]+")
DOCS = ROOT / "docs" / "settings.md"


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
        ("THREADS", "٣"),
        ("RATE_BY_ADDRESS", "often"),
        ("RATE_BY_ADDRESS", "0/minute"),
        ("RATE_BY_PRINCIPAL", ""),
        ("REDIS_URL", "localhost"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://portal.example/page"),
        ("SIGN_ON", "https://id.example/"),
        ("SIGN_ON", "javascript:{}"),
        ("TRACES", "collector:4318"),
    ],
)
def test_what_cannot_be_used_is_named(name, value):
    with pytest.raises(InvalidInput, match=f"TIMEVALG_{name}"):
        Settings.of({f"TIMEVALG_{name}": value})


def test_what_cannot_be_used_is_not_repeated():
    """It may hold a password."""
    with pytest.raises(InvalidInput) as caught:
        Settings.of({"TIMEVALG_REDIS_URL": "reddis://:secret@host"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_BY_ADDRESS", "5/second"),
        ("REDIS_URL", "rediss://:secret@host:6380/1"),
        ("CORS_ORIGINS", "https://portal.example, http://localhost:3000"),
        ("SIGN_ON", "https://id.example/?return_to={}"),
    ],
)
def test_what_can_be_used_is(name, value):
    assert Settings.of({f"TIMEVALG_{name}": value})[name] == value


def test_every_name_that_the_program_speaks_of_is_in_the_table():
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    spoken_of = {name for path in files for name in NAME.findall(path.read_text())}
    assert spoken_of == {PREFIX + setting.name for setting in SETTINGS} & spoken_of
    assert len(spoken_of) > 10


def test_what_is_needed_is_named():
    with pytest.raises(InvalidInput, match="TIMEVALG_DATABASE_URL"):
        Settings.of({}).required("DATABASE_URL")
