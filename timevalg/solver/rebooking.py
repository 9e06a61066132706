"""Visits that cannot stand after a capacity loss: how few must move, and with the least harm.

Each keeps its time with other resources, or gets another time with a place, or is left as it is
where there is neither. No other visit is touched, and no place of others is lost. Repair proposes
one visit after the other; a prover is asked for all at once, first as if nobody had a place (no
answer can be better than that), then with the places that may move. What it answers counts only if
it can be carried out, visit after visit, each step seen by the verifier.

Source: docs/guarantee.md, G5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from timevalg.model.session import Session, SessionKind, role_span
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assignments, session_for
from timevalg.solver.certificates import Certificate, after, place_id
from timevalg.solver.complete import around, faults
from timevalg.solver.lost_visits import (
    LostVisit,
    Move,
    Moves,
    Value,
    ask_of,
    booking_with,
    harm_of,
    harms,
)
from timevalg.solver.picture import Picture
from timevalg.solver.places import make_room, place
from timevalg.solver.problem import Solve
from timevalg.solver.rebooking_questions import questions
from timevalg.solver.search import feasible
from timevalg.solver.verify import absent, broken

LOOKED_AT = 200
"""Assignments, and starts, that repair compares for the least harmful one."""
NewKey = Callable[[], str]


def least_moves(
    picture: Picture, visits: Sequence[LostVisit], solve: Solve, new_key: NewKey
) -> Moves:
    """Say what is to become of visits that cannot stand.

    Parameters
    ----------
    picture : Picture
        As it is, their bookings included.
    visits : sequence of LostVisit
        In the order in which they are to be looked after.
    solve : callable
        A prover, called unless repair does as little harm as any way would.
    new_key : callable
        Gives the ids of bookings.
    """
    best = _one_by_one(picture, visits, new_key)
    least = harm_of(picture, [(m.visit, m.goal) for m in best])
    if least == _floor(picture, visits):
        return Moves(tuple(best), True)
    asked = questions(picture, visits)
    bounds = list[Value]()
    for question, answer in zip(asked, solve([q.problem for q in asked]), strict=True):
        goals = question.goals(answer)
        if goals is None:
            continue
        promised = harm_of(picture, list(zip(visits, goals, strict=True)))
        if question.whole and answer.proven:
            bounds.append(promised)
        if promised < least:
            found = _in_order(picture, visits, goals, question.places(answer), new_key)
            reached = harm_of(picture, [(m.visit, m.goal) for m in found]) if found else least
            if found and reached < least:
                best, least = found, reached
    return Moves(tuple(best), any(bound == least for bound in bounds))


def _floor(picture: Picture, visits: Sequence[LostVisit]) -> Value:
    """Say how much harm is done whatever is found: all keep their time, with whoever is there."""
    return 0, 0, 0, 0, 0, sum(_loses_clinician(picture, visit) for visit in visits)


def _loses_clinician(picture: Picture, visit: LostVisit) -> bool:
    """Tell whether one of a visit's clinicians is there for none of its roles at its time."""
    old, extra = visit.session, ask_of(picture, visit).extra
    organisation = picture.index.organisation
    service = organisation.clinic(old.clinic).service_of(old.pool or "")
    spans = [role_span(r, old.start, extra) for r in service.roles if r.kind == "clinician"]
    return any(
        all(absent(organisation, replace(old, spans={name: span})) for span in spans)
        for name in old.clinicians(service)
    )


def alone(picture: Picture, moves: Moves, visit: LostVisit, new_key: NewKey) -> Move:
    """Give what can be done for one visit now, the others as they are.

    What `least_moves` says of it, or where that has to wait for another visit to leave, what
    harms least without.
    """
    move = next(m for m in moves.moves if m.visit.session.id == visit.session.id)
    if move.certificate is None or move is moves.moves[0]:
        return _move(visit, move.certificate)
    certificate = None
    if move.goal is not None:
        certificate = _step(picture, visit, move.goal, {}, new_key)
    return _move(visit, certificate or _repaired(picture, visit, new_key))


def _move(visit: LostVisit, certificate: Certificate | None) -> Move:
    return Move(visit, certificate, None if certificate is None else certificate.claim)


def _ended(picture: Picture, moves: Iterable[Move]) -> list[Move]:
    """Give moves with where everybody is in the end."""
    sessions = picture.index.sessions
    return [m if m.goal is None else replace(m, goal=sessions[m.goal.id]) for m in moves]


# -- one visit after the other, by repair --------------------------------------------------------


def _one_by_one(picture: Picture, visits: Sequence[LostVisit], new_key: NewKey) -> list[Move]:
    moves = []
    for visit in visits:
        certificate = _repaired(picture, visit, new_key)
        moves.append(_move(visit, certificate))
        if certificate is not None:
            picture = after(picture.with_task(visit.renewed), certificate)
    return _ended(picture, moves)


