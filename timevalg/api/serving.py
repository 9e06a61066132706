"""Serve the API: what development takes for granted, and what production refuses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from timevalg import logs
from timevalg.api.app import make_app
from timevalg.api.gate import SignOn
from timevalg.booking import sign_on as booking
from timevalg.booking.ports import Ports
from timevalg.identity import development
from timevalg.identity.keysets import KeySets, fetched
from timevalg.identity.proof import Request
from timevalg.identity.tokens import Issuer, Tokens
from timevalg.model.errors import InvalidInput
from timevalg.model.identity import Asking
from timevalg.model.principal import Principal
from timevalg.settings import Settings
from timevalg.store.migrate import upgrade
from timevalg.wiring import open_ports

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
GRACE = 10
"""Seconds that requests have to end in when the server stops."""


def application(settings: Settings) -> FastAPI:
    """Put the application together as the settings say.

    Raises
    ------
    InvalidInput
        If a setting is missing or cannot be used.
    """
    url = settings.required("DATABASE_URL")
    if settings.is_development and url.startswith("sqlite"):
        upgrade(url)
    letters = Path(settings["LETTERS"]) if settings["LETTERS"] else None
    ports = open_ports(url, letters_folder=letters)
    return make_app(ports, settings, signing_on(settings, ports))


def signing_on(settings: Settings, ports: Ports) -> SignOn:
    """Give what turns tokens into principals; the development issuer counts in development only.

    Raises
    ------
    InvalidInput
        If production trusts nobody.
    """
    issuers = [
        Issuer(i["issuer"], i["audience"], i["keys"], i["profile"]) for i in settings.issuers
    ]
    if not settings.is_development and not issuers:
        raise InvalidInput.single(
            "TIMEVALG_ISSUERS", "is not set; production trusts nobody by itself", "environment"
        )
    if not settings.is_development:
        settings.required("SEARCH_KEY")  # nobody shall find out numbers by trying all there are
    own = development.path_of(settings["DEVELOPMENT_KEY"])
    if settings.is_development:
        issuers.append(development.issuer(own))

    def fetch(url: str) -> Mapping[str, Any]:
        return development.key_set(own) if url == own.as_uri() else fetched(url)

    tokens = Tokens(issuers, KeySets(fetch))

    def sign_on(token: str, scheme: str, proof: str | None, request: Request) -> Principal:
        identity = tokens.identity(token, request, proof, scheme=scheme)
        asking = Asking(settings["ORGANISATION"], request.role, request.patient)
        return booking.sign_on(ports, identity, "api", asking)

    return sign_on


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what has begun then may end.

    Raises
    ------
    InvalidInput
        If development is to listen to other machines.
    """
    if settings.is_development and host not in LOOPBACK:
        raise InvalidInput.single(
            "--host", f"{host} is not this machine alone; set TIMEVALG_MODE=production for that"
        )
    logs.configure()
    uvicorn.run(
        application(settings),
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # timevalg's own
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=32_768,
    )
