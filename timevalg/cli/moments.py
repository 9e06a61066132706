"""Reading and printing times the way the commands do."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from timevalg.model.errors import InvalidInput

YEARS = range(1971, 9000)
"""Beyond these, calendars end."""


def parse_now(text: str | None, zone: ZoneInfo) -> datetime:
    """Give the instant meant by ``--now``; without an offset it is the clinic's local time."""
    return datetime.now(UTC) if text is None else parse_moment("--now", text, zone)


def typed_now(text: str | None) -> datetime:
    """Give ``--now`` as it was typed: without an offset it is each clinic's local time."""
    moment = parse_now(text, ZoneInfo("UTC"))
    if text is None or datetime.fromisoformat(text).tzinfo is not None:
        return moment
    return moment.replace(tzinfo=None)


def parse_moment(option: str, text: str, zone: ZoneInfo) -> datetime:
    """Give the instant meant by an option, UTC; without an offset it is the clinic's local time."""
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone, fold=0)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput.single(
            option, f"{text!r} is no date-time such as 2027-01-04T08:00", "command line"
        ) from error
    if moment.year not in YEARS:
        said = f"{text!r} is not in the years {YEARS.start} … {YEARS.stop - 1}"
        raise InvalidInput.single(option, said, "command line")
    return moment


def parse_date(option: str, text: str | None) -> date | None:
    """Give the date meant by an option; None if it was not given."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput.single(
            option, f"{text!r} is no date such as 2027-01-31", "command line"
        ) from error


def local(moment: datetime, zone: ZoneInfo) -> str:
    """Print an instant as local time with its offset."""
    return moment.astimezone(zone).isoformat()
