"""Around every request: how many, how long, and a span for each; none tells whom it was about.

Neither metrics nor spans carry an address as it was asked, only the route it fits.
"""

from __future__ import annotations

import os
import time

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods told by name: callers can make up any others."""
FAULT = 500

_own = CollectorRegistry()
REQUESTS = Counter(
    "timevalg_http_requests_total",
    "Requests by what they were answered.",
    ["method", "route", "status"],
    registry=_own,
)
SECONDS = Histogram(
    "timevalg_http_seconds", "Time an answer took.", ["method", "route"], registry=_own
)
BEING_ANSWERED = Gauge(
    "timevalg_http_being_answered",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=_own,
)


def page() -> bytes:
    """Give the text of ``/metrics``: with ``PROMETHEUS_MULTIPROC_DIR`` that of all processes."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(_own)
    of_all = CollectorRegistry()
    multiprocess.MultiProcessCollector(of_all)  # type: ignore[no-untyped-call]  # theirs
    return generate_latest(of_all)


class Watch:
    """Counts, times and traces requests; the outermost part of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("timevalg.api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = FAULT  # unless an answer begins

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        method = scope["method"] if scope["method"] in METHODS else "other"
        begun = time.perf_counter()
        with (
            BEING_ANSWERED.track_inprogress(),
            self._tracer.start_as_current_span(
                method,
                propagate.extract(dict(Headers(scope=scope))),
                kind=SpanKind.SERVER,
                record_exception=False,  # its words may be about a patient
                set_status_on_exception=False,
            ) as span,
        ):
            try:
                await self._app(scope, receive, sending)
            finally:
                route = str(getattr(scope.get("route"), "path", ""))
                REQUESTS.labels(method, route, status).inc()
                SECONDS.labels(method, route).observe(time.perf_counter() - begun)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)
                if status >= FAULT:
                    span.set_status(StatusCode.ERROR)
