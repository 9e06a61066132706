"""Errors as problem details: the one place where HTTP codes are known.

Source: RFC 9457.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from timevalg.model import errors
from timevalg.model.principal import PERSONAL

MEDIA_TYPE = "application/problem+json"
URN = "urn:timevalg:problem:"
_log = structlog.get_logger("timevalg.api")


@dataclass(frozen=True)
class Kind:
    """One kind of problem.

    Attributes
    ----------
    name : str
        Ends its ``type``; never changes.
    action : str
        What whoever called can do about it.
    """

    status: int
    name: str
    title: str
    action: str


KINDS: Mapping[type[errors.TimevalgError], Kind] = {
    errors.NotSignedOn: Kind(401, "not-signed-on", "Not signed on", "Sign on and send the token."),
    errors.NotAllowed: Kind(403, "not-allowed", "Not allowed", "Ask for the right, or let be."),
    errors.NotFound: Kind(404, "not-found", "Not found", "Check the id; it may not be yours."),
    errors.StaleVersion: Kind(412, "stale-version", "Changed meanwhile", "Read it again first."),
    errors.TimeTaken: Kind(409, "time-taken", "Time taken", "Choose one of the alternatives."),
    errors.RuleBroken: Kind(409, "rule-broken", "Against a rule", "Choose another time."),
    errors.WouldStrand: Kind(
        409, "would-strand", "Would strand patients", "Choose another time, or override."
    ),
    errors.Conflict: Kind(409, "conflict", "Conflict", "Read it again and decide anew."),
    errors.IllegalMove: Kind(409, "illegal-move", "Not possible now", "Read its state first."),
    errors.KeyReused: Kind(422, "key-reused", "Key used before", "Make a new key."),
    errors.InFlight: Kind(409, "in-flight", "Still at it", "Ask again with the same key."),
    errors.CursorLost: Kind(410, "cursor-lost", "Cursor lost", "Read from the beginning."),
    errors.NotServable: Kind(409, "not-servable", "No place", "See the shortage and its cures."),
    errors.InvalidInput: Kind(422, "invalid-input", "Invalid input", "Mend what is named."),
    errors.Unsure: Kind(503, "unsure", "Not known", "Repeat it with the same key, or read it."),
    errors.Busy: Kind(503, "busy", "Busy", "Nothing was changed; try again in a moment."),
}
"""The most particular class of an error decides."""

OTHERS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(400, "key-missing", "Idempotency-Key missing", "Send a key of your own making."),
        Kind(400, "bad-request", "Bad request", "Mend the request."),
        Kind(404, "no-route", "No such address", "See the OpenAPI document."),
        Kind(405, "no-method", "No such method", "See the OpenAPI document."),
        Kind(413, "too-large", "Too large", "Send less at once."),
        Kind(414, "address-too-long", "Address too long", "Ask for less at once."),
        Kind(415, "media-type", "Unknown media type", "Send application/json."),
        Kind(428, "version-missing", "If-Match missing", "Send the ETag you read."),
        Kind(429, "too-many", "Too many requests", "Wait as Retry-After says."),
        Kind(500, "fault", "Our fault", "It is noted; try again later."),
        Kind(503, "not-ready", "Not ready", "Ask again in a moment."),
        Kind(504, "slow", "Too slow", "It may have happened: repeat it with the same key."),
    )
}
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_BY_STATUS = {404: "no-route", 405: "no-method", 413: "too-large", 415: "media-type"}


class Problem(Exception):
    """A problem of the request itself, before any use case."""

    def __init__(self, name: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.kind, self.detail, self.headers = OTHERS[name], detail, dict(headers or {})
        super().__init__(detail)


def kind_of(error: errors.TimevalgError) -> Kind:
    """Give the kind of an error: that of its most particular class with one."""
    return next(KINDS[c] for c in type(error).__mro__ if c in KINDS)


def answer(
    kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Give the response for a problem."""
    content = {
        "type": URN + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "action": kind.action,
        **more,
    }
    return JSONResponse(content, kind.status, dict(headers or {}), MEDIA_TYPE)


