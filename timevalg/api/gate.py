"""Before any route: who asks, how often and how much. ASGI, so that nothing is read before.

Without a token every address answers 401, also those that do not exist; the `OPEN` ones aside.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import limits
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timevalg.api.problems import OTHERS, Problem, answer, of_error
from timevalg.api.rates import Rates
from timevalg.identity.proof import Request
from timevalg.model.errors import NotSignedOn, TimevalgError
from timevalg.model.principal import Principal
from timevalg.settings import Settings

OPEN = frozenset({"/health", "/ready", "/metrics", "/openapi.json"})
"""Addresses for everybody."""
LINK = re.compile(r"/v1/patient/tasks/[^/]+/link")
"""Addresses that letters and messages may carry."""
LONGEST_QUERY = 4096
"""Characters of a query at most."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer says to browsers, unless it says otherwise itself."""

SignOn = Callable[[str, str, str | None, Request], Principal]
"""(token, scheme, proof, request) → who asks."""
_log = structlog.get_logger("timevalg.api")


class Gate:
    """Lets in who has signed on, within limits.

    Parameters
    ----------
    app : ASGIApp
        What lies behind.
    sign_on : callable
        Gives the principal of a token, or raises `NotSignedOn`.
    """

    def __init__(self, app: ASGIApp, settings: Settings, sign_on: SignOn, rates: Rates) -> None:
        self._app, self._sign_on = app, sign_on
        self._body_limit, self._patience = settings.body_limit, settings.patience
        self._sign_on_page = settings["SIGN_ON"]
        self._rates = rates
        self._by_address = limits.parse(settings["RATE_BY_ADDRESS"])
        self._by_principal = limits.parse(settings["RATE_BY_PRINCIPAL"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, body = False, _Body(receive, self._body_limit)

        async def sending(message: Message) -> None:
            nonlocal started
            if body.is_too_large:
                return  # whatever was made of half a body
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        try:
            async with asyncio.timeout(self._patience):
                await self._admit(scope)
                await self._routed(scope, body.receive, sending)
                if body.is_too_large and not started:
                    raise Problem("too-large", f"the body is larger than {self._body_limit} bytes")
        except (Problem, TimevalgError, TimeoutError) as error:
            if started:
                raise
            body.is_too_large = False
            await _response(error, self._way_to_sign_on(scope))(scope, receive, sending)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer; HEAD as GET, of which the head is sent."""
        if scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send)
        finally:
            scope["route"] = asked.get("route")  # for whoever counts answers

    async def _admit(self, scope: Scope) -> None:
        """Check what can be checked from the address and headers alone.

        Raises
        ------
        Problem, NotSignedOn
        """
        address = (scope.get("client") or ("",))[0]
        await self._count(self._by_address, "address", address)
        if scope["path"] not in OPEN:
            principal = await self._principal(scope)
            await self._count(
                self._by_principal, "principal", f"{principal.organisation} {principal.id}"
            )
            scope.setdefault("state", {})["principal"] = principal
        if len(scope["query_string"]) > LONGEST_QUERY:
            raise Problem("address-too-long", f"the query is longer than {LONGEST_QUERY}")
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > self._body_limit:
            raise Problem("too-large", f"the body is larger than {self._body_limit} bytes")

    async def _principal(self, scope: Scope) -> Principal:
        headers = Headers(scope=scope)
        if len(headers.getlist("authorization")) != 1 or len(headers.getlist("dpop")) > 1:
            raise NotSignedOn("no token came with the request")
        scheme, _, token = headers["authorization"].partition(" ")
        if scheme.lower() not in {"bearer", "dpop"}:
            raise NotSignedOn("the token must come as Bearer or DPoP")
        host = headers.get("host", "")
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        url = f"{scope['scheme']}://{host}{path}"
        role, patient = headers.get("timevalg-role", ""), headers.get("timevalg-for", "")
        request = Request(scope["method"], url, role, patient)
        found = await run_in_threadpool(
            self._sign_on, token.strip(), scheme.lower(), headers.get("dpop"), request
        )
        whence = ((scope.get("client") or ("",))[0], found.address)
        return replace(found, address=" ".join(filter(None, whence)))

    def _way_to_sign_on(self, scope: Scope) -> str:
        """Give where somebody who follows a link signs on, to come back to it."""
        if not self._sign_on_page or not LINK.fullmatch(scope["path"]):
            return ""
        return self._sign_on_page.replace("{}", quote(quote(scope["path"], safe="/"), safe=""))

    async def _count(self, limit: limits.RateLimitItem, what: str, who: str) -> None:
        seconds = await self._rates.wait(limit, what, who)
        if seconds:
            wait = {"Retry-After": str(math.ceil(seconds))}
            raise Problem("too-many", f"more than {limit} from this {what}", wait)


class _Body:
    """Stops a body that is larger than its header said, or that has no such header."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._left = receive, limit
        self.is_too_large = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_too_large = True
            return {"type": "http.disconnect"}
        return message


def _response(error: Exception, sign_on: str) -> ASGIApp:
    if isinstance(error, Problem):
        return answer(error.kind, error.detail, headers=error.headers)
    if isinstance(error, NotSignedOn) and sign_on:  # browsers go there, programs are told
        response = of_error(error, sign_on=sign_on)
        response.headers["Refresh"] = f"0; url={sign_on}"
        return response
    if isinstance(error, TimevalgError):
        return of_error(error)
    return answer(OTHERS["slow"], "no answer was ready in time")
