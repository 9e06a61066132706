"""The one tree of errors.

::

    TimevalgError
    ├── InvalidInput          what was given is wrong; ``problems`` says where and how to mend it
    ├── NotSignedOn           the token is not believed; sign on (again)
    ├── NotFound              no such thing, or not yours to see
    ├── NotAllowed            the principal may not do this
    ├── IllegalMove           the state of the thing does not allow the move
    ├── Conflict
    │   ├── StaleVersion      somebody changed it since you read it
    │   ├── TimeTaken         the time went to someone else; ``alternatives`` are still free
    │   ├── RuleBroken        a rule of the clinic forbids the time; ``broken`` names it
    │   ├── WouldStrand       a staff booking would leave the named ``tasks`` without a time
    │   └── InFlight          the same call is being answered at this moment
    ├── KeyReused             the idempotency key belongs to another call
    ├── NotServable           no valid place: the ``shortage`` is named, nothing was sent
    ├── CursorLost            the event feed does not know the cursor (any more)
    ├── LeaseLost             another worker has taken the work over
    ├── NotYet                too early; ``until`` says when
    ├── NotDelivered          a channel is certain that nothing has left; ``forever`` = nor will it
    ├── Unsure                the database did not say whether the change was made
    └── Busy                  too many at once; try again

Every error carries its facts as attributes and says what is wrong, where, and what to do.
HTTP codes are known in ``api`` only.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

T = TypeVar("T")
Made = TypeVar("Made")


INPUT = "input"
"""Where a value stands that was given with a call, not in a file."""


class TimevalgError(Exception):
    """Root of everything timevalg raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with some input.

    Attributes
    ----------
    where : str
        File (or source) name.
    line : int or None
        Line in it, counted from 1.
    key : str
        Path of the offending key, such as ``pools[0].raster``.
    message : str
        What is wrong, the value in question, and what would mend it.
    """

    where: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class InvalidInput(TimevalgError):
    """Input that breaks the format; all problems in one go."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    @classmethod
    def single(cls, key: str, message: str, where: str = INPUT) -> InvalidInput:
        """Make the error for one problem outside any file."""
        return cls([Problem(where, None, key, message)])

    @classmethod
    def each(cls, name: str, given: Iterable[T], read: Callable[[T], Made]) -> list[Made]:
        """Read each of many; everything that is wrong is said in one go, by number.

        Parameters
        ----------
        name : str
            What the many are called: ``invitations`` gives ``invitations[0].patient``. Of a single
            one the key alone is given.

        Raises
        ------
        InvalidInput
            Of many also where one names what is not there.
        NotFound
            If the only one does.
        """
        rows, made, problems = list(given), list[Made](), list[Problem]()
        for number, row in enumerate(rows):
            try:
                made.append(read(row))
            except InvalidInput as error:
                place = f"{name}[{number}]." if len(rows) > 1 else ""
                problems += [replace(p, key=f"{place}{p.key}".rstrip(".")) for p in error.problems]
            except NotFound as error:
                if len(rows) == 1:
                    raise
                problems.append(Problem(INPUT, None, f"{name}[{number}]", str(error)))
        if problems:
            raise cls(problems)
        return made


class NotSignedOn(TimevalgError):
    """Nobody knows who asks: there is no token, or it does not hold.

    The message never repeats what the token said.
    """


class NotFound(TimevalgError):
    """There is no such thing in this organisation, or it is not yours to see."""

    def __init__(self, kind: str, key: str) -> None:
        self.kind, self.key = kind, key
        super().__init__(f"there is no {kind} {key!r} here")


class NotAllowed(TimevalgError):
    """The principal's role does not allow the verb."""

    def __init__(self, verb: str, role: str, why: str = "") -> None:
        self.verb, self.role = verb, role
        super().__init__(f"a {role} may not {verb}" + (f": {why}" if why else ""))


class IllegalMove(TimevalgError):
    """A move that the state table does not have."""

    def __init__(self, kind: str, key: str, state: str, verb: str, hint: str = "") -> None:
        self.kind, self.key, self.state, self.verb = kind, key, state, verb
        super().__init__(
            f"{kind} {key} is {state}: {verb!r} is not possible then"
            + (f"; {hint}" if hint else "")
        )


class OnlyChoosable(IllegalMove):
    """A time that can be chosen at once, but not held: then nothing might be left."""

    def __init__(self, task: str, state: str) -> None:
        hint = "it can be chosen at once, but nothing else would be left if a hold ran out"
        super().__init__("task", task, state, "hold", hint)


class Conflict(TimevalgError):
    """Somebody else was there first."""


