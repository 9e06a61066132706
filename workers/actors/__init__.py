"""The actors, one file for each kind of work; `BY_KIND` names the one for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.actors import (
    answers,
    audit,
    checking,
    due,
    events_out,
    holds,
    letters,
    opening,
    places,
    preparations,
    reminders,
    solving,
)

BY_KIND: Mapping[str, Any] = {
    "open": opening.open_task,
    "fall due": due.fall_due,
    "check": checking.check_choice,
    "silence": checking.hand_over_unanswered,
    "preparation": preparations.follow_preparation,
    "letter": letters.write_letter,
    "send letter": letters.send_letter,
    "expire hold": holds.expire_hold,
    "regain places": places.regain_places,
    "tidy places": solving.tidy_places,
    "settle offers": solving.settle_offers,
    "forget answers": answers.forget_answers,
    "seal audit": audit.seal_audit,
    "remind": reminders.remind,
    "deliver": events_out.deliver_event,
}
