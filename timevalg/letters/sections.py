"""The sections of a letter: one function each, giving None where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterable

from timevalg.letters.page import Block, Fields, Items, Paragraph, Section, Table
from timevalg.letters.wording import Wording
from timevalg.model.letter import (
    ChoiceFacts,
    LetterFacts,
    PreparationFacts,
    ServiceFacts,
    VisitFacts,
)


def _paragraphs(words: Iterable[str]) -> tuple[Block, ...]:
    return tuple(Paragraph(w) for w in words)


def _where(facts: LetterFacts, visit: VisitFacts, w: Wording) -> str:
    if visit.service.mode != "physical":
        return w.say(f"visit.at_{visit.service.mode}")
    place = w.name(visit.place or facts.clinic)
    return w.say("visit.place_room", place=place, room=w.name(visit.room)) if visit.room else place


# ---- visits -----------------------------------------------------------------


def time_and_place(facts: LetterFacts, visit: VisitFacts, w: Wording) -> Section:
    """When, where (or how, if the patient does not come), what, how long, whom you meet."""
    rows = [(w.say("visit.when"), w.moment(visit.start))]
    if visit.old_start is not None and visit.old_start != visit.start:
        rows.append((w.say("visit.old"), w.moment(visit.old_start)))
    rows += [
        (w.say("visit.where"), _where(facts, visit, w)),
        (w.say("visit.what"), w.name(visit.service.name)),
        (w.say("visit.length"), w.length(visit.service.length)),
    ]
    if visit.clinicians:
        rows.append((w.say("visit.whom"), w.joined(visit.clinicians)))
    after = []
    clocks = w.clock_change(visit.start)
    if clocks is not None:
        after.append(clocks)
    mode = visit.service.mode
    if mode != "physical":
        after.append(w.say(f"visit.how_{mode}", portal=facts.portal))
    return Section(w.say(f"visit.heading_{mode}"), (Fields(tuple(rows)), *_paragraphs(after)))


def if_it_does_not_suit(facts: LetterFacts, visit: VisitFacts, w: Wording) -> Section:
    """How to change or cancel, and until when; only what this patient may."""
    words = [w.say("suit.nothing")]
    if facts.change_until is not None:
        until = w.until(facts.change_until)
        words.append(w.say("suit.change", until=until, portal=facts.portal))
        if visit.changes_left == 1:
            words[-1] += " " + w.say("suit.change_once")
        elif visit.changes_left is not None:
            words[-1] += " " + w.say("suit.change_times", count=str(visit.changes_left))
        words[-1] += " " + w.say("suit.later")
    else:
        words.append(w.say("suit.staff"))
    if facts.cancel_until is not None:
        until = w.until(facts.cancel_until)
        words.append(w.say("suit.cancel", until=until, portal=facts.portal))
    return Section(w.say("suit.heading"), _paragraphs(words))


def preparations(facts: LetterFacts, visit: VisitFacts, w: Wording) -> Section | None:
    """What the patient still does before the visit, what is done, and what we take care of."""
    own = [p for p in visit.preparations if p.by == "patient"]
    left = sorted((p for p in own if not p.done), key=lambda p: p.first)
    done = [p.name for p in own if p.done]
    ours = [p.name for p in visit.preparations if p.by != "patient"]
    blocks: list[Block] = []
    if left:
        moved = visit.old_start is not None and visit.old_start != visit.start
        caption = w.say("preparations.intro_change" if moved else "preparations.intro")
        head = tuple(w.say(f"preparations.{name}") for name in ("what", "start", "due"))
        blocks.append(Table(caption, head, tuple(_preparation(p, w) for p in left)))
    if any(p.kind == "form" for p in left):
        blocks.append(Paragraph(w.say("preparations.forms", portal=facts.portal)))
    if done:
        blocks.append(Paragraph(w.say("preparations.done", names=w.joined(done))))
    if ours:
        blocks.append(Paragraph(w.say("preparations.staff", names=w.joined(ours))))
    return Section(w.say("preparations.heading"), tuple(blocks)) if blocks else None


def _preparation(p: PreparationFacts, w: Wording) -> tuple[str, str, str]:
    start = w.say("preparations.no_start") if p.start is None else w.day(p.start)
    return w.name(p.name), start, w.day(p.due)


def cancelled_time(facts: LetterFacts, visit: VisitFacts, w: Wording) -> Section:
    """Which appointment is meant: at the time that the patient knows."""
    rows = (
        (w.say("visit.when"), w.moment(visit.told_start)),
        (w.say("visit.where"), _where(facts, visit, w)),
        (w.say("visit.what"), w.name(visit.service.name)),
    )
    return Section(w.say("cancellation.heading"), (Fields(rows),))


def after_cancelling(facts: LetterFacts, visit: VisitFacts, w: Wording) -> Section:
    """What the patient need not do any more, and how to get another time."""
    words = [w.say("cancellation.ask")]
    if any(p.by == "patient" for p in visit.preparations):
        words.insert(0, w.say("cancellation.preparations"))
    return Section(w.say("cancellation.next"), _paragraphs(words))


# ---- choices ----------------------------------------------------------------


def what_to_choose(facts: LetterFacts, choice: ChoiceFacts, w: Wording) -> Section:
    """By when, for which days and among which kinds of visit."""
    last = w.day(choice.last)
    if choice.first is None:
        window = w.say("choice.no_later", last=last)
    else:
        window = w.say("choice.between", first=w.day(choice.first), last=last)
    lines = tuple(_service_line(s, w) for s in choice.services)
    rows = [
        (w.say("choice.until"), w.end_of_day(choice.due)),
        (w.say("choice.from"), w.day(choice.opens)),
        (w.say("choice.window"), window),
    ]
    blocks: list[Block]
    if len(lines) == 1:
        rows.append((w.say("choice.service"), lines[0]))
        blocks = [Fields(tuple(rows))]
    else:
        blocks = [Fields(tuple(rows)), Paragraph(w.say("choice.services") + ":"), Items(lines)]
    return Section(w.say("choice.heading"), tuple(blocks))


def _service_line(service: ServiceFacts, w: Wording) -> str:
    name, mode = w.name(service.name), w.say(f"mode.{service.mode}")
    length = w.length(service.length)
    if mode in name:  # "First consultation by video" need not say it twice
        return w.say("choice.service_short", name=name, length=length)
    return w.say("choice.service_line", name=name, mode=mode, length=length)


def how_to_choose(facts: LetterFacts, choice: ChoiceFacts, w: Wording) -> Section:
    """The steps, and what to do if no time suits or none is needed."""
    steps = (
        w.say("choice.step_log_on", portal=facts.portal),
        w.say("choice.step_choose"),
        w.say("choice.step_confirm"),
    )
    more = _paragraphs((w.say("choice.none_suits"), w.say("choice.decline")))
    return Section(w.say("choice.how"), (Items(steps, ordered=True), *more))


def who_never_answers(facts: LetterFacts, choice: ChoiceFacts, w: Wording) -> Section:
    """Who does not choose in time gets an appointment all the same."""
    body = w.say("choice.silent_body", due=w.end_of_day(choice.due))
    return Section(w.say("choice.silent"), (Paragraph(body),))


# ---- every letter -----------------------------------------------------------


def rights(w: Wording, *names: str) -> Section:
    """Some of the patient's rights, short (pasient- og brukerrettighetsloven; tolkeloven)."""
    return Section(w.say("rights.heading"), (Items(tuple(w.say(f"rights.{n}") for n in names)),))


def contact(facts: LetterFacts, w: Wording) -> Section:
    """Whom to ask."""
    words = [w.say("contact.ask", clinic=facts.clinic)]
    if facts.contact is not None:
        words.append(w.name(facts.contact))
    return Section(w.say("contact.heading"), _paragraphs(words))
