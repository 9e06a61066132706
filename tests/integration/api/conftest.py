"""The API over a clinic in memory, with tokens that are the principal's name."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.world import ORGANISATION, World
from timevalg.api.app import make_app
from timevalg.model.errors import NotSignedOn
from timevalg.model.principal import Principal, RoleName
from timevalg.settings import Settings
from timevalg.store.memory import Memory


def sign_on(token, scheme, proof, request):
    """Believe ``role:name[:clinic]``; a patient's name is the patient."""
    role, _, rest = token.partition(":")
    name, _, clinic = rest.partition(":")
    if role not in set(RoleName) or not name:
        raise NotSignedOn("the token does not hold")
    patient = name if role in {"patient", "representative"} else None
    clinics = frozenset({clinic}) if clinic else None
    return Principal(name, RoleName(role), ORGANISATION, clinics, patient, "api")


class Caller:
    """A client that signs its requests as one principal."""

    def __init__(self, app, token):
        self._client = TestClient(app, raise_server_exceptions=False)
        self._token = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method, path, body=None, **headers):
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        return self._client.request(method, path, json=body, headers=self._token | named)

    def get(self, path, **headers):
        return self("GET", path, **headers)

    def post(self, path, body=None, version="*", key=None, **headers):
        if version is not None:
            headers["If_Match"] = version
        if key is not None:
            headers["Idempotency_Key"] = key
        return self("POST", path, {} if body is None else body, **headers)


@pytest.fixture
def world():
    return World(Memory)


@pytest.fixture(scope="session")
def made():
    """One application for many tests: to make it takes longer than most of them."""
    often = {f"TIMEVALG_RATE_BY_{who}": "999999/minute" for who in ("ADDRESS", "PRINCIPAL")}
    return make_app(World(Memory).ports, Settings.of(often), sign_on)


@pytest.fixture
def app(made, world):
    made.state.ports = world.ports
    return made


@pytest.fixture
def caller(app):
    return lambda token: Caller(app, token)


@pytest.fixture
def me(caller):
    return caller("patient:p-1")
