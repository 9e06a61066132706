"""Claims that take milliseconds to plan, and looks: many at the same moment in one transaction.

To a server a transaction costs more than what one patient asks of it. So those who come while
another is in its transaction wait, and are then done in one: the picture is brought up to date
once, each plans on what those before leave, all time is claimed by one `claim_each`, and one commit
ends it. Whoever is refused there leaves the others alone, and whatever else goes wrong undoes all
of it: each is then done in their own thread, in a transaction of their own. So what anybody is
answered, and what is written about it, is as if each had come alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar, cast

import structlog

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act
from timevalg.booking.attempts import ATTEMPTS, attempts, overtaking
from timevalg.booking.claiming import Wanted, claim, claim_each
from timevalg.booking.gathered import Gathered
from timevalg.booking.line import Line
from timevalg.booking.once import begin_all, keep
from timevalg.booking.ports import Ports
from timevalg.booking.running import glance, run, write_down
from timevalg.booking.standing import require_standing
from timevalg.booking.together import Inside
from timevalg.booking.unit_of_work import UnitOfWork
from timevalg.model.errors import TimeTaken, TimevalgError, Unsure
from timevalg.model.principal import Principal
from timevalg.model.session import Session
from timevalg.model.task import Task
from timevalg.solver.certificates import after
from timevalg.solver.picture import Picture

_log = structlog.get_logger(__name__)

R = TypeVar("R")
C = TypeVar("C")

PATIENCE = 0.01
"""Seconds that a claim waits for others, where many come: a tenth of what it takes then."""

Find = Callable[[Act, Picture], tuple[Wanted, C]]
Body = Callable[[Act, Picture, C, Session], R]
Ahead = Callable[[Gathered, Sequence[Task]], None]


def settle_at_once(
    ports: Ports,
    principal: Principal,
    verb: str,
    task: str,
    find: Find[C],
    body: Body[C, R],
) -> R:
    """Do as `attempts.settle` does, where planning takes milliseconds: in the transaction.

    Parameters
    ----------
    task : str
        The id of the task that time is claimed for.
    find : callable
        Plans: gives what to claim, and what `body` needs to know. It writes nothing, unless the
        task's time has come to be opened.
    body : callable
        Given what was claimed, does the rest.

    Raises
    ------
    NotAllowed
        If the principal's role has no right to the verb at all.
    TimeTaken
        If `find` says so, or three plans in a row were overtaken.
    """
    scope_of(verb, principal)
    call = _Claim(ports, principal, verb, task, find, body)
    if ports.in_hand is None:
        line = ports.lines.setdefault(principal.organisation, Line(PATIENCE))
        line.join(call, _serve_claims)
        for _ in range(ATTEMPTS - 1):
            if call.is_settled:
                break
            line.join(call, _serve_claims)
    return call.outcome()


def look_at_once(
    ports: Ports,
    principal: Principal,
    verb: str,
    task: str,
    body: Callable[[Act], R],
    ahead: Ahead,
) -> R:
    """Do as `acting.run` does, together with others who look at the same moment.

    Parameters
    ----------
    task : str
        The id of the task that is looked at.
    body : callable
        Claims nothing, and writes nothing but who looked.
    ahead : callable
        Reads at once what the bodies will ask for about some tasks.
    """
    if ports.once is not None or ports.in_hand is not None:
        return run(ports, principal, verb, body)
    scope_of(verb, principal)
    call = _Look(ports, principal, verb, task, body, ahead)
    line = ports.lines.setdefault(f"{principal.organisation} {verb}", Line())
    line.join(call, _serve_looks)
    return call.outcome()


@dataclass
class _Call(ABC, Generic[R]):
    """What one caller wants, and what came of it."""

    ports: Ports
    principal: Principal
    verb: str
    task: str
    done: bool = field(default=False, init=False)
    result: R | None = field(default=None, init=False)
    error: TimevalgError | None = field(default=None, init=False)

    def outcome(self) -> R:
        """Give what came of it together with others, or do it in a transaction of its own."""
        if self.error is not None:
            raise self.error
        return cast(R, self.result) if self.done else self.do_alone()

    @abstractmethod
    def do_alone(self) -> R:
        """Do it in a transaction of its own."""

    def act_in(self, gathered: Gathered) -> Act:
        """Give the act of it in a transaction that others are done in too."""
        ports = replace(self.ports, store=Inside(gathered.unit))
        return Act(ports, gathered.unit, self.principal, self.verb, hurried=True)


@dataclass
class _Look(_Call[R]):
    """One that only looks."""

    body: Callable[[Act], R]
    ahead: Ahead

    def do_alone(self) -> R:
        """Do it in a transaction of its own."""
        return run(self.ports, self.principal, self.verb, self.body)


@dataclass
class _Claim(_Call[R], Generic[C, R]):
    """One that claims time."""

    find: Find[C]
    body: Body[C, R]
    overtaken: bool = field(default=False, init=False)

    @property
    def is_settled(self) -> bool:
        """Whether it is no use to try it together with others again."""
        return self.done or self.error is not None or not self.overtaken

    def do_alone(self) -> R:
        """Do it in a transaction of its own."""
        return attempts(self.ports, self.principal, self._attempt, self._seek)

    def _attempt(self, picture: Picture) -> R:
        planned = False

        def transaction(act: Act) -> R:
            nonlocal planned
            planned = False
            wanted, plan = self.find(act, picture)
            planned = True
            taken = claim(act, picture, wanted.certificate, wanted.ask)
            return self.body(act, picture, plan, taken)

        with overtaking(lambda: planned):
            return run(self.ports, self.principal, self.verb, transaction)

    def _seek(self, picture: Picture) -> object:
        look: Callable[[Act], object] = lambda act: self.find(act, picture)  # noqa: E731 - typed
        return glance(self.ports, self.principal, self.verb, look)


Call = TypeVar("Call", bound=_Call[Any])
Results = list[tuple[Call, Any]]


def _serve(calls: Sequence[Call], together: Callable[[Sequence[Call]], Results[Call]]) -> None:
    """Do one call, or some in one transaction; what is not done then, its caller does alone."""
    first = calls[0]
    if len(calls) == 1:
        first.result, first.done = first.do_alone(), True
        return
    here = [call for call in calls if call.ports.store is first.ports.store]
    try:
        results = together(here)
    except Unsure:
        for call in here:
            call.error = Unsure()
    except Exception as error:  # whoever it concerns meets it again, alone
        _log.info("done apart", calls=len(here), why=type(error).__name__)
    else:
        for call, result in results:
            call.result, call.done = result, True


def _serve_looks(calls: Sequence[_Look[Any]]) -> None:
    _serve(calls, _look_together)


def _look_together(calls: Sequence[_Look[Any]]) -> Results[_Look[Any]]:
    """Look in one transaction; who is refused is left out."""

    def transaction(unit: UnitOfWork) -> Results[_Look[Any]]:
        gathered, results = Gathered(unit), Results[_Look[Any]]()
        first.ahead(gathered, gathered.unit.tasks.find(id=_alone(gathered, calls)))
        for call in calls:
            act = call.act_in(gathered)
            try:
                require_standing(act.unit, call.principal, call.verb)
                results.append((call, call.body(act)))
            except TimevalgError:
                continue
            act.log.write(gathered.unit)
        gathered.write()
        return results

    first = calls[0]
    return first.ports.store.run(first.principal.organisation, transaction)


def _alone(gathered: Gathered, calls: Sequence[_Call[Any]]) -> frozenset[str]:
    """Lock the tasks that calls are about, before anything is read or written; gives their ids."""
    tasks = frozenset(call.task for call in calls)
    gathered.unit.lock([f"t:{task}" for task in tasks])
    return tasks


def _serve_claims(calls: Sequence[_Claim[Any, Any]]) -> None:
    _serve(calls, _claim_together)


def _claim_together(calls: Sequence[_Claim[Any, Any]]) -> Results[_Claim[Any, Any]]:
    first = calls[0]
    return first.ports.store.run(first.principal.organisation, lambda unit: _in_one(unit, calls))


def _leave_out(call: _Claim[Any, Any], act: Act, *, overtaken: bool = False) -> None:
    """Go on without a call; not if it has begun to write."""
    call.overtaken = overtaken
    if act.log.events:
        raise TimeTaken("the task was opened for it; the time")


@dataclass
class _Planned:
    """A call whose plan stands."""

    call: _Claim[Any, Any]
    act: Act
    wanted: Wanted
    plan: Any


def _in_one(unit: UnitOfWork, calls: Sequence[_Claim[Any, Any]]) -> Results[_Claim[Any, Any]]:
    """Plan calls one after the other, claim for all of them, and do what follows."""
    gathered = Gathered(unit)
    known = begin_all(unit, [call.ports.once for call in calls if call.ports.once is not None])
    fresh = [c for c in calls if c.ports.once is None or c.ports.once.id not in known]
    tasks = _alone(gathered, fresh)
    picture = calls[0].ports.pictures.current(unit.organisation, unit)
    gathered.knows("tasks", [picture.tasks[key] for key in tasks if key in picture.tasks])
    planned, at = list[_Planned](), picture
    for call in fresh:
        act = call.act_in(gathered)
        try:
            require_standing(act.unit, call.principal, call.verb)
            wanted, plan = call.find(act, at)
        except TimevalgError:
            _leave_out(call, act)
            continue
        planned.append(_Planned(call, act, wanted, plan))
        at = after(at, wanted.certificate)
    if not planned:
        return []
    claiming = planned[0].call.act_in(gathered)
    taken = claim_each(claiming, picture, [one.wanted for one in planned])
    write_down(claiming)
    gathered.know_cases(tasks)
    results = Results[_Claim[Any, Any]]()
    for one, session in zip(planned, taken, strict=True):
        if session is None:
            _leave_out(one.call, one.act, overtaken=True)
            continue
        result = one.call.body(one.act, picture, one.plan, session)
        write_down(one.act)
        results.append((one.call, result))
        one.call.ports.saw(picture)
    answers = {c.ports.once: result for c, result in results if c.ports.once is not None}
    if answers:
        keep(gathered.unit, answers, claiming.ports.keys.new("work"))
    gathered.write()
    return results
