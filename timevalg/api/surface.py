"""How a route is declared: it names its use case, and what it needs of the request follows.

A route whose use case has no access rule fails when its module is imported: the server does not
start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from inspect import signature
from typing import Annotated, Any, TypeVar, get_type_hints

from fastapi import APIRouter, Depends, Header, Request, Response, params
from pydantic import BaseModel

from timevalg.api.problems import Problem
from timevalg.api.schemas.problem import ProblemOut
from timevalg.booking.access import ACCESS, scope_of
from timevalg.booking.ports import Ports
from timevalg.model.errors import NotAllowed
from timevalg.model.principal import Principal, RoleName

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
ALWAYS = (400, 401, 403, 404, 405, 409, 413, 414, 422, 429, 500, 503, 504)
"""Statuses that any operation may answer with, as problem details."""
WORDS = {
    400: "Bad request, or Idempotency-Key missing",
    401: "Not signed on",
    403: "Not allowed",
    404: "Not found, or not yours",
    405: "No such method",
    409: "Conflict; with alternatives where a time is taken",
    410: "The feed does not know the cursor",
    412: "Changed since it was read",
    413: "Too large",
    414: "Address too long",
    415: "Unknown media type",
    422: "Invalid input, or the key was used for something else",
    428: "If-Match missing",
    429: "Too many requests",
    500: "Our fault",
    503: "Busy; nothing was changed",
    504: "Too slow; it may have happened",
}


ETAG = {"description": "Its version, for If-Match.", "schema": {"type": "string"}}


def described(statuses: Collection[int]) -> dict[int | str, dict[str, Any]]:
    """Give what the document says of answers that are problem details."""
    return {s: {"description": WORDS[s], "model": ProblemOut} for s in sorted(statuses)}


class Surface(APIRouter):
    """The routes of those who call in some roles; whoever has another has no business on them.

    Parameters
    ----------
    roles : collection of RoleName
    """

    def __init__(self, *, roles: Collection[RoleName], **more: Any) -> None:
        super().__init__(**more)
        self._roles = frozenset(roles)

    def operation(
        self,
        method: str,
        path: str,
        use: str,
        *,
        books: bool = False,
        changes: bool = False,
        unversioned: str = "",
        gone: bool = False,
        status: int = 200,
        name: str = "",
        links: Mapping[str, Mapping[str, str]] | None = None,
        **more: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Declare the route of a use case; the function's name is the operation id.

        Parameters
        ----------
        use : str
            The use case's verb, a row of `booking.access.ACCESS`.
        books : bool
            It takes time: an ``Idempotency-Key`` is required.
        changes : bool
            It changes something that has a version: ``If-Match`` is required.
        unversioned : str
            Why it needs none, though it is no GET.
        gone : bool
            It reads from a cursor, which may be lost.
        name : str
            Another operation id than the function's name.
        links : mapping
            Operation id → parameter → where the answer has its value (a runtime expression of
            OpenAPI): what can be asked next.

        Raises
        ------
        LookupError
            If there is no access rule for the verb that lets any role of this surface.
        ValueError
            If it says neither that it wants If-Match nor why not.
        """
        roles = sorted(self._roles & ACCESS.get(use, {}).keys())
        if not roles:
            raise LookupError(f"{method} {path} names {use!r}, which has no access rule here")
        writes = method != "GET"
        if writes is not (changes or bool(unversioned)):
            raise ValueError(f"{method} {path}: say that it changes a version, or why it does not")
        needed = [d for d, on in ((_json, writes), (_key, books), (_version, changes)) if on]
        statuses = {
            *ALWAYS,
            *((410,) if gone else ()),
            *((415,) if writes else ()),
            *((412, 428) if changes else ()),
        }
        responses = more.pop("responses", {}) | described(statuses)
        extra = {"x-use-case": use, "x-roles": roles, **more.pop("openapi_extra", {})}
        if unversioned:
            extra["x-without-if-match"] = unversioned
        told: dict[str, Any] = responses.setdefault(status, {})
        if links:
            told["links"] = {
                name: {"operationId": name, "parameters": dict(parameters)}
                for name, parameters in links.items()
            }

        def declare(endpoint: Endpoint) -> Endpoint:
            needs = [Depends(need) for need in needed if need not in _taken_by(endpoint)]
            if "response" in signature(endpoint).parameters:  # what it is for: to `tag`
                told["headers"] = {"ETag": ETAG}
            self.add_api_route(
                path,
                _worded(endpoint, status),
                methods=[method],
                status_code=status,
                operation_id=name or endpoint.__name__,
                dependencies=[Depends(_allowed(use, self._roles)), *needs],
                responses=responses,
                openapi_extra=extra,
                **more,
            )
            return endpoint

        return declare


