"""Seal the audit log: digests that show whether an entry was changed, removed or slipped in.

Each seal covers the entries since the one before it, and that one's digest; so the last digest,
kept by somebody else, vouches for everything. Entries are sealed by work every hour, not one by
one: a chain through each would make all that happens in an organisation wait in one row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.running import run
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.model.principal import Principal
from timevalg.model.records import AuditEntry, AuditSeal

AT_ONCE = 5000
"""Entries under one seal at most."""
EVERY = timedelta(hours=1)
OVERDUE = 2 * EVERY
"""An entry older than this has a seal, where the work of sealing is done."""
WORK = "seal audit"
FIELDS = ("id", "principal", "role", "verb", "subject", "key", "patient", "channel", "reason")


@dataclass(frozen=True)
class AuditVerdict:
    """Whether the audit log is as it was written.

    Attributes
    ----------
    seals, entries : int
        How many there are; `unsealed` of the entries are newer than the last seal, of which
        `overdue` should have one by now: the work of sealing is not done, or seals were removed.
    broken : tuple of str
        Seals that do not fit what they cover, or the digest that was kept and that none has, in
        words.
    head : str
        The last digest; whoever keeps it elsewhere can tell later whether the log was cut off.
    """

    seals: int
    entries: int
    unsealed: int
    overdue: int
    broken: tuple[str, ...]
    head: str


@use_case("seal audit")
def seal_audit(ports: Ports, principal: Principal) -> int:
    """Seal what has been written since the last seal; gives how many seals were set.

    The work of doing so again is written with it.
    """

    def body(act: Act) -> int:
        act.unit.lock([WORK])
        last, number = _last(act.unit), 0
        while entries := act.unit.audit.read(last.until if last else "", AT_ONCE):
            last = _seal(act, last, entries)
            act.unit.seals.add(last)
            number += 1
        seal_later(act)
        return number

    return run(ports, principal, "seal audit", body)


def seal_later(act: Act) -> None:
    """Write the work of sealing at the next full hour, once."""
    at = (act.unit.now() + EVERY).replace(minute=0, second=0, microsecond=0)
    act.work(WORK, act.unit.organisation, "", at, at.isoformat())


@use_case("verify audit")
def verify_audit(ports: Ports, principal: Principal, expect: str = "") -> AuditVerdict:
    """Compute every digest again from the entries that are there.

    Parameters
    ----------
    expect : str
        The last digest of an earlier verdict, kept elsewhere: whoever can write the database can
        cut the log off, or seal it anew, but not come to this digest again.
    """

    def body(act: Act) -> AuditVerdict:
        before_now = act.unit.now() - OVERDUE
        act.audit("audit", act.unit.organisation)
        seals = act.unit.seals.find(order="number")
        broken, entries, before, after = [], 0, "", ""
        for seal in seals:
            found = _up_to(act.unit, after, seal.until)
            entries += len(found)
            if seal.digest != digest(before, found):
                broken.append(_what(seal, found))
            before, after = seal.digest, seal.until
        if expect and expect not in {seal.digest for seal in seals}:
            broken.append(f"no seal has the digest {expect}: what it vouched for is not there")
        rest = [entry.time for entry in _all(act.unit, after)]
        overdue = sum(time < before_now for time in rest)
        total = entries + len(rest)
        return AuditVerdict(len(seals), total, len(rest), overdue, tuple(broken), before)

    return run(ports, principal, "verify audit", body)


def digest(before: str, entries: Iterable[AuditEntry]) -> str:
    """Give the digest of entries after a digest."""
    made = hashlib.sha256(before.encode())
    for entry in entries:
        fields = {name: getattr(entry, name) for name in FIELDS} | {"time": _text(entry.time)}
        fields |= {"address": entry.address} if entry.address else {}  # older seals know of none
        line = json.dumps(fields, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        made.update(b"\n" + line.encode())
    return made.hexdigest()


def _last(unit: UnitOfWork) -> AuditSeal | None:
    found = unit.seals.find(order="-number", limit=1)
    return found[0] if found else None


def _seal(act: Act, last: AuditSeal | None, entries: list[AuditEntry]) -> AuditSeal:
    number = last.number + 1 if last else 1
    return AuditSeal(
        id=f"seal:{number}",
        organisation=act.unit.organisation,
        number=number,
        count=len(entries),
        until=entries[-1].cursor,
        digest=digest(last.digest if last else "", entries),
        sealed_at=act.unit.now(),
    )


def _all(unit: UnitOfWork, after: str) -> Iterable[AuditEntry]:
    while page := unit.audit.read(after, AT_ONCE):
        yield from page
        after = page[-1].cursor


def _up_to(unit: UnitOfWork, after: str, until: str) -> list[AuditEntry]:
    found = []
    for entry in _all(unit, after):
        if _place(entry.cursor) > _place(until):
            break
        found.append(entry)
    return found


def _place(cursor: str) -> tuple[int, ...]:
    return tuple(map(int, cursor.split(".")))


def _what(seal: AuditSeal, found: list[AuditEntry]) -> str:
    if len(found) != seal.count:
        return f"seal {seal.number} covers {seal.count} entries, and {len(found)} are there"
    span = f"{_text(found[0].time)} and {_text(found[-1].time)}" if found else "its ends"
    return f"seal {seal.number} does not fit: an entry between {span} is not as it was written"


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
