"""What operators and their tools ask without a token: is it alive, is it ready, how is it doing?"""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from timevalg.api import watch
from timevalg.api.problems import Problem
from timevalg.api.surface import described

_log = structlog.get_logger("timevalg.api")
router = APIRouter(tags=["operations"], responses=described({405, 413, 414, 429, 500, 503, 504}))


@router.get("/health", operation_id="health")
async def health() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "alive"}


@router.get("/ready", operation_id="ready")
def ready(request: Request) -> dict[str, str]:
    """Say whether requests can be answered: the database answers, and is up to date."""
    for what, is_so in request.app.state.checks.items():
        try:
            found, why = is_so(), ""
        except Exception as error:
            found, why = False, type(error).__name__
        if not found:
            _log.warning("not ready", lacks=what, error=why)
            raise Problem("not-ready", f"not so now: {what}")
    return {"status": "ready"}


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics() -> Response:
    """Give what Prometheus asks for."""
    return Response(watch.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", include_in_schema=False)
def document(request: Request) -> JSONResponse:
    """Give the OpenAPI document, made when it is first asked for."""
    return JSONResponse(request.app.openapi())
