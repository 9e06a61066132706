"""Which visits to come break rules of new clinic files that they kept before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from timevalg.booking.crowds import crowds
from timevalg.booking.outside import LASTING
from timevalg.model.appointment import Appointment
from timevalg.model.clinic import Organisation
from timevalg.model.session import Session, SessionKind, resource_spans
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.picture import Picture
from timevalg.solver.verify import absent, broken


def newly_outside(
    picture: Picture, before: Organisation, visits: Iterable[Appointment]
) -> dict[str, tuple[str, ...]]:
    """Give the visits that break lasting rules which they kept before, with those rules.

    Rules on when one may still choose (window, preparation) bind who chooses, not what is booked.

    Parameters
    ----------
    picture : Picture
        By the new files, with everything that is booked.
    before : Organisation
        By the files before.
    visits : iterable of Appointment
        Booked and to come.

    Returns
    -------
    dict
        Appointment id → one sentence a broken rule, beginning with the rule's name.
    """
    now, then = _Rules(picture, picture.index.organisation), _Rules(picture, before)
    found: dict[str, tuple[str, ...]] = {}
    for visit in visits:
        session = picture.index.sessions.get(visit.session or "")
        if session is None:
            continue
        beside = _overlapped(picture, session)
        broken_now = now.broken_by(session, beside)
        if broken_now:
            known = then.broken_by(session, beside)
            if new := tuple(rule for rule in broken_now if rule not in known):
                found[visit.id] = new
    return found


class _Rules:
    """The lasting rules of an organisation's files, asked about what is booked."""

    def __init__(self, picture: Picture, organisation: Organisation) -> None:
        self._picture, self._organisation = picture, organisation
        self._crowded: Mapping[str, list[str]] = defaultdict(list)
        standing = (
            s
            for s in picture.index.sessions.values()
            if s.kind is not SessionKind.PLACE and s.is_live(picture.now)
        )
        for crowd in crowds(organisation, standing):
            for session in crowd.sessions:
                self._crowded[session.id].append(f"quota: {crowd}")

    def broken_by(self, session: Session, beside: Iterable[Session]) -> tuple[str, ...]:
        """Give the rules that a booking breaks; of one outside every pool, only who is not there.

        The verifier names one resource; everyone who is not there is named beside.
        """
        verdict: tuple[str, ...] = ()
        if session.pool is not None:
            task = _plain_task(self._picture, session)
            ask = Ask(session.clinic, session.pool, self._picture.now, task)
            verdict = broken(self._organisation, beside, ask, session.start, session.resources)
        faults = [rule for rule in verdict if rule.startswith(LASTING)]
        faults += [f"resources: {why}" for why in absent(self._organisation, session)]
        return tuple(dict.fromkeys((*faults, *self._crowded.get(session.id, ()))))


def _plain_task(picture: Picture, session: Session) -> Task | None:
    """Give the task of a visit without the terms that staff may have overridden.

    They are no file's rules, and a resource that breaks them would hide that it breaks one.
    """
    task = picture.tasks.get(session.task or "")
    if task is None or session.pool is None:
        return None
    return replace(task, pools=(session.pool,), only={})


def _overlapped(picture: Picture, session: Session) -> list[Session]:
    """Give what a booking overlaps, which it cannot save by new lengths of its service."""
    clinic = picture.index.organisation.clinic(session.clinic)
    service = clinic.services.get(session.service or "")
    if service is None:
        return []
    task = picture.tasks.get(session.task or "")
    extra = task.extra if task is not None else 0
    spans = resource_spans(service, session.start, extra, session.resources)
    length = service.length + extra
    if spans == session.spans and length == session.length:
        return []
    return picture.index.touching(replace(session, spans=spans, length=length))