class StaleVersion(Conflict):
    """The thing has changed since the caller read it.

    Attributes
    ----------
    changes : tuple of Event
        What happened to it since, oldest first, each with the facts before and after.
    """

    def __init__(
        self,
        kind: str,
        key: str,
        expected: int,
        actual: int,
        state: str = "",
        changes: Sequence[Any] = (),
    ) -> None:
        self.kind, self.key = kind, key
        self.expected, self.actual, self.state = expected, actual, state
        self.changes = tuple(changes)
        now = f"{actual} ({state})" if state else f"{actual}"
        since = ", ".join(change.type for change in self.changes)
        super().__init__(
            f"{kind} {key} is at version {now}, you have {expected}"
            + (f"; since then: {since}" if since else "")
            + ": read it again and decide anew"
        )


class TimeTaken(Conflict):
    """The time is no longer free, or no longer safe to give away, or it has passed.

    Attributes
    ----------
    alternatives : tuple of Offer
    zone : tzinfo
        The clinic's, in which they are told.
    """

    def __init__(
        self,
        what: str,
        alternatives: Sequence[Any] = (),
        zone: tzinfo = UTC,
        *,
        passed: bool = False,
    ) -> None:
        self.what, self.alternatives, self.zone = what, tuple(alternatives), zone
        super().__init__(f"{what} {'has passed' if passed else 'is taken'}; choose another time")


class RuleBroken(Conflict):
    """The time breaks rules of the clinic.

    Attributes
    ----------
    broken : tuple of str
        One sentence a rule, beginning with the rule's name.
    """

    def __init__(self, broken: Sequence[str]) -> None:
        self.broken = tuple(broken)
        super().__init__("; ".join(self.broken))


class InFlight(Conflict):
    """A call with the same idempotency key has begun and not ended."""

    def __init__(self, verb: str) -> None:
        self.verb = verb
        super().__init__(
            f"{verb!r} with this idempotency key is being done at this moment; "
            "ask again with the same key to get its answer"
        )


class KeyReused(TimevalgError):
    """The idempotency key was used for something else.

    Attributes
    ----------
    verb : str
        What it was used for.
    """

    def __init__(self, verb: str) -> None:
        self.verb = verb
        super().__init__(
            f"this idempotency key has been used for another {verb!r}; "
            "give each new request a key of its own"
        )


class NotServable(TimevalgError):
    """No valid place can be found: the promise could not be kept."""

    def __init__(self, task: str, shortage: Any) -> None:
        self.task, self.shortage = task, shortage
        super().__init__(f"task {task} gets no valid place: {shortage}")


class WouldStrand(Conflict):
    """A booking by staff would leave somebody without a time."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = tuple(tasks)
        super().__init__(
            "this would leave without a time: "
            + ", ".join(self.tasks)
            + "; choose another time, or override with a reason"
        )


class CursorLost(TimevalgError):
    """The feed has no event that the cursor names: so it is after a restore to an earlier point."""

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        super().__init__(
            f"the feed has no event {cursor!r}: it is another feed, or was restored to an earlier "
            "point; read it from the beginning and compare by refs and versions"
        )


class LeaseLost(TimevalgError):
    """The lease ran out and another worker has the work; its result counts, not this one."""

    def __init__(self, work: str) -> None:
        self.work = work
        super().__init__(f"work {work} was taken over by another worker; nothing was changed")


class NotYet(TimevalgError):
    """It may not be done before `until`: a limit of a channel, or the quiet hours."""

    def __init__(self, what: str, until: datetime) -> None:
        self.what, self.until = what, until
        super().__init__(f"{what}: not before {until.isoformat()}")


class NotDelivered(TimevalgError):
    """A channel is certain that nothing has left the house.

    Attributes
    ----------
    forever : bool
        The receiver will not take it another time either.
    """

    def __init__(self, channel: str, why: str, *, forever: bool = False) -> None:
        self.channel, self.why, self.forever = channel, why, forever
        super().__init__(f"{channel}: not delivered: {why}")


class Unsure(TimevalgError):
    """The connection broke while the change was being made: read again before doing it again."""

    def __init__(self) -> None:
        super().__init__(
            "the database did not say whether the change was made; read it again and see"
        )


class Busy(TimevalgError):
    """Too much is going on at once; nothing was changed."""

    def __init__(self, what: str = "the database") -> None:
        super().__init__(f"{what} is busy; nothing was changed, try again in a moment")


def places(error: BaseException, most: int) -> list[str]:
    """Give the places in the code an error came through, `most` of the innermost of them."""
    frames = traceback.extract_tb(error.__traceback__)[-most:]
    return [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames]
