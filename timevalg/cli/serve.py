"""``timevalg serve`` and ``timevalg token``."""

from __future__ import annotations

import os

import typer

from timevalg.model.errors import InvalidInput
from timevalg.model.principal import PERSONAL, RoleName
from timevalg.settings import Settings


def serve(host: str, port: int, processes: int) -> None:
    """Serve the API as the environment says."""
    try:
        from timevalg.api import serving
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    serving.serve(Settings.of(os.environ), host, port, processes)


def token(role: str, organisation: str, clinic: str | None, patient: str | None, name: str) -> None:
    """Print a token of the development issuer.

    Raises
    ------
    InvalidInput
        In production, and where the right would not do.
    """
    try:
        from timevalg.booking.sign_on import INNER, granted
        from timevalg.identity import development
        from timevalg.model.identity import Identity
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    settings = Settings.of(os.environ)
    if not settings.is_development:
        raise InvalidInput.single(
            "TIMEVALG_MODE", "production believes no development token", "environment"
        )
    roles = [one for one in RoleName if one not in INNER]
    if role not in roles:
        unknown = f"{role!r} is no role; there are {', '.join(roles)}"
        raise InvalidInput.single("--role", unknown, "command line")
    if not organisation:
        raise InvalidInput.single("--organisation", "is empty; give its number", "command line")
    if role in PERSONAL and not patient:
        needed = f"a {role} acts for one patient; say for whom"
        raise InvalidInput.single("--patient", needed, "command line")
    said = {"role": role, "organisation": organisation, "clinic": clinic, "patient": patient}
    right = {key: value for key, value in said.items() if value is not None}
    who = name or patient or role
    granted(Identity(development.NAME, who, granted=right), "api")
    path = development.path_of(settings["DEVELOPMENT_KEY"])
    typer.echo(development.token(path, who, right))


def _missing(error: ModuleNotFoundError) -> InvalidInput:
    return InvalidInput.single(
        "api", f"{error.name} is missing; pip install 'timevalg[api]'", "command line"
    )
