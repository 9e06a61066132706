"""A token is believed if and only if everything about it holds."""

from __future__ import annotations

import base64
import hmac
import json

import pytest

from tests.unit.identity.signers import NOW, REQUEST, Signer, new_key
from timevalg.identity.profiles import PROFILES
from timevalg.identity.refusal import LARGEST, Refused
from timevalg.model.errors import Busy


def said_by(signer: Signer, token: str):
    return signer.tokens().identity(token, REQUEST)


def test_a_good_token_names_its_bearer():
    signer = Signer()
    identity = said_by(
        signer, signer.token(role="patient", organisation="999999999", patient="p-1")
    )
    assert (identity.issuer, identity.subject) == (signer.name, "s-1")
    assert identity.granted == {"role": "patient", "organisation": "999999999", "patient": "p-1"}


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 31},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": NOW + 31},
        {"iat": NOW + 31},
        {"aud": "another-service"},
        {"aud": ["one", "two"]},
        {"aud": None},
        {"iss": "https://stranger.example"},
        {"iss": None},
        {"sub": None},
    ],
    ids=lambda claims: "-".join(f"{k}={v}" for k, v in claims.items()),
)
def test_a_claim_that_does_not_hold_is_refused(claims):
    signer = Signer()
    assert said_by(signer, signer.token())
    with pytest.raises(Refused):
        said_by(signer, signer.token(**claims))


def test_clocks_may_differ_by_half_a_minute():
    signer = Signer()
    assert said_by(signer, signer.token(exp=NOW - 29, nbf=NOW + 29))


def unsigned(signer: Signer, algorithm: str) -> str:
    _, body, _ = signer.token().split(".")
    head = json.dumps({"alg": algorithm, "kid": "k-1"}).encode()
    return f"{base64.urlsafe_b64encode(head).decode().rstrip('=')}.{body}."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_refused(algorithm):
    signer = Signer()
    with pytest.raises(Refused):
        said_by(signer, unsigned(signer, algorithm))


def test_the_public_key_is_no_shared_secret():
    signer = Signer()
    public = signer.keys[0].as_bytes(encoding="PEM", private=False)
    signed = unsigned(signer, "HS256").rstrip(".")
    digest = hmac.digest(public, signed.encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    with pytest.raises(Refused):
        said_by(signer, f"{signed}.{signature}")


def test_a_swapped_key_is_refused():
    signer = Signer()
    with pytest.raises(Refused):
        said_by(signer, signer.token(key=new_key("k-1")))


def test_a_changed_claim_is_refused():
    signer = Signer()
    head, _, signature = signer.token(role="patient").split(".")
    _, other, _ = signer.token(role="planner").split(".")
    with pytest.raises(Refused):
        said_by(signer, f"{head}.{other}.{signature}")


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b", "a.b.c", "a.b.c.d", "....", "é.é.é", "e30.e30.e30", "bnVsbA.bnVsbA.x"],
)
def test_nonsense_is_refused(token):
    with pytest.raises(Refused):
        said_by(Signer(), token)


def test_a_huge_token_is_refused_unread():
    signer = Signer()
    with pytest.raises(Refused, match=str(LARGEST)):
        said_by(signer, signer.token(more="x" * LARGEST))
    deep = base64.urlsafe_b64encode(b"[" * 9000).decode()
    with pytest.raises(Refused):
        said_by(signer, f"{deep}.e30.x")


def test_a_token_must_name_its_key():
    signer = Signer()
    with pytest.raises(Refused):
        said_by(signer, signer.token(header={"kid": None}))


def test_a_new_key_is_fetched_once_it_is_used():
    signer = Signer()
    tokens = signer.tokens()
    tokens.identity(signer.token(), REQUEST)
    signer.clock.at += 60
    signer.keys.append(new_key("k-2"))
    assert tokens.identity(signer.token(), REQUEST).subject == "s-1"
    assert signer.asked == 2


def test_unknown_keys_do_not_make_us_ask_without_end():
    signer = Signer()
    tokens = signer.tokens()
    tokens.identity(signer.token(), REQUEST)
    signer.clock.at += 60
    for _ in range(20):
        with pytest.raises(Refused):
            tokens.identity(signer.token(key=new_key("stranger")), REQUEST)
    assert signer.asked == 2


def test_a_withdrawn_key_ends_with_the_cache():
    signer = Signer()
    tokens = signer.tokens()
    old = signer.token()
    tokens.identity(old, REQUEST)
    signer.keys[:] = [new_key("k-2")]
    signer.clock.at += 300
    assert tokens.identity(old, REQUEST)
    signer.clock.at += 301
    with pytest.raises(Refused):
        tokens.identity(signer.token(key=new_key("k-1")), REQUEST)


def test_an_issuer_that_does_not_answer_leaves_the_keys_as_they_were():
    signer = Signer()
    tokens = signer.tokens()
    tokens.identity(signer.token(), REQUEST)
    signer.answers = False
    signer.clock.at += 3600
    assert tokens.identity(signer.token(), REQUEST)


def test_without_any_key_the_issuer_is_said_to_be_busy():
    signer = Signer(answers=False)
    with pytest.raises(Busy):
        said_by(signer, signer.token())


@pytest.mark.parametrize(
    ("acr", "sure"),
    [("idporten-loa-high", True), ("idporten-loa-substantial", False), (None, False)],
)
def test_a_person_must_have_signed_on_at_the_highest_level(acr, sure):
    signer = Signer(profile="idporten")
    token = signer.token(pid="16822548834", acr=acr)
    if sure:
        identity = said_by(signer, token)
        assert identity.person == "16822548834"
        assert "16822548834" not in repr(identity)
    else:
        with pytest.raises(Refused, match="highest level") as refused:
            said_by(signer, token)
        assert "16822548834" not in str(refused.value)


@pytest.mark.parametrize(
    ("how", "helseid"),
    [(None, True), ("private_key_jwt", True), ("client_secret_post", False), (["x"], False)],
)
def test_a_client_of_helseid_signs_for_itself(how, helseid):
    claims = {} if how is None else {"client_amr": how}
    assert PROFILES["helseid"].is_asserted(claims) is helseid
    assert PROFILES["idporten"].is_asserted(claims)  # portals there may have secrets
