"""Block and unblock: staff take resources for a span; whoever has a place there gets another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from timevalg.booking.access import allow
from timevalg.booking.acting import Act
from timevalg.booking.attempts import settle
from timevalg.booking.change import displace, report_lost
from timevalg.booking.claiming import claim, release
from timevalg.booking.ports import Ports
from timevalg.booking.proposals import named
from timevalg.booking.running import glance, run
from timevalg.booking.use_cases import use_case
from timevalg.model.errors import InvalidInput, NotFound, TimeTaken
from timevalg.model.principal import Principal
from timevalg.model.session import Session, SessionKind
from timevalg.model.time import Span, require_aware
from timevalg.solver.picture import Picture
from timevalg.solver.places import Certificate


@use_case("block")
def block(
    ports: Ports,
    principal: Principal,
    clinic: str,
    resources: Iterable[str],
    start: datetime,
    end: datetime,
    reason: str,
    override: bool = False,
) -> Session:
    """Take resources for a span, for something that is no visit.

    Parameters
    ----------
    resources : iterable of str
        Ids; one with a capacity means all its members.
    start, end : datetime
        Aware; the end is not in the span.
    override : bool
        Take the places of others although there are no other ones for them: named capacity losses.

    Raises
    ------
    TimeTaken
        If a booking, a hold or another block is there; move it first.
    WouldStrand
        If somebody would lose their place, unless it is overridden.
    InvalidInput
        If there is no such resource, no span to come, or no reason.
    """
    key, asked = ports.keys.new("session"), tuple(resources)

    def find(picture: Picture) -> tuple[Certificate, tuple[Session, ...]]:
        allow("block", principal, kind="clinic", key=clinic, clinic=clinic)
        session = _session(picture, key, clinic, asked, start, end)
        if not reason:
            raise InvalidInput.single("reason", "say why, for whoever misses the time")
        fixed = _in_the_way(picture, session)
        if fixed:
            there = glance(ports, principal, "block", lambda act: named(act.unit, fixed))
            names = (str(n.get("ref") or n.get("appointment") or n["session"]) for n in there)
            raise TimeTaken(f"time of {', '.join(session.spans)}, by {', '.join(names)},")
        return displace(picture, session, (), override=override)

    def body(act: Act, picture: Picture, found: tuple[Certificate, tuple[Session, ...]]) -> Session:
        certificate, lost = found
        claim(act, picture, certificate, None, override=override)
        report_lost(act, picture, lost)
        _note(act, "block.placed", certificate.claim)
        return certificate.claim

    return settle(ports, principal, "block", find, body, reason=reason)


@use_case("unblock")
def unblock(ports: Ports, principal: Principal, key: str, reason: str = "") -> Session:
    """Give a block's time back; gives the block as it was.

    Raises
    ------
    NotFound
        If there is none (any more).
    """

    def body(act: Act) -> Session:
        act.unit.lock([f"b:{key}"])
        found = act.unit.sessions.find(id=key, kind=SessionKind.BLOCK)
        if not found:
            raise NotFound("block", key)
        allow("unblock", principal, kind="block", key=key, clinic=found[0].clinic)
        release(act, found)
        _note(act, "block.lifted", found[0])
        return found[0]

    return run(ports, principal, "unblock", body, reason=reason)


def _note(act: Act, type_: str, session: Session) -> None:
    act.audit("block", session.id)
    facts = {
        "resources": sorted(session.spans),
        "start": session.start.isoformat(),
        "end": max(s.end for s in session.spans.values()).isoformat(),
    }
    there = type_ == "block.placed"
    old, new = (None, facts) if there else (facts, None)
    act.event(type_, "block", session.clinic, session.id, 1, old=old, new=new)


def _session(
    picture: Picture,
    key: str,
    clinic: str,
    resources: tuple[str, ...],
    start: datetime,
    end: datetime,
) -> Session:
    here = picture.index.organisation.clinic(clinic)
    members = {name: here.members(name) for name in resources}
    unknown = [name for name, ids in members.items() if not ids]
    if unknown or not resources:
        what = f"nothing called {', '.join(unknown)}" if unknown else "nothing to block"
        raise InvalidInput.single("resources", f"{clinic} has {what}")
    first, after = require_aware(start, "start"), require_aware(end, "end")
    if not picture.now < after or not first < after:
        raise InvalidInput.single("end", f"{end} is not after {start} and after now")
    span = Span(first, after)
    return Session(
        id=key,
        kind=SessionKind.BLOCK,
        clinic=clinic,
        start=first,
        length=-(-(after - first) // timedelta(minutes=1)),
        spans={r: span for ids in members.values() for r in ids},
    )


def _in_the_way(picture: Picture, session: Session) -> list[Session]:
    """Give what does not give way: all but places of the guarantee."""
    return [
        s
        for s in picture.index.touching(session)
        if s.kind is not SessionKind.PLACE
        and any(r in s.spans and s.spans[r].overlaps(span) for r, span in session.spans.items())
    ]
