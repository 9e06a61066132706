"""The simulated weeks: patients answer, staff and the record system do their part, clocks move."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from timevalg.cli.demo.people import CHANGES, LOOKS, Person, draw
from timevalg.library import Timevalg
from timevalg.model.appointment import Appointment
from timevalg.model.errors import Conflict, IllegalMove
from timevalg.model.records import CaseKind
from timevalg.model.states import AppointmentState
from timevalg.store import SetClock

MOMENTS = (9, 13, 20)
"""Hours (UTC) at which patients act; staff work after the first."""
OPEN_DAYS = 10
"""Days that a patient has to choose."""


@dataclass
class Invited:
    """One patient, the task, and when the patient does what."""

    person: Person
    task: str
    opens: date


@dataclass
class SecondThought:
    """A patient who will change (or cancel) a time: that of a task, or an allotted visit."""

    patient: str
    wish: str
    task: str | None = None
    visit: str | None = None


class Weeks:
    """Plays the example clinic day by day.

    Parameters
    ----------
    drain : callable
        Does all work that is due, through the actors.
    """

    def __init__(
        self,
        valg: Timevalg,
        clock: SetClock,
        dice: random.Random,
        drain: Callable[[], object],
        *,
        weeks: int,
    ) -> None:
        self._valg, self._clock, self._dice, self._drain = valg, clock, dice, drain
        self._weeks = weeks
        self._desk = valg.planner("desk")
        self._system = valg.system("dips")
        self._cursor = ""
        self._invited: list[Invited] = []
        self._acting: dict[tuple[date, int], list[Invited]] = {}
        self._later: dict[tuple[date, int], list[SecondThought]] = {}
        self._first = clock.now().date()

    def begin(self, clinic: Path, tasks: int) -> None:
        """Publish the clinic and send the invitations, planned together."""
        self._system.publish(clinic)
        people = [draw(self._dice, number) for number in range(1, tasks + 1)]
        invitations = []
        spread = max(1, self._weeks * 7 - OPEN_DAYS - 4)
        opens = [self._first + timedelta(days=self._dice.randrange(spread)) for _ in people]
        for person, day in zip(people, opens, strict=True):
            self._system.register(person.id, language=person.language)
            due = day + timedelta(days=OPEN_DAYS)
            first = due + timedelta(days=self._dice.randrange(1, 15))
            invitations.append(
                {
                    "ref": f"dips:oppgave/{person.id}",
                    "patient": person.id,
                    "pools": person.pools,
                    "opens": day,
                    "due": due,
                    "not_before": first if self._dice.random() < 0.3 else None,
                    "not_after": due + timedelta(days=self._dice.randrange(28, 71)),
                    "only": {"clinician": (person.doctor,)} if person.doctor else {},
                }
            )
        answers = self._system.invite_many(invitations)
        for person, day, answer in zip(people, opens, answers, strict=True):
            if answer.task is not None:
                invited = Invited(person, answer.task.id, day)
                self._invited.append(invited)
                moment = (day + timedelta(days=person.delay), self._dice.randrange(len(MOMENTS)))
                if person.answer != "silent":
                    self._acting.setdefault(moment, []).append(invited)
        self._drain()
        self._plan_changes_of_allotted()

    def day(self, number: int) -> None:
        """Play one day: work that falls due, patients, staff, and visits that take place."""
        today = self._first + timedelta(days=number)
        for position, hour in enumerate(MOMENTS):
            self._clock.set(datetime(today.year, today.month, today.day, hour, tzinfo=UTC))
            self._drain()
            for invited in self._acting.pop((today, position), []):
                self._answer(invited)
            for thought in self._later.pop((today, position), []):
                self._reconsider(thought)
            self._drain()
            if position == 0:
                self._staff()
        self._visits(today)
        self._clock.set(self._clock.now() + timedelta(hours=3))
        self._drain()

    def _answer(self, invited: Invited) -> None:
        patient, person = self._valg.patient(invited.person.id), invited.person
        try:
            if person.answer == "decline":
                patient.decline(invited.task)
                return
            if person.answer == "none suits":
                patient.none_suits(invited.task, "helst etter kl. 14")
                return
            shown = patient.offers(invited.task).offers
            if not shown:
                return
            offer = shown[0] if person.picks_first else self._dice.choice(shown[: LOOKS[1]])
            if self._dice.random() < 0.5:
                patient.hold(invited.task, offer)
            patient.choose(invited.task, offer)
        except (Conflict, IllegalMove):
            return
        wish = "change" if person.changes else "cancel" if person.cancels else ""
        if wish:
            self._think_later(SecondThought(person.id, wish, task=invited.task))

    def _think_later(self, thought: SecondThought) -> None:
        day = self._clock.now().date() + timedelta(days=self._dice.randrange(1, 6))
        moment = (day, self._dice.randrange(len(MOMENTS)))
        self._later.setdefault(moment, []).append(thought)

    def _reconsider(self, thought: SecondThought) -> None:
        patient = self._valg.patient(thought.patient)
        if thought.task is not None:
            visit = patient.appointment_of(thought.task)
        else:
            visit = patient.appointment(thought.visit or "")
        if visit is None or visit.state is not AppointmentState.BOOKED:
            return
        try:
            if thought.wish == "cancel":
                patient.cancel(visit, reason="8445:22")
                return
            shown = patient.offers_to_change(visit).offers
            if shown:
                patient.change(visit, self._dice.choice(shown))
        except (Conflict, IllegalMove):
            return

    def _plan_changes_of_allotted(self) -> None:
        """Some of those to whom the hospital allotted a time change it: the other track."""
        for visit in self._booked():
            if visit.task is None and visit.patient and self._dice.random() < CHANGES:
                self._think_later(SecondThought(visit.patient, "change", visit=visit.id))

    def _staff(self) -> None:
        """The desk checks choices; the record system accepts; nearly all of them."""
        for case in self._desk.staff_list():
            if case.kind == CaseKind.CHECK_WANTED and case.task:
                try:
                    self._desk.check(case.task, confirm=self._dice.random() < 0.95)
                except IllegalMove:
                    continue
        for event in self._system.events(after=self._cursor):
            self._cursor = event.cursor
            if event.type in {"appointment.chosen", "appointment.assigned"} and event.appointment:
                self._accept(event.appointment)
        self._drain()

    def _accept(self, key: str) -> None:
        visit = self._system.appointment(key)
        if visit.pool == "follow-up" and visit.state is AppointmentState.BOOKED:
            try:
                self._system.accept(visit, ref=f"dips:kontakt/{visit.id}", version=visit.version)
            except IllegalMove:
                return

    def _visits(self, today: date) -> None:
        """Nearly everybody comes."""
        for visit in self._booked():
            if visit.start.date() != today:
                continue
            if self._dice.random() < 0.04:
                self._desk.no_show(visit)
            else:
                self._desk.arrive(visit)
                self._desk.fulfil(visit)

    def _booked(self) -> list[Appointment]:
        return self._valg.ports.store.run(
            self._valg.organisation,
            lambda unit: unit.appointments.find(order="start", state=AppointmentState.BOOKED),
            write=False,
        )
