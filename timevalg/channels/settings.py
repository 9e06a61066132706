"""Which ways out there are, as `timevalg.settings` says it; rates are letters a minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from timevalg.booking.ports import Channel
from timevalg.channels.sms import Sms
from timevalg.channels.smtp import Smtp
from timevalg.channels.spool import Spool
from timevalg.model.errors import InvalidInput

_PORTS = {"smtp": 25, "smtps": 465}


def channels(environment: Mapping[str, str]) -> tuple[Channel, ...]:
    """Give the ways out to patients in the order in which they are tried.

    Raises
    ------
    InvalidInput
        If a setting cannot be read.
    """
    return tuple(_channels(environment))


def _channels(environment: Mapping[str, str]) -> Iterator[Channel]:
    if gateway := environment.get("TIMEVALG_SMS"):
        url, options = _split("TIMEVALG_SMS", gateway)
        yield Sms(
            url,
            environment.get("TIMEVALG_SMS_TOKEN", ""),
            deduplicates=options.get("deduplicates") == "yes",
            rate=_rate("TIMEVALG_SMS", options),
        )
    if mail := environment.get("TIMEVALG_SMTP"):
        yield _smtp(mail)
    if folder := environment.get("TIMEVALG_PRINT"):
        yield Spool(Path(folder))


def _smtp(setting: str) -> Smtp:
    url, options = _split("TIMEVALG_SMTP", setting)
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidInput.single("TIMEVALG_SMTP", "must be smtp://host or smtps://host")
    return Smtp(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        options.get("from", "timevalg@localhost"),
        tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        deduplicates=options.get("deduplicates") == "yes",
        rate=_rate("TIMEVALG_SMTP", options),
    )


def _split(name: str, setting: str) -> tuple[str, dict[str, str]]:
    url, _, query = setting.partition("?")
    options = {key: values[-1] for key, values in parse_qs(query).items()}
    if unknown := options.keys() - {"from", "rate", "deduplicates"}:
        raise InvalidInput.single(name, f"knows no {', '.join(sorted(unknown))}")
    return url, options


def _rate(name: str, options: Mapping[str, str]) -> int:
    rate = options.get("rate", "0")
    if not rate.isdecimal():
        raise InvalidInput.single(name, f"rate={rate} is no number of letters a minute")
    return int(rate)
