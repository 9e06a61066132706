"""The kinds of letter: which parts each has, in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from timevalg.letters import sections
from timevalg.letters.page import Page, Section
from timevalg.letters.wording import Wording
from timevalg.model.appointment import Origin
from timevalg.model.letter import KINDS, ChoiceFacts, LetterFacts, VisitFacts

_ALL_RIGHTS = ("decide", "company", "interpreter", "complain")


def compose(kind: str, facts: LetterFacts, wording: Wording) -> Page:
    """Put a letter together.

    Raises
    ------
    ValueError
        If there is no such kind, or the facts lack what it is about.
    """
    if kind not in _COMPOSERS:
        raise ValueError(f"letter kind {kind!r} is none of {KINDS}")
    return _COMPOSERS[kind](facts, wording)


def _choice(facts: LetterFacts, w: Wording) -> Page:
    choice = _choice_of(facts)
    return _page(
        facts,
        w,
        subject=w.say("choice.subject"),
        title=w.say("choice.title"),
        lead=[w.say("choice.lead", due=w.end_of_day(choice.due))],
        parts=[
            sections.what_to_choose(facts, choice, w),
            sections.how_to_choose(facts, choice, w),
            sections.who_never_answers(facts, choice, w),
            sections.rights(w, *_ALL_RIGHTS),
            sections.contact(facts, w),
        ],
    )


def _appointment(facts: LetterFacts, w: Wording) -> Page:
    visit = _visit_of("appointment", facts)
    if visit.origin is Origin.ASSIGNED:
        way = "ask" if facts.change_until is None else "change"
        lead = [w.say("appointment.lead_assigned"), w.say(f"appointment.lead_assigned_{way}")]
    elif visit.origin is Origin.CHOSEN:
        lead = [w.say("appointment.lead_chosen")]
    else:
        lead = [w.say("appointment.lead_given")]
    return _page(
        facts,
        w,
        subject=w.say("appointment.subject", start=w.moment(visit.start)),
        title=w.say("appointment.title"),
        lead=[" ".join(lead)],
        parts=_visit_parts(facts, visit, w),
    )


def _change(facts: LetterFacts, w: Wording) -> Page:
    visit = _visit_of("change", facts)
    if visit.old_start is None:
        raise ValueError("a change letter needs visit.old_start, the time told before")
    start, old = w.moment(visit.start), w.moment(visit.old_start)
    same = "_same" if start == old else ""
    return _page(
        facts,
        w,
        subject=w.say(f"change.subject{same}", start=start),
        title=w.say(f"change.title{same}"),
        lead=[w.say("change.lead_same") if same else w.say("change.lead", start=start, old=old)],
        parts=_visit_parts(facts, visit, w),
    )


def _cancellation(facts: LetterFacts, w: Wording) -> Page:
    visit = _visit_of("cancellation", facts)
    return _page(
        facts,
        w,
        subject=w.say("cancellation.subject", start=w.moment(visit.told_start)),
        title=w.say("cancellation.title"),
        lead=[w.say("cancellation.lead")],
        parts=[
            sections.cancelled_time(facts, visit, w),
            sections.after_cancelling(facts, visit, w),
            sections.rights(w, "complain"),
            sections.contact(facts, w),
        ],
    )


def _reminder(facts: LetterFacts, w: Wording) -> Page:
    visit = _visit_of("reminder", facts)
    return _page(
        facts,
        w,
        subject=w.say("reminder.subject", start=w.moment(visit.start)),
        title=w.say("reminder.title"),
        lead=[w.say("reminder.lead")],
        parts=[
            sections.time_and_place(facts, visit, w),
            sections.preparations(facts, visit, w),
            sections.if_it_does_not_suit(facts, visit, w),
            sections.contact(facts, w),
        ],
    )


_COMPOSERS: Mapping[str, Callable[[LetterFacts, Wording], Page]] = {
    "choice": _choice,
    "appointment": _appointment,
    "change": _change,
    "cancellation": _cancellation,
    "reminder": _reminder,
}


def _visit_parts(facts: LetterFacts, visit: VisitFacts, w: Wording) -> list[Section | None]:
    return [
        sections.time_and_place(facts, visit, w),
        sections.if_it_does_not_suit(facts, visit, w),
        sections.preparations(facts, visit, w),
        sections.rights(w, *_ALL_RIGHTS),
        sections.contact(facts, w),
    ]


def _choice_of(facts: LetterFacts) -> ChoiceFacts:
    if facts.choice is None:
        raise ValueError("a choice letter needs facts.choice")
    return facts.choice


def _visit_of(kind: str, facts: LetterFacts) -> VisitFacts:
    if facts.visit is None:
        raise ValueError(f"a letter of kind {kind!r} needs facts.visit")
    return facts.visit


def _page(
    facts: LetterFacts,
    w: Wording,
    *,
    subject: str,
    title: str,
    lead: list[str],
    parts: list[Section | None],
) -> Page:
    """Put what every letter has around the parts of this one."""
    patient = w.name(facts.patient)
    return Page(
        language=w.language,
        subject=subject,
        sender=w.name(facts.clinic),
        to=w.say("letter.to", patient=patient) if patient else "",
        dated=w.say("letter.dated", day=w.day(facts.written)) if facts.written else "",
        title=title,
        hello=w.say("letter.hello_name", patient=patient) if patient else w.say("letter.hello"),
        lead=tuple(lead),
        sections=tuple(part for part in parts if part is not None),
        regards=w.say("letter.regards"),
    )
