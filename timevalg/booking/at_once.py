"""Claims that take milliseconds to plan: planned in their transaction, and many in one.

To a server a transaction costs more than what one patient asks of it. So those who come while
another is in its transaction wait, and are then done in one: the picture is brought up to date
once, each plans on what those before leave, all time is claimed by one `claim_each`, and one commit
ends it. Whoever is refused there leaves the others alone, and whatever else goes wrong undoes all
of it: they are then done one after the other, each in a transaction of their own. So what anybody
is answered, and what is written about it, is as if each had come alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from timevalg.booking.access import scope_of
from timevalg.booking.acting import Act, glance, picture_of, run
from timevalg.booking.claiming import ATTEMPTS, Wanted, attempts, claim, claim_each, overtaking
from timevalg.booking.gathered import Gathered
from timevalg.booking.line import Line
from timevalg.booking.once import begin_all, keep
from timevalg.booking.ports import Ports, UnitOfWork
from timevalg.booking.standing import require_standing
from timevalg.booking.together import Inside
from timevalg.model.errors import TimeTaken, TimevalgError, Unsure
from timevalg.model.principal import Principal
from timevalg.model.session import Session
from timevalg.solver.certificates import after
from timevalg.solver.picture import Picture

R = TypeVar("R")
C = TypeVar("C")

Find = Callable[[Act, Picture], tuple[Wanted, C]]
Body = Callable[[Act, Picture, C, Session], R]


def settle_at_once(
    ports: Ports,
    principal: Principal,
    verb: str,
    task: str,
    find: Find[C],
    body: Body[C, R],
) -> R:
    """Do as `claiming.settle` does, where planning takes milliseconds: in the transaction.

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
    call = _Call(ports, principal, verb, task, find, body)
    if ports.in_hand is None:
        line = ports.lines.setdefault(principal.organisation, Line())
        line.join(call, _serve)
        for _ in range(ATTEMPTS - 1):
            if call.is_settled:
                break
            line.join(call, _serve)
    return call.outcome()


@dataclass
class _Call(Generic[C, R]):
    """What one caller wants, and what came of it."""

    ports: Ports
    principal: Principal
    verb: str
    task: str
    find: Find[C]
    body: Body[C, R]
    done: bool = False
    result: R | None = None
    error: TimevalgError | None = None
    overtaken: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether it is no use to try it together with others again."""
        return self.done or self.error is not None or not self.overtaken

    def outcome(self) -> R:
        """Give what came of it together with others, or do it in a transaction of its own."""
        if self.error is not None:
            raise self.error
        return cast(R, self.result) if self.done else self.do_alone()

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


def _serve(calls: Sequence[_Call[Any, Any]]) -> None:
    """Do one call, or some in one transaction; what is not done then, its caller does alone."""
    first = calls[0]
    if len(calls) == 1:
        first.result, first.done = first.do_alone(), True
        return
    store, organisation = first.ports.store, first.principal.organisation
    here = [call for call in calls if call.ports.store is store]
    try:
        picture = picture_of(first.ports, first.principal)
        results = store.run(organisation, lambda unit: _in_one(unit, picture, here))
    except Unsure:
        for call in here:
            call.error = Unsure()
    except Exception:  # whoever it concerns meets it again, alone
        return
    else:
        for call, result in results:
            call.ports.saw(picture)
            call.result, call.done = result, True


def _leave_out(call: _Call[Any, Any], act: Act, *, overtaken: bool = False) -> None:
    """Go on without a call; not if it has begun to write."""
    call.overtaken = overtaken
    if act.log.events:
        raise TimeTaken("the task was opened for it; the time")


@dataclass
class _Planned:
    """A call whose plan stands."""

    call: _Call[Any, Any]
    act: Act
    wanted: Wanted
    plan: Any


def _in_one(
    unit: UnitOfWork, picture: Picture, calls: Sequence[_Call[Any, Any]]
) -> list[tuple[_Call[Any, Any], Any]]:
    """Plan calls one after the other, claim for all of them, and do what follows."""
    gathered = Gathered(unit)
    known = begin_all(unit, [call.ports.once for call in calls if call.ports.once is not None])
    fresh = [c for c in calls if c.ports.once is None or c.ports.once.id not in known]
    tasks = frozenset(call.task for call in fresh)
    gathered.unit.lock([f"t:{task}" for task in tasks])
    gathered.unit.tasks.find(id=tasks)
    planned, at = list[_Planned](), picture
    for call in fresh:
        ports = replace(call.ports, store=Inside(gathered.unit))
        act = Act(ports, gathered.unit, call.principal, call.verb)
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
    first = planned[0].act
    claiming = Act(first.ports, first.unit, first.principal, first.verb)
    taken = claim_each(claiming, picture, [one.wanted for one in planned])
    claiming.log.write(gathered.unit)
    gathered.know_cases(tasks)
    results = []
    for one, session in zip(planned, taken, strict=True):
        if session is None:
            _leave_out(one.call, one.act, overtaken=True)
            continue
        result = one.call.body(one.act, picture, one.plan, session)
        one.act.log.write(gathered.unit)
        if (once := one.call.ports.once) is not None:
            keep(gathered.unit, once, result, one.call.ports.keys.new("work"))
        results.append((one.call, result))
    gathered.write()
    return results