def _taken_by(endpoint: Endpoint) -> set[object]:
    """Give what an endpoint itself depends on: FastAPI would find it out of the request twice."""
    hints = get_type_hints(endpoint, include_extras=True).values()
    notes = (note for hint in hints for note in getattr(hint, "__metadata__", ()))
    return {note.dependency for note in notes if isinstance(note, params.Depends)}


def _worded(endpoint: Endpoint, status: int) -> Callable[..., Any]:
    """Let an endpoint put its answer into JSON in the thread that it has: FastAPI takes another."""

    @wraps(endpoint)
    def answering(**named: Any) -> Any:
        found = endpoint(**named)
        if not isinstance(found, BaseModel):
            return found
        answer = Response(
            found.model_dump_json(by_alias=True), status, media_type="application/json"
        )
        if (told := named.get("response")) is not None:
            answer.headers.raw.extend(told.headers.raw)
        return answer

    return answering


# Dependencies that do not touch the database are coroutines: no thread is needed for them.


def _allowed(use: str, roles: Collection[RoleName]) -> Callable[..., Any]:
    """Refuse a role that has no right to the use case before anything of the request is judged.

    One that has no business on the surface has none either.
    """

    async def allowed(request: Request) -> None:
        role = request.state.principal.role
        if role not in roles:
            raise NotAllowed(use, role, "this address is for others")
        scope_of(use, request.state.principal)

    return allowed


async def _json(request: Request) -> None:
    """Refuse a body that FastAPI would not read as JSON, where it is to be JSON."""
    if request.scope["route"].body_field is None or not await request.body():
        return
    main, _, sub = request.headers.get("content-type", "").partition(";")[0].partition("/")
    sub = sub.strip().lower()
    if main.strip().lower() != "application" or not (sub == "json" or sub.endswith("+json")):
        raise Problem("media-type", "send the body as application/json")


_KeyHeader = Annotated[
    str | None,
    Header(min_length=1, max_length=200, description="Yours; the same again does no harm."),
]


async def _maybe_key(idempotency_key: _KeyHeader = None) -> str | None:
    return idempotency_key


async def _key(idempotency_key: _KeyHeader = None) -> str:
    if idempotency_key is None:
        raise Problem("key-missing", "this takes time: send an Idempotency-Key")
    return idempotency_key


async def _version(
    if_match: Annotated[
        str | None, Header(max_length=40, description="The ETag you read, or * for any.")
    ] = None,
) -> int | None:
    if if_match is None:
        raise Problem("version-missing", "this changes what you read: send its ETag as If-Match")
    if if_match.strip() == "*":
        return None
    bare = if_match.strip().removeprefix("W/").strip('"')
    if not bare.isdecimal() or len(bare) > 9:
        raise Problem("bad-request", "If-Match is no ETag that was given here")
    return int(bare)


async def principal_of(request: Request) -> Principal:
    """Give who asks."""
    found: Principal = request.state.principal
    return found


async def ports_of(request: Request) -> Ports:
    """Give the ports of the application."""
    found: Ports = request.app.state.ports
    return found


Key = Annotated[str, Depends(_key)]
"""The request's Idempotency-Key."""
MaybeKey = Annotated[str | None, Depends(_maybe_key)]
"""Its Idempotency-Key, where the operation does without one too."""
Version = Annotated[int | None, Depends(_version)]
"""The version of If-Match; None = any."""
Who = Annotated[Principal, Depends(principal_of)]
OnPorts = Annotated[Ports, Depends(ports_of)]


def tag(response: Response, version: int) -> None:
    """Tell the version of what is answered, for If-Match."""
    response.headers["ETag"] = f'"{version}"'
