"""What if: what an edited clinic file would do, found out by publishing it and undoing that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.ports import Ports
from timevalg.booking.publish import Published, current_sources, put_in_force, read_given
from timevalg.booking.replan import Cannot, Proposal, must_move, propose
from timevalg.booking.running import note_looks
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.booking.use_cases import use_case
from timevalg.clinic import Written
from timevalg.model.appointment import Appointment
from timevalg.model.principal import Principal
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.certificates import is_place
from timevalg.solver.picture import Picture
from timevalg.solver.shortage import Shortage, shortages


@dataclass(frozen=True)
class Forecast:
    """What publishing would do.

    Attributes
    ----------
    published : Published
        Its answer; the ids of cases in it stand for nothing.
    moved : tuple of (Session, Session)
        Places as they are, and where they would go.
    lost : mapping
        Task id → what would be short for it, with cures; whom it harms most first.
    proposals : tuple of Proposal
        For each visit that could not stand.
    proven : bool
        No other way would move fewer of them, or as many with less harm.
    picture : Picture
        As everything would be.
    """

    published: Published
    moved: tuple[tuple[Session, Session], ...]
    lost: Mapping[str, Shortage]
    proposals: tuple[Proposal, ...]
    proven: bool
    picture: Picture


class _Undone(Exception):
    """Carries the answer out of the transaction, and thereby undoes it."""

    def __init__(self, forecast: Forecast) -> None:
        self.forecast = forecast


@use_case("what if", keyed=False)
def what_if(ports: Ports, principal: Principal, files: Sequence[Written]) -> Forecast:
    """Say what publishing these files would do to places, bookings and open tasks.

    It is published in a transaction that is undone: nothing is changed. Like publishing it holds
    the organisation's lock meanwhile; shortages and proposals are worked out after it is free.

    Raises
    ------
    InvalidInput
        As `publish` does.
    """
    scope_of("what if", principal)

    def body(unit: UnitOfWork) -> None:
        act = Act(ports, unit, principal, "what if")
        before = {s.task: s for s in unit.sessions.find() if is_place(s)}
        act.unit.lock((), whole=True)
        present = current_sources(act)
        published = put_in_force(act, read_given(act, files, present), present)
        act.log.write(unit)  # so that the picture sees the new file
        picture = ports.pictures.within(unit)
        places = {s.task: s for s in picture.index.sessions.values() if is_place(s)}
        moved = [(old, places[t]) for t, old in before.items() if t in places and places[t] != old]
        waiting.extend(must_move(act, picture))
        raise _Undone(Forecast(published, tuple(moved), {}, (), True, picture))

    waiting: list[Cannot] = []
    try:
        ports.store.run(principal.organisation, body)
    except _Undone as undone:
        found = undone.forecast
    picture = found.picture
    seen: list[Task | Appointment] = [visit for visit, *_ in waiting]
    seen += [picture.tasks[key] for key in found.published.lost if key in picture.tasks]
    note_looks(ports, principal, "what if", seen)
    harmed = sorted((picture.tasks[key] for key in found.published.lost), key=lambda t: t.urgency)
    lost = shortages(picture, harmed, picture.now)
    made = propose(ports, picture, waiting)
    return Forecast(found.published, found.moved, lost, made.proposals, made.proven, picture)
