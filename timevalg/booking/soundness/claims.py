"""Claims: what the database keeps from overlapping is what the sessions say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from timevalg.booking.soundness.chart import Chart
from timevalg.model.clinic import Organisation
from timevalg.model.session import Session, resource_spans

Spans = Mapping[str, tuple[datetime, datetime]]
"""What is taken of each subject."""

_MEND = "move or cancel its visit with override and reason, which writes its claims anew"


def say_what_their_sessions_say(chart: Chart) -> Iterator[tuple[str, str]]:
    """A session takes each of its resources for its role's time, the patient for the visit."""
    stored: dict[str, dict[str, tuple[datetime, datetime]]] = defaultdict(dict)
    for row in chart.claims:
        stored[row.session][row.subject] = row.start, row.end
    for key in sorted(stored.keys() - chart.sessions.keys()):
        yield f"claims of session {key}, which is not there", "delete these claims"
    doubtful = []
    for session in chart.sessions.values():
        taken = stored[session.id]
        if not taken:
            yield f"{session.kind} {session.id} claims nothing", _MEND
        elif taken != _expected(chart.organisation, session, taken):
            doubtful.append(session)
    if not doubtful:
        return
    earlier = list(chart.organisations())[:-1]  # a visit keeps the roles it was booked with
    for session in doubtful:
        taken = stored[session.id]
        if not any(taken == _expected(o, session, taken) for o in earlier):
            wanted = _expected(chart.organisation, session, taken)
            wrong = sorted(s for s in wanted.keys() | taken.keys() if wanted.get(s) != taken.get(s))
            resources = ", ".join(s[2:] if s.startswith("r:") else "the patient" for s in wrong)
            yield f"{session.kind} {session.id} does not claim what it says: {resources}", _MEND


def _expected(organisation: Organisation, session: Session, taken: Spans) -> Spans:
    """Give what a session takes by an organisation's files; where they say nothing, as stored."""
    clinic = organisation.clinics.get(session.clinic)
    service = clinic.services.get(session.service or "") if clinic is not None else None
    used = {r for ids in session.resources.values() for r in ids}
    visit = session.visit.start, session.visit.end
    if service is None and used:
        spans = {f"r:{r}": taken.get(f"r:{r}", visit) for r in used}
    elif service is None:  # a block may name its resource by its claim alone
        spans = {s: span for s, span in taken.items() if s.startswith("r:")}
    else:
        extra = max(0, session.length - service.length)
        rows = resource_spans(service, session.start, extra, session.resources)
        spans = {f"r:{r}": (span.start, span.end) for r, span in rows.items()}
    if session.patient is not None:
        spans[f"p:{session.patient}"] = visit
    return spans


def do_not_overlap(chart: Chart) -> Iterator[tuple[str, str]]:
    """Nothing and nobody is in two sessions at one time."""
    last = None
    for row in chart.claims:
        if last is not None and row.subject == last.subject and row.start < last.end:
            what = row.subject[2:] if row.subject.startswith("r:") else "one patient"
            yield (
                f"{what} is taken twice at {row.start.isoformat()}:"
                f" by sessions {last.session} and {row.session}",
                "move or cancel one of the two, then put the constraint back (timevalg doctor)",
            )
        if last is None or row.subject != last.subject or row.end > last.end:
            last = row