def _repaired(picture: Picture, visit: LostVisit, new_key: NewKey) -> Certificate | None:
    """Find what harms least for one visit: other resources, else another time."""
    for goal in sorted(_at_its_time(picture, visit), key=lambda s: _strange(picture, visit, s)):
        certificate = _step(picture, visit, goal, {}, new_key)
        if certificate is not None:
            return certificate
    bare = picture.apply(removed=[visit.session.id]).with_task(visit.renewed)
    free = min(_free(bare, visit.renewed), key=lambda s: harms(picture, visit, s), default=None)
    if free is not None:
        return Certificate((free,), (visit.session,))
    found = place(bare, visit.renewed, picture.now)
    return replace(found, released=(visit.session,)) if found is not None else None


def _strange(picture: Picture, visit: LostVisit, goal: Session) -> tuple[bool, int]:
    """Tell whether the clinicians are others, and how many resources are."""
    had = {name for names in visit.session.resources.values() for name in names}
    new = [name for names in goal.resources.values() for name in names if name not in had]
    return harms(picture, visit, goal)[2], len(new)


def _at_its_time(picture: Picture, visit: LostVisit) -> Iterator[Session]:
    """Give the visit at its time with each set of resources that are free for it."""
    ask, start = ask_of(picture, visit), visit.session.start
    for resources in islice(assignments(picture.index, ask, start), LOOKED_AT):
        yield booking_with(picture, ask, visit, resources)


def _free(bare: Picture, renewed: Task) -> Iterator[Session]:
    """Give valid places that displace nobody, each start with the first who can serve it."""
    for pool in renewed.pools:
        ask = Ask.for_place(bare.index, renewed, pool, bare.now)
        for start in islice(feasible(bare.index, ask).instants(), LOOKED_AT):
            for resources in islice(assignments(bare.index, ask, start), 8):
                yield session_for(
                    bare.index.organisation,
                    ask,
                    start,
                    resources,
                    id=place_id(renewed),
                    kind=SessionKind.PLACE,
                )


# -- carrying it out -----------------------------------------------------------------------------


def _in_order(
    picture: Picture,
    visits: Sequence[LostVisit],
    goals: Sequence[Session | None],
    places: Mapping[str, Session],
    new_key: NewKey,
) -> list[Move] | None:
    """Reach the goals one after the other, each by a certificate; None if there is no such order.

    Parameters
    ----------
    places : mapping
        Where the places of others may all go at once, if repair finds no room.
    """
    left = [Move(v) for v, goal in zip(visits, goals, strict=True) if goal is None]
    waiting = [(v, goal) for v, goal in zip(visits, goals, strict=True) if goal is not None]
    done: list[Move] = []
    while waiting:
        for pair in waiting:
            certificate = _step(picture, *pair, places, new_key)
            if certificate is not None:
                break
        else:
            return None
        waiting.remove(pair)
        done.append(_move(pair[0], certificate))
        picture = after(picture.with_task(pair[0].renewed), certificate)
    return [*_ended(picture, done), *left]


def _step(
    picture: Picture,
    visit: LostVisit,
    goal: Session,
    places: Mapping[str, Session],
    new_key: NewKey,
) -> Certificate | None:
    """Give the certificate by which a visit gets where it shall be, if it can now."""
    old = visit.session
    bare = picture.apply(removed=[old.id])
    if goal.kind is SessionKind.BOOKING:
        goal = replace(goal, id=new_key())
    else:
        bare = bare.with_task(visit.renewed)
    made, lost = make_room(bare, goal, bare.now, override=False)
    changed = [
        s for s in places if s in bare.index.sessions and bare.index.sessions[s] != places[s]
    ]
    was = tuple(bare.index.sessions[name] for name in changed)
    all_at_once = Certificate((goal,), (), was, tuple(places[name] for name in changed))
    for certificate in [all_at_once] if lost else [made, all_at_once]:
        found = replace(certificate, released=(old,))
        if not _faults(bare, visit, certificate):
            return found
    return None


def _faults(bare: Picture, visit: LostVisit, certificate: Certificate) -> bool:
    """Tell whether the verifier finds anything wrong with a certificate once it is used."""
    then, claim, now = after(bare, certificate), certificate.claim, bare.now
    if claim.kind is SessionKind.PLACE:
        verdict = faults(then, visit.renewed, claim, now)
    else:
        ask = replace(ask_of(bare, visit), count_places=True)
        said = broken(
            then.index.organisation, around(then, claim), ask, claim.start, claim.resources
        )
        verdict = tuple(v for v in said if v.startswith(("resources", "patient")))
    return bool(verdict) or any(
        faults(then, then.tasks[s.task or ""], s, now) for s in certificate.moved
    )
