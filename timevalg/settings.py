"""Everything that is set from outside: one table, read from the environment.

``docs/settings.md`` shows the same table; a test compares the two.
"""

from __future__ import annotations

import json
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
    """One variable: its name without ``TIMEVALG_``, its default and what it is for."""

    name: str
    default: str
    meaning: str


SETTINGS: tuple[Setting, ...] = (
    Setting("DATABASE_URL", "", "Where everything is kept: `sqlite:///file.db`, `postgresql://…`."),
    Setting("MODE", "development", "`development` or `production`; the latter must be set."),
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
    ),
    Setting("LETTERS", "", "Folder into which letters go that no other way takes."),
    Setting("SMTP", "", "`smtp[s]://[user:password@]host[:port]?from=…&rate=…&deduplicates=yes`."),
    Setting("SMS", "", "Gateway for reminders by SMS: `https://…?rate=…&deduplicates=yes`."),
    Setting("SMS_TOKEN", "", "Bearer token of that gateway."),
    Setting("PRINT", "", "Folder from which a printing house takes letters."),
    Setting("WATCH", "", "`[HOST:]PORT` where a worker tells its metrics, health and readiness."),
    Setting(
        "TRACES", "", "Where spans go, by OTLP: `http://collector:4318/v1/traces`; none: nowhere."
    ),
    Setting("BODY_LIMIT", "1000000", "Bytes of a request's body at most."),
    Setting("RATE_BY_PRINCIPAL", "600/minute", "Requests of one principal."),
    Setting("RATE_BY_ADDRESS", "3000/minute", "Requests from one address."),
    Setting(
        "THREADS", "16", "Requests that each process works on at a time; others wait their turn."
    ),
    Setting("PATIENCE", "30", "Seconds after which a request is answered with 504."),
    Setting("CORS_ORIGINS", "", "Web pages that may call, by origin, separated by commas; none."),
    Setting(
        "SIGN_ON",
        "",
        "Where people sign on: `https://…?return_to={}`; `{}` is replaced by the address to come "
        "back to.",
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
            If a variable begins with ``TIMEVALG_`` and the value cannot be used.
        """
        names = {s.name: s.default for s in SETTINGS}
        found = cls({n: environment.get(PREFIX + n, default) for n, default in names.items()})
        found.mode, found.issuers, found.body_limit  # noqa: B018 - each checks itself
        found.threads, found.patience  # noqa: B018 - each checks itself
        return found

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    @property
    def mode(self) -> Mode:
        """Development or production."""
        try:
            return Mode(self["MODE"])
        except ValueError:
            raise _wrong("MODE", self["MODE"], " or ".join(Mode)) from None

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
            fields = "[{issuer, audience, keys, profile}]"
            raise _wrong("ISSUERS", self["ISSUERS"][:80], fields) from None
        return tuple(rows)

    @property
    def body_limit(self) -> int:
        """Bytes of a body at most."""
        return self._positive("BODY_LIMIT")

    @property
    def threads(self) -> int:
        """Requests worked on at a time."""
        return self._positive("THREADS")

    @property
    def patience(self) -> int:
        """Seconds a request may take."""
        return self._positive("PATIENCE")

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

    def _positive(self, name: str) -> int:
        if not self[name].isdecimal() or int(self[name]) == 0:
            raise _wrong(name, self[name], "a whole number above 0")
        return int(self[name])


def table() -> str:
    """Give the table of all settings as Markdown, for docs/settings.md."""
    rows = [f"| `{PREFIX}{s.name}` | `{s.default}` | {s.meaning} |" for s in SETTINGS]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows]).replace("``", "")


def _wrong(name: str, value: str, wanted: str) -> InvalidInput:
    return InvalidInput.single(PREFIX + name, f"{value!r} is not {wanted}", "environment")
