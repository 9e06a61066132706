"""The application: the surfaces behind the gate, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

import timevalg
from timevalg.api import problems
from timevalg.api.gate import Gate, SignOn
from timevalg.api.routes import patient, privacy, system
from timevalg.api.schemas.system import ShortageOut
from timevalg.booking.ports import Ports
from timevalg.model.errors import Busy
from timevalg.settings import Settings
from timevalg.solver.offers import Offer
from timevalg.solver.shortage import Shortage

SURFACES = (patient.router, privacy.router, system.router)
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "dpop": {"type": "http", "scheme": "dpop", "description": "RFC 9449, with the header DPoP."},
}
"""How those who call show who they are."""


def make_app(ports: Ports, settings: Settings, sign_on: SignOn) -> FastAPI:
    """Put the application together.

    Parameters
    ----------
    sign_on : callable
        Gives the principal of a token.
    """
    app = FastAPI(
        title="timevalg",
        version=timevalg.__version__,
        summary="Patients choose their own hospital appointments.",
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
    )
    app.state.ports = ports
    problems.install(app, _told)
    for surface in SURFACES:
        app.include_router(surface)
    _add_open_routes(app)
    app.add_middleware(Gate, settings=settings, sign_on=sign_on)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
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
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's own way of extending it
    return app


def _add_open_routes(app: FastAPI) -> None:
    @app.get("/health", tags=["operations"], operation_id="health")
    def health() -> dict[str, str]:
        """Say that the process is alive."""
        return {"status": "alive"}

    @app.get("/ready", tags=["operations"], operation_id="ready")
    async def ready() -> dict[str, str]:
        """Say whether the database answers."""
        store = app.state.ports.store
        try:
            await run_in_threadpool(store.organisations)
        except Exception as error:
            raise Busy("the database") from error
        return {"status": "ready"}


def _told(fact: Any) -> Any:
    if isinstance(fact, Offer):
        return {"start": fact.start.isoformat(), "pool": fact.pool}
    if isinstance(fact, Shortage):
        return ShortageOut.of(fact).model_dump(mode="json")
    return str(fact)


def _document(app: FastAPI) -> dict[str, Any]:
    """Give the OpenAPI document: every operation names its security, the open ones none."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        document["components"]["securitySchemes"] = SECURITY
        for path, operations in document["paths"].items():
            for operation in operations.values():
                closed = path.startswith("/v1/")
                operation["security"] = [{name: []} for name in SECURITY] if closed else []
    return app.openapi_schema or {}
