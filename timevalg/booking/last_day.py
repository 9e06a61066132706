"""The last day of a place: once `due` has passed, the clock alone could end it."""

from __future__ import annotations

from datetime import date, timedelta

from timevalg.booking.acting import Act
from timevalg.model.clinic import Clinic
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.model.time import instant, local_date


def last_valid_day(clinic: Clinic, task: Task, place: Session) -> date:
    """Give the last local day on which a place is still a valid one.

    Once `due` has passed only the present day moves on, and with it the pool's own notice: the
    fallback's was kept on the day after `due` (docs/clinic-file.md).
    """
    pool = clinic.pool(place.pool or task.pools[0])
    leads = [
        rule.lead
        for rule in task.preparation_rules(clinic.services[pool.service])
        if rule.limits and rule.id not in task.done
    ]
    return place.local_date(clinic.timezone) - timedelta(days=max([pool.notice, *leads]))


def watch(act: Act, clinic: Clinic, task: Task, place: Session) -> None:
    """See to it that the fallback is looked at on a place's last day, if `due` has passed.

    Before that, the work of falling due comes in time: a place is valid on the day after.
    """
    now = act.unit.now()
    today = local_date(now, clinic.timezone)
    if today > task.due:
        last = max(now, instant(last_valid_day(clinic, task, place), 0, clinic.timezone))
        effect = f"place:{place.start.isoformat()}:{today}"
        act.work("fall due", task.id, task.clinic, last, effect)
