"""Everything that is set from outside: one table, read from the environment.

``docs/settings.md`` shows the same table; a test compares the two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from timevalg.model.errors import InvalidInput


class Mode(StrEnum):
    """How much is taken for granted."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


@dataclass(frozen=True)
class Setting:
    """One variable.

    Attributes
    ----------
    name : str
        Without ``TIMEVALG_``.
    shape : str
        Regular expression of what it may be set to, beside its default.
    wanted : str
        The same in words.
    """

    name: str
    default: str
    meaning: str
    shape: str = r"(?s:.*)"
    wanted: str = ""


_NUMBER = (r"0*[1-9][0-9]*", "a whole number above 0")
_RATE = (
    r"0*[1-9][0-9]*/(second|minute|hour|day)",
    "so many a second, minute, hour or day: 600/minute",
)
_ORIGIN = r"https?://[^\s,/]+"
_NETWORK = r"[0-9a-fA-F.:]+(/[0-9]{1,3})?"


SETTINGS: tuple[Setting, ...] = (
    Setting("DATABASE_URL", "", "Where everything is kept: `sqlite:///file.db`, `postgresql://…`."),
    Setting(
        "MODE",
        "development",
        "`development` or `production`; the latter must be set.",
        "|".join(Mode),
        " or ".join(Mode),
    ),
    Setting(
        "ISSUERS",
        "[]",
        "Whose tokens count, as JSON: `[{issuer, audience, keys, profile}]`; "
        "profiles are `idporten` and `helseid`.",
    ),
    Setting("ORGANISATION", "", "The organisation of people whose tokens name none."),
    Setting(
        "DATA_KEYS",
        "",
        "What personal data are sealed with: `name:key,…`, the newest first (`timevalg db key`).",
    ),
    Setting(
        "RETENTION",
        "",
        "Other lengths for `timevalg purge`, in days: `unused=180,record=3653`.",
    ),
    Setting("SEARCH_KEY", "", "Secret by which persons are found by identity number; keep it."),
    Setting(
        "REDIS_URL",
        "",
        "The broker between several workers, and where requests are counted for all processes of "
        "the API; none: one process, and each counts by itself.",
        r"(rediss?|unix)://\S+",
        "an address, as redis://host:6379/0",
    ),
    Setting("LETTERS", "", "Folder into which letters go that no other way takes."),
    Setting("SMTP", "", "`smtp[s]://[user:password@]host[:port]?from=…&rate=…&deduplicates=yes`."),
    Setting("SMS", "", "Gateway for reminders by SMS: `https://…?rate=…&deduplicates=yes`."),
    Setting("SMS_TOKEN", "", "Bearer token of that gateway."),
    Setting("PRINT", "", "Folder from which a printing house takes letters."),
    Setting("WATCH", "", "`[HOST:]PORT` where a worker tells its metrics, health and readiness."),
    Setting(
        "TRACES",
        "",
        "Where spans go, by OTLP: `http://collector:4318/v1/traces`; none: nowhere.",
        r"https?://\S+",
        "an address, as http://collector:4318/v1/traces",
    ),
    Setting(
        "BODY_LIMIT",
        "4000000",
        "Bytes of a request's body at most; 10,000 invitations as JSON take up to that.",
        *_NUMBER,
    ),
    Setting("RATE_BY_PRINCIPAL", "600/minute", "Requests of one principal.", *_RATE),
    Setting("RATE_BY_ADDRESS", "3000/minute", "Requests from one address.", *_RATE),
    Setting(
        "THREADS",
        "16",
        "Requests that each process works on at a time; others wait their turn.",
        *_NUMBER,
    ),
    Setting("PATIENCE", "30", "Seconds after which a request is answered with 504.", *_NUMBER),
    Setting(
        "CORS_ORIGINS",
        "",
        "Web pages that may call, by origin, separated by commas; none.",
        rf"{_ORIGIN}(\s*,\s*{_ORIGIN})*",
        "origins, as https://portal.example",
    ),
    Setting(
        "PROXIES",
        "",
        "Proxies before the API, by address or network, separated by commas: whose "
        "`X-Forwarded-For` and `-Proto` say who asked, and by `https`; none.",
        rf"{_NETWORK}(\s*,\s*{_NETWORK})*",
        "addresses, as 10.0.0.1 or 10.0.0.0/8",
    ),
    Setting(
        "SIGN_ON",
        "",
        "Where people sign on: `https://…?return_to={}`; `{}` is replaced by the address to come "
        "back to.",
        r"https?://\S*\{\}\S*",
        "an address with {} in it",
    ),
    Setting("DEVELOPMENT_KEY", "", "File of the development issuer's key; default one per user."),
)
PREFIX = "TIMEVALG_"


@dataclass(frozen=True)
class Settings:
    """What was set, by name.

    Parameters
    ----------
    values : mapping
        Name → text, without the prefix; a name that is missing has its default.
    """

    values: Mapping[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Read an environment.

        Raises
        ------
        InvalidInput
            Naming the first that cannot be used, without its value, which may be secret.
        """
        found = {s.name: environment.get(PREFIX + s.name, s.default) for s in SETTINGS}
        for setting in SETTINGS:
            value = found[setting.name]
            if value != setting.default and not re.fullmatch(setting.shape, value):
                raise _wrong(setting.name, setting.wanted)
        settings = cls(found)
        settings.issuers  # noqa: B018 - checks itself
        return settings

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def mode(self) -> Mode:
        """Development or production."""
        return Mode(self["MODE"])

    @property
    def is_development(self) -> bool:
        """Whether anything is taken for granted."""
        return self.mode is Mode.DEVELOPMENT

    @property
    def issuers(self) -> tuple[Mapping[str, str], ...]:
        """The trusted issuers, one mapping each."""
        try:
            rows = json.loads(self["ISSUERS"])
            wanted = {"issuer", "audience", "keys", "profile"}
            if not isinstance(rows, list) or any(set(row) != wanted for row in rows):
                raise ValueError
        except (ValueError, TypeError):
            raise _wrong("ISSUERS", "[{issuer, audience, keys, profile}]") from None
        return tuple(rows)

    @property
    def body_limit(self) -> int:
        """Bytes of a body at most."""
        return int(self["BODY_LIMIT"])

    @property
    def threads(self) -> int:
        """Requests worked on at a time."""
        return int(self["THREADS"])

    @property
    def patience(self) -> int:
        """Seconds a request may take."""
        return int(self["PATIENCE"])

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins of web pages that may call."""
        return tuple(o.strip() for o in self["CORS_ORIGINS"].split(",") if o.strip())

    def required(self, name: str) -> str:
        """Give a setting that must not be empty.

        Raises
        ------
        InvalidInput
        """
        if not self[name]:
            raise InvalidInput.single(PREFIX + name, "is not set", "environment")
        return self[name]


def table() -> str:
    """Give the table of all settings as Markdown, for docs/settings.md."""
    rows = [f"| `{PREFIX}{s.name}` | `{s.default}` | {s.meaning} |" for s in SETTINGS]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]).replace("``", "")


def _wrong(name: str, wanted: str) -> InvalidInput:
    return InvalidInput.single(PREFIX + name, f"is not {wanted}", "environment")
