"""Serve the API: what development takes for granted, and what production refuses."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from timevalg import logs
from timevalg.api import tracing
from timevalg.api.sockets import bound
from timevalg.booking import sign_on as booking
from timevalg.booking.ports import Ports
from timevalg.booking.proofs import Proofs
from timevalg.identity import development
from timevalg.identity.keysets import KeySets, fetched
from timevalg.identity.profiles import PROFILES
from timevalg.identity.proof import Request
from timevalg.identity.tokens import Issuer, Tokens
from timevalg.model.errors import InvalidInput
from timevalg.model.identity import Asking
from timevalg.model.principal import Principal
from timevalg.settings import Settings
from timevalg.solver.memory import keep_for_good
from timevalg.store.migrate import current, head, upgrade
from timevalg.wiring import open_ports

if TYPE_CHECKING:
    from fastapi import FastAPI

    from timevalg.api.gate import SignOn

_log = structlog.get_logger("timevalg.api")
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
    from timevalg.api.app import make_app  # a second's work that who only starts others is spared

    url = settings.required("DATABASE_URL")
    if settings.is_development and url.startswith("sqlite"):
        upgrade(url)
    letters = Path(settings["LETTERS"]) if settings["LETTERS"] else None
    trusted(settings)
    stop_tracing = tracing.start(settings["TRACES"])
    ports = open_ports(url, letters_folder=letters)

    def ending() -> None:
        ports.store.close()
        stop_tracing()

    checks = {"the database is up to date": UpToDate(url)}
    app = make_app(ports, settings, signing_on(settings, ports), checks=checks, ending=ending)
    _warm(ports)
    return app


def _warm(ports: Ports) -> None:
    """Read every organisation before the first request has to wait for it."""
    try:
        for organisation in ports.store.organisations():
            ports.pictures.current(organisation)
    except Exception as error:  # a database that is away, or behind: readiness goes by that
        _log.warning("not read ahead", error=type(error).__name__)
    keep_for_good()


class UpToDate:
    """Asks whether a database has the newest tables; once it has, it is not asked again."""

    def __init__(self, url: str) -> None:
        self._url, self._is_so = url, False

    def __call__(self) -> bool:
        """Tell whether ``timevalg db upgrade`` has been run."""
        self._is_so = self._is_so or current(self._url) == head()
        return self._is_so


def from_environment() -> FastAPI:
    """Put the application together in a process of its own."""
    logs.configure()
    return application(Settings.of(os.environ))


def trusted(settings: Settings) -> list[Issuer]:
    """Give the issuers whose tokens count; the development issuer does in development only.

    Raises
    ------
    InvalidInput
        If an issuer's profile is none, or production trusts nobody or has no key for pseudonyms.
    """
    issuers = [
        Issuer(i["issuer"], i["audience"], i["keys"], i["profile"]) for i in settings.issuers
    ]
    known = PROFILES.keys() - {"development"}  # its tokens are rights in themselves
    for issuer in issuers:
        if issuer.profile not in known:
            raise InvalidInput.single(
                "TIMEVALG_ISSUERS",
                f"{issuer.profile!r} is no profile; there are {', '.join(sorted(known))}",
                "environment",
            )
    if settings.is_development:
        return [*issuers, development.issuer(development.path_of(settings["DEVELOPMENT_KEY"]))]
    if not issuers:
        raise InvalidInput.single(
            "TIMEVALG_ISSUERS", "is not set; production trusts nobody by itself", "environment"
        )
    settings.required("SEARCH_KEY")  # nobody shall find out numbers by trying all there are
    return issuers


def signing_on(settings: Settings, ports: Ports) -> SignOn:
    """Give what turns tokens into principals.

    Raises
    ------
    InvalidInput
        If production trusts nobody.
    """
    own = development.path_of(settings["DEVELOPMENT_KEY"])

    def fetch(url: str) -> Mapping[str, Any]:
        return development.key_set(own) if url == own.as_uri() else fetched(url)

    tokens = Tokens(trusted(settings), KeySets(fetch), replays=Proofs(ports.store))

    def sign_on(token: str, scheme: str, proof: str | None, request: Request) -> Principal:
        identity = tokens.identity(token, request, proof, scheme=scheme)
        asking = Asking(settings["ORGANISATION"], request.role, request.patient)
        return booking.sign_on(ports, identity, "api", asking)

    return sign_on


def options(settings: Settings) -> dict[str, Any]:
    """Give what uvicorn is told: whose word counts on who asked, what it logs and waits for."""
    return {
        "proxy_headers": bool(settings["PROXIES"]),
        "forwarded_allow_ips": settings["PROXIES"],
        "access_log": False,
        "log_config": None,  # timevalg's own
        "server_header": False,
        "timeout_graceful_shutdown": GRACE,
        "timeout_keep_alive": 15,
        "h11_max_incomplete_event_size": 32_768,
    }


def serve(settings: Settings, host: str, port: int, processes: int = 1) -> None:
    """Serve until SIGTERM or SIGINT; what has begun then may end.

    Parameters
    ----------
    processes : int
        How many answer at this port; with more than one the settings are those of the environment.

    Raises
    ------
    InvalidInput
        If development is to listen to other machines, or others listen at the port.
    """
    if settings.is_development and host not in LOOPBACK:
        raise InvalidInput.single(
            "--host", f"{host} is not this machine alone; set TIMEVALG_MODE=production for that"
        )
    settings.required("DATABASE_URL")
    trusted(settings)  # what is wrong is said here, not by each process
    logs.configure()
    how = {"host": host, "port": port, **options(settings)}
    with bound(host, port) as listening:
        if processes == 1:
            listening.close()
            uvicorn.run(application(settings), **how)
            return
        with tempfile.TemporaryDirectory(prefix="timevalg-metrics-") as folder:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            config = uvicorn.Config(
                f"{__name__}:{from_environment.__name__}",
                factory=True,
                workers=processes,
                timeout_worker_healthcheck=60,  # a busy one is not a dead one
                **how,
            )
            Multiprocess(config, [listening]).run()
