"""The development issuer: one key of this user's, read by nobody else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.identity.signers import REQUEST
from timevalg.identity import development
from timevalg.identity.keysets import KeySets
from timevalg.identity.tokens import Tokens
from timevalg.model.errors import InvalidInput


def test_its_tokens_grant_what_they_say(tmp_path):
    path = tmp_path / "state" / "key.json"
    granted = {"role": "planner", "organisation": "999999999", "clinic": "gastro"}
    token = development.token(path, "anna", granted)
    tokens = Tokens([development.issuer(path)], KeySets(lambda url: development.key_set(path)))
    assert tokens.identity(token, REQUEST).granted == granted


def test_the_key_is_kept_and_secret(tmp_path):
    path = tmp_path / "key.json"
    first = development.key_at(path)
    assert development.key_at(path).thumbprint() == first.thumbprint()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "d" not in development.key_set(path)["keys"][0]


def test_of_many_at_the_same_moment_one_key_wins(tmp_path):
    path = tmp_path / "key.json"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: development.key_at(path).thumbprint(), range(16)))
    assert len(set(keys)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["key.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"kty": "oct"}', "nonsense"])
def test_something_else_in_its_place_is_named(tmp_path, content):
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match=r"key\.json holds no key; remove it"):
        development.key_at(path)
