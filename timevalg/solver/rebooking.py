"""Visits that cannot stand after a capacity loss: how few must move, and with the least harm.

Each keeps its time with other resources, or gets another time with a place, or is left as it is
where there is neither. No other visit is touched, and no place of others is lost. Repair proposes
one visit after the other; a prover is asked for all at once, first as if nobody had a place (no
answer can be better than that), then with the places that may move. What it answers counts only if
it can be carried out, visit after visit, each step seen by the verifier.

Source: design.md, "The choice guarantee" (G5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice

from timevalg.model.session import Session, SessionKind
from timevalg.model.task import Task
from timevalg.solver.ask import Ask
from timevalg.solver.assign import assignments, session_for
from timevalg.solver.certificates import Certificate, after, place_id
from timevalg.solver.complete import around, components, faults, without_others
from timevalg.solver.picture import Picture
from timevalg.solver.places import is_valid_place, make_room, place
from timevalg.solver.pose import Standing, Wish, pose, session_of
from timevalg.solver.problem import Problem, Solution, Solve
from timevalg.solver.search import feasible
from timevalg.solver.verify import broken

LOOKED_AT = 200
"""Assignments, and starts, that repair compares for the least harmful one."""
NEAR = 120
"""Places of others that a prover may move."""

Value = tuple[int, ...]
"""How much harm is done; less is better."""
NewKey = Callable[[], str]


@dataclass(frozen=True)
class LostVisit:
    """A booked visit that cannot stand.

    Attributes
    ----------
    session : Session
        The booking, as it is in the picture.
    task : Task
        By whose particulars it is served at its time; its `not_after` is the planned date.
    renewed : Task
        By which it would get another time: the same task, or one like it.
    done : frozenset of str
        Preparations done.
    """

    session: Session
    task: Task
    renewed: Task
    done: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Move:
    """What is to become of a visit that cannot stand.

    Attributes
    ----------
    certificate : Certificate or None
        The booking with other resources, or the place of the renewed task; None = it is left as
        it is.
    goal : Session or None
        Where it is once all are carried out: a later one may move a place on.
    """

    visit: LostVisit
    certificate: Certificate | None = None
    goal: Session | None = None

    @property
    def keeps_time(self) -> bool:
        """Whether it stays where it is, with other resources."""
        return self.certificate is not None and self.certificate.claim.kind is SessionKind.BOOKING


@dataclass(frozen=True)
class Moves:
    """What is to become of all of them.

    Attributes
    ----------
    moves : tuple of Move
        In the order in which they can be carried out.
    proven : bool
        No other way moves fewer (nothing found for fewer, of these those with the latest
        deadlines; then fewer times changed), or as few with less harm: past the planned date,
        on another day, with another clinician.
    """

    moves: tuple[Move, ...]
    proven: bool


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
        A prover, called unless nobody would notice anything.
    new_key : callable
        Gives the ids of bookings.
    """
    best = _one_by_one(picture, visits, new_key)
    least = _value(picture, [(m.visit, m.goal) for m in best])
    if not any(least):
        return Moves(tuple(best), True)
    questions = _questions(picture, visits)
    bounds = list[Value]()
    for question, answer in zip(questions, solve([q.problem for q in questions]), strict=True):
        goals = question.goals(answer)
        if goals is None:
            continue
        promised = _value(picture, list(zip(visits, goals, strict=True)))
        if question.whole and answer.proven:
            bounds.append(promised)
        if promised < least:
            found = _in_order(picture, visits, goals, question.places(answer), new_key)
            reached = _value(picture, [(m.visit, m.goal) for m in found]) if found else least
            if found and reached < least:
                best, least = found, reached
    return Moves(tuple(best), any(bound == least for bound in bounds))


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


def harms(picture: Picture, visit: LostVisit, new: Session) -> tuple[bool, bool, bool, timedelta]:
    """Tell how a visit would differ: past the planned date, another day, other clinicians, by."""
    clinic = picture.index.organisation.clinic(visit.task.clinic)
    old = visit.session
    was, day = (s.local_date(clinic.timezone) for s in (old, new))
    before, now = (clinic.service_of(s.pool or "") for s in (old, new))
    other = new.clinicians(now) != old.clinicians(before)
    return day > visit.task.not_after, day != was, other, abs(new.start - old.start)


def _move(visit: LostVisit, certificate: Certificate | None) -> Move:
    return Move(visit, certificate, None if certificate is None else certificate.claim)


def _ended(picture: Picture, moves: Iterable[Move]) -> list[Move]:
    """Give moves with where everybody is in the end."""
    sessions = picture.index.sessions
    return [m if m.goal is None else replace(m, goal=sessions[m.goal.id]) for m in moves]


def _value(picture: Picture, goals: Sequence[tuple[LostVisit, Session | None]]) -> Value:
    """Say how much harm is done; in the order of `timevalg.solver.pose.HARMS`."""
    nothing = [visit for visit, goal in goals if goal is None]
    latest = max((_deadline(visit) for visit, _ in goals), default=0)
    counts = [0] * 4
    for visit, goal in goals:
        if goal is not None:
            past, day, other, _ = harms(picture, visit, goal)
            for number, harmed in enumerate((goal.kind is SessionKind.PLACE, past, day, other)):
                counts[number] += harmed
    return len(nothing), sum(latest - _deadline(visit) for visit in nothing), *counts


def _deadline(visit: LostVisit) -> int:
    return (visit.renewed.deadline or visit.renewed.not_after).toordinal()


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
    ask, start = _ask(picture, visit), visit.session.start
    for resources in islice(assignments(picture.index, ask, start), LOOKED_AT):
        yield _booking(picture, ask, visit, resources)


