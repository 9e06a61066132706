"""The application: the surfaces behind the gate, and the OpenAPI document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig

import timevalg
from timevalg.api import examples, problems
from timevalg.api.gate import Gate, SignOn
from timevalg.api.rates import Rates
from timevalg.api.routes import (
    operations,
    patient,
    planner_clinics,
    planner_tasks,
    planner_visits,
    privacy,
    rights,
    system,
)
from timevalg.api.schemas.tasks import ShortageOut
from timevalg.api.watch import Watch
from timevalg.booking.ports import Ports
from timevalg.settings import Settings
from timevalg.solver.shortage import Shortage

SURFACES = (
    patient.router,
    planner_clinics.router,
    planner_tasks.router,
    planner_visits.router,
    privacy.router,
    system.router,
    system.feed,
    rights.router,
)
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "dpop": {"type": "http", "scheme": "dpop", "description": "RFC 9449, with the header DPoP."},
}
"""How those who call show who they are."""
PROBLEM = {"$ref": "#/components/schemas/ProblemOut"}
SILENT: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own spans tell addresses and queries, and its logs the words of errors."""


def make_app(
    ports: Ports,
    settings: Settings,
    sign_on: SignOn,
    *,
    checks: Mapping[str, Callable[[], bool]] | None = None,
    ending: Callable[[], None] = lambda: None,
) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    sign_on : callable
        Gives the principal of a token.
    checks : mapping
        What must be so besides that the database answers, for the application to be ready.
    ending : callable
        Called when the server stops, after the last request.
    """
    rates = Rates(settings["REDIS_URL"])

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        # Those who claim time wait for each other and are done together; of the others more
        # would wait for the interpreter, each with a transaction open.
        current_default_thread_limiter().total_tokens = settings.threads
        yield
        await rates.close()
        ending()

    app = FastAPI(
        title="timevalg",
        version=timevalg.__version__,
        summary="Patients choose their own hospital appointments.",
        openapi_url=None,  # an operation of ours: it takes seconds to make, and a thread
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        lifespan=living,
        telemetry=SILENT,
    )
    app.state.ports = ports
    app.state.checks = {"the database answers": lambda: _answers(ports), **(checks or {})}
    problems.install(app, _told)
    for surface in SURFACES:
        app.include_router(surface)
    app.include_router(operations.router)
    app.add_middleware(Gate, settings=settings, sign_on=sign_on, rates=rates)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "DPoP",
                "Idempotency-Key",
                "If-Match",
                "Content-Type",
                "Timevalg-Role",
                "Timevalg-For",
            ],
            expose_headers=["ETag", "Retry-After"],
        )
    app.add_middleware(Watch)
    one_at_a_time = Lock()

    def document() -> dict[str, Any]:
        with one_at_a_time:
            return _document(app)

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way of extending it
    return app


def _answers(ports: Ports) -> bool:
    """Ask the database anything; it raises where there is no answer."""
    ports.store.organisations()
    return True


def _told(fact: Any) -> Any:
    if isinstance(fact, Shortage):
        return ShortageOut.of(fact).model_dump(mode="json")
    return str(fact)


def _document(app: FastAPI) -> dict[str, Any]:
    """Give the OpenAPI document: every operation names its security, the open ones none.

    FastAPI takes every answer of a model for plain JSON; problems have a media type of their own.
    """
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document["components"]["securitySchemes"] = SECURITY
        for path, operations in document["paths"].items():
            for operation in operations.values():
                closed = path.startswith("/v1/")
                operation["security"] = [{name: []} for name in SECURITY] if closed else []
                for answer in operation["responses"].values():
                    content = answer.get("content", {})
                    if content.get("application/json", {}).get("schema") == PROBLEM:
                        content[problems.MEDIA_TYPE] = content.pop("application/json")
        examples.complete(document, _told)
    return app.openapi_schema or {}
