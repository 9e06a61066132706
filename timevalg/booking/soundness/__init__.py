"""What must be true of an organisation's rows: one function for each truth, on values alone.

Each is linear in the rows (but for sorting), and asks for a visit only what lies around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from timevalg.booking.soundness import claims, promises, traces, visits
from timevalg.booking.soundness.chart import Chart

Check = Callable[[Chart], Iterator[tuple[str, str]]]
"""Gives what is wrong and what to do about it."""

CHECKS: dict[str, Check] = {
    "claims": claims.say_what_their_sessions_say,
    "overlaps": claims.do_not_overlap,
    "places": promises.each_live_task_has_a_valid_place,
    "quotas": promises.no_quota_is_exceeded,
    "rules": promises.choices_obey_the_rules,
    "visits": visits.each_has_its_time,
    "bookings": visits.each_booking_is_one_visit,
    "tasks": visits.each_task_has_what_its_state_says,
    "holds": visits.each_patient_has_one_hold,
    "events": traces.the_feed_ends_where_things_are,
    "work": traces.somebody_will_do_what_is_due,
    "letters": traces.no_letter_is_half_sent,
}
"""Every check by its name."""

__all__ = ["CHECKS", "Chart", "Check"]