def _ask(picture: Picture, visit: LostVisit) -> Ask:
    pool = visit.session.pool or ""
    ask = Ask.for_task(picture.index, visit.task, pool, picture.now, changing=True)
    return replace(ask, ignore=ask.ignore | {visit.session.id}, done=ask.done | visit.done)


def _booking(
    picture: Picture, ask: Ask, visit: LostVisit, resources: Mapping[str, tuple[str, ...]]
) -> Session:
    """Give the booking with other resources, under the id that it has."""
    old = visit.session
    new = session_for(
        picture.index.organisation,
        ask,
        old.start,
        resources,
        id=old.id,
        kind=SessionKind.BOOKING,
    )
    return replace(new, task=old.task)


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


# -- all at once, by a prover --------------------------------------------------------------------


@dataclass(frozen=True)
class _Question:
    """All visits at once, as a prover is asked.

    Attributes
    ----------
    whole : bool
        No way of carrying it out is missing among the answers, so that the best is a bound.
    """

    state: Picture
    visits: Sequence[LostVisit]
    wishes: Sequence[Wish]
    problem: Problem
    whole: bool

    def goals(self, answer: Solution) -> list[Session | None] | None:
        """Give where each visit would be, None for one left as it is; None = no answer."""
        if answer.seats is None:
            return None
        return [
            self._goal(visit, wish, answer)
            for visit, wish in zip(self.visits, self.wishes, strict=False)
        ]

    def places(self, answer: Solution) -> dict[str, Session]:
        """Give where the places of others would be, by their ids."""
        seats = answer.seats or {}
        found = [
            session_of(self.state, self.problem, wish, seats[wish.task.id])
            for wish in self.wishes[len(self.visits) :]
        ]
        return {s.id: s for s in found}

    def _goal(self, visit: LostVisit, wish: Wish, answer: Solution) -> Session | None:
        assert answer.seats is not None
        seat = answer.seats[wish.task.id]
        if seat.option < len(wish.asks):
            return session_of(self.state, self.problem, wish, seat)
        if seat.option > len(wish.asks) or wish.stands is None:
            return None
        ask = wish.stands.ask
        roles = self.state.index.plan.pool(ask.clinic, ask.pool).service.roles
        resources = {role.id: names for role, names in zip(roles, seat.names, strict=True)}
        return _booking(self.state, ask, visit, resources)


def _questions(picture: Picture, visits: Sequence[LostVisit]) -> list[_Question]:
    gone = [visit.session.id for visit in visits]
    counted = [_counts(picture, visit) for visit in visits]
    for visit in visits:
        picture = picture.with_task(visit.renewed)
    bare = picture.apply(removed=gone)
    others = _sharing(bare, visits, set(gone))
    near = [pair for pair in others[:NEAR] if is_valid_place(bare, *pair, bare.now)]
    state = bare.apply(removed=[s.id for _, s in near])
    wishes = [
        *(_wish(state, v, counts) for v, counts in zip(visits, counted, strict=True)),
        *(Wish(t, _places(state, t), True, place) for t, place in near),
    ]
    alone = [without_others(wish) for wish in wishes[: len(visits)]]
    return [
        _Question(state, visits, alone, pose(state, alone), True),
        _Question(state, visits, wishes, pose(state, wishes), len(near) == len(others)),
    ]


def _counts(picture: Picture, visit: LostVisit) -> bool:
    """Tell whether no quota has too many with the visit where it is."""
    ask, old = _ask(picture, visit), visit.session
    rest = around(picture, old)
    verdict = broken(picture.index.organisation, rest, ask, old.start, old.resources)
    return not any(fault.startswith("quota") for fault in verdict)


def _wish(state: Picture, visit: LostVisit, counts: bool) -> Wish:
    ask = replace(_ask(state, visit), count_places=True)
    stands = Standing(visit.session, ask, visit.task.not_after, counts)
    return Wish(visit.renewed, _places(state, visit.renewed), True, stands=stands)


def _places(state: Picture, task: Task) -> tuple[Ask, ...]:
    return tuple(Ask.for_place(state.index, task, pool, state.now) for pool in task.pools)


def _sharing(
    bare: Picture, visits: Sequence[LostVisit], gone: set[str]
) -> list[tuple[Task, Session]]:
    """Give those who have a place and share anything with a visit, those near in time first."""
    placed = {
        s.task: s
        for s in bare.index.sessions.values()
        if s.kind is SessionKind.PLACE and s.task in bare.tasks
    }
    ours = {visit.renewed.id for visit in visits}
    tasks = [v.renewed for v in visits] + [bare.tasks[t] for t in placed if t is not None]
    for visit in visits:  # the pool in which it is may be another; it is the same patient's
        here = (visit.session.pool or "",)
        tasks.append(replace(visit.renewed, id=f"now:{visit.renewed.id}", pools=here))
    shared = [
        (task, placed[task.id])
        for component in components(bare, tasks)
        if any(task.id in ours for task in component)
        for task in component
        if task.id in placed
    ]

    def far(pair: tuple[Task, Session]) -> tuple[timedelta, str]:
        return min(abs(pair[1].start - v.session.start) for v in visits), pair[0].id

    return sorted(shared, key=far)


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
        ask = replace(_ask(bare, visit), count_places=True)
        said = broken(
            then.index.organisation, around(then, claim), ask, claim.start, claim.resources
        )
        verdict = tuple(v for v in said if v.startswith(("resources", "patient")))
    return bool(verdict) or any(
        faults(then, then.tasks[s.task or ""], s, now) for s in certificate.moved
    )