def of_error(
    error: errors.TimevalgError,
    tell: Callable[[Any], Any] = str,
    point: Callable[[errors.Problem], str] = lambda problem: problem.key,
    in_house: bool = True,
    **more: Any,
) -> JSONResponse:
    """Give the response for an error of a use case.

    Parameters
    ----------
    tell : callable
        Makes JSON of a shortage.
    point : callable
        Says where in the request the value stands that a problem is about.
    in_house : bool
        Whether the terms of the hospital, in which changes are told, are for whoever called: not
        for patients and those who act for them.
    **more
        Further members of the problem.
    """
    kind, headers = kind_of(error), dict[str, str]()
    if isinstance(error, errors.NotSignedOn):
        headers["WWW-Authenticate"] = 'Bearer realm="timevalg", DPoP algs="ES256 PS256 EdDSA"'
    if isinstance(error, errors.Busy):
        headers["Retry-After"] = "1"
    if isinstance(error, errors.TimeTaken):
        more["alternatives"] = [
            {"start": a.start.astimezone(error.zone).isoformat(), "pool": a.pool}
            for a in error.alternatives
        ]
    if isinstance(error, errors.StaleVersion):
        more |= {"expected": error.expected, "actual": error.actual, "state": str(error.state)}
        if in_house:
            more["changes"] = [
                {"type": c.type, "time": c.time.isoformat(), "old": c.old, "new": c.new}
                for c in error.changes
            ]
    if isinstance(error, errors.NotServable):
        more |= {"task": error.task, "shortage": tell(error.shortage)}
    if isinstance(error, errors.WouldStrand):
        more["tasks"] = list(error.tasks)
    if isinstance(error, errors.RuleBroken):
        more["broken"] = list(error.broken)
    if isinstance(error, errors.InvalidInput):
        more["errors"] = [
            {"pointer": point(p), "where": p.where, "line": p.line, "detail": p.message}
            for p in error.problems
        ]
    return answer(kind, str(error), headers=headers, **more)


def _pointer(request: Request, problem: errors.Problem) -> str:
    """Point at a value of the request; of a file's, the key says where in the file it stands."""
    if problem.where != errors.INPUT or problem.key.startswith("/"):
        return problem.key
    steps = [step for step in re.split(r"[.\[\]]+", problem.key) if step]
    if steps == ["idempotency_key"]:
        return "/header/idempotency-key"
    places = {"path": request.path_params, "query": request.query_params}
    place = next((name for name, given in places.items() if {*steps} & {*given}), "body")
    return "/".join(["", place, *steps])


def _methods(request: Request) -> list[str]:
    """Give all methods of an address, whichever routes take them; HEAD where GET is (the gate)."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    found = set(filter(takes, METHODS))
    return sorted(found | {"HEAD"} if "GET" in found else found)


def install(app: FastAPI, tell: Callable[[Any], Any]) -> None:
    """Let an application answer every error with problem details."""

    @app.exception_handler(errors.TimevalgError)
    def on_error(request: Request, error: errors.TimevalgError) -> JSONResponse:
        who = getattr(request.state, "principal", None)  # nobody, where an address is open to all
        in_house = who is not None and who.role not in PERSONAL
        return of_error(error, tell, partial(_pointer, request), in_house)

    @app.exception_handler(Problem)
    def on_problem(_: Request, error: Problem) -> JSONResponse:
        return answer(error.kind, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        said = {("/" + "/".join(map(str, e["loc"])), e["msg"]): None for e in error.errors()}
        found = [{"pointer": pointer, "detail": detail} for pointer, detail in said]
        detail = f"{len(found)} of the given values cannot be used"
        return answer(KINDS[errors.InvalidInput], detail, errors=found)

    @app.exception_handler(HTTPException)
    def on_http(request: Request, error: HTTPException) -> JSONResponse:
        kind = OTHERS[_BY_STATUS.get(error.status_code, "bad-request")]
        headers = dict(error.headers or {})
        if "Allow" in headers:
            headers["Allow"] = ", ".join(_methods(request))
        return answer(kind, kind.title, headers=headers)

    @app.exception_handler(Exception)
    def on_fault(request: Request, error: Exception) -> JSONResponse:
        route = request.scope.get("route")
        _log.error("fault", error=type(error).__name__, route=getattr(route, "path_format", ""))
        return answer(OTHERS["fault"], "something went wrong here")
