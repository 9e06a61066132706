"""A token bound to a key is worth nothing to whoever lacks the key."""

from __future__ import annotations

import pytest

from tests.unit.identity.signers import NOW, REQUEST, Signer, new_key, proof
from timevalg.identity.proof import Request
from timevalg.identity.refusal import Refused

PARENT = "helseid://claims/client/claims/orgnr_parent"


def bound(**claims):
    signer, key = Signer(profile="helseid"), new_key("mine")
    token = signer.token(
        **{"cnf": {"jkt": key.thumbprint()}, "client_id": "dips", PARENT: "999999999", **claims}
    )
    return signer, key, token


def test_a_proof_by_the_right_key_is_believed():
    signer, key, token = bound()
    identity = signer.tokens().identity(token, REQUEST, proof(key, token, NOW), scheme="dpop")
    assert (identity.organisation, identity.client) == ("999999999", "dips")


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("method", {"htm": "GET"}),
        ("address", {"htu": "https://elsewhere.example/v1/tasks/t-1/choose"}),
        ("address", {"htu": None}),
        ("address", {"htu": "http://["}),
        ("another token", {"ath": "x"}),
        ("too old", {"iat": NOW - 61}),
        ("too old", {"iat": NOW + 61}),
        ("too old", {"iat": None}),
        ("no name", {"jti": None}),
        ("no name", {"jti": "x" * 201}),
    ],
)
def test_a_proof_of_something_else_is_refused(what, more):
    signer, key, token = bound()
    with pytest.raises(Refused, match=what):
        signer.tokens().identity(token, REQUEST, proof(key, token, NOW, **more), scheme="dpop")


def shown_for(said, asked):
    signer, key, token = bound()
    request = Request("GET", f"https://clinic.example{asked}")
    shown = proof(key, token, NOW, htm="GET", htu=said)
    return signer.tokens().identity(token, request, shown, scheme="dpop")


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("https://clinic.example/v1/a%20b", "/v1/a%20b"),
        ("HTTPS://Clinic.example:443/v1/a%c3%a5", "/v1/a%C3%A5"),
        ("https://clinic.example:/%7Ekari?x=1#y", "/~kari"),
        ("https://clinic.example", "/"),
    ],
)
def test_one_address_may_be_written_in_several_ways(said, asked):
    assert shown_for(said, asked).client == "dips"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("https://clinic.example/v1/a", "/v1/a%3Fb/cancel"),
        ("https://clinic.example/v1/a/b", "/v1/a%2Fb"),
        ("https://clinic.example:80/v1/a", "/v1/a"),
        ("http://clinic.example/v1/a", "/v1/a"),
    ],
)
def test_addresses_that_differ_are_not_taken_for_one(said, asked):
    with pytest.raises(Refused, match="another address"):
        shown_for(said, asked)


def test_a_proof_by_another_key_is_refused():
    signer, _, token = bound()
    with pytest.raises(Refused, match="another key"):
        signer.tokens().identity(token, REQUEST, proof(new_key("thief"), token, NOW), scheme="dpop")


def test_a_proof_works_once():
    signer, key, token = bound()
    tokens, shown = signer.tokens(), proof(key, token, NOW)
    tokens.identity(token, REQUEST, shown, scheme="dpop")
    with pytest.raises(Refused, match="used before"):
        tokens.identity(token, REQUEST, shown, scheme="dpop")
    other = proof(key, token, NOW, jti="j-2")
    assert tokens.identity(token, REQUEST, other, scheme="dpop")


def test_query_and_fragment_do_not_count():
    signer, key, token = bound()
    request = Request(REQUEST.method, REQUEST.url + "?x=1#y")
    assert signer.tokens().identity(token, request, proof(key, token, NOW), scheme="dpop")


def test_a_bound_token_without_proof_is_refused():
    signer, key, token = bound()
    with pytest.raises(Refused, match="needs a proof"):
        signer.tokens().identity(token, REQUEST)
    with pytest.raises(Refused, match="needs a proof"):
        signer.tokens().identity(token, REQUEST, proof(key, token, NOW), scheme="bearer")


def test_an_issuer_that_binds_gives_no_loose_tokens():
    signer, key, token = bound(cnf=None)
    for shown, scheme in ((None, "bearer"), (proof(key, token, NOW), "dpop")):
        with pytest.raises(Refused, match="bound to no key"):
            signer.tokens().identity(token, REQUEST, shown, scheme=scheme)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt"},
        {"jwk": None},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": {"kty": "nonsense"}},
        {"jwk": new_key("x").as_dict(private=True)},
    ],
    ids=["type", "no key", "shared key", "nonsense", "private key"],
)
def test_a_proof_that_shows_no_public_key_is_refused(header):
    signer, key, token = bound()
    with pytest.raises(Refused):
        signer.tokens().identity(
            token, REQUEST, proof(key, token, NOW, header=header), scheme="dpop"
        )
