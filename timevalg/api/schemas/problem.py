"""Problem details (RFC 9457), as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class FieldProblem(BaseModel):
    """One value that cannot be used, and where it stands."""

    pointer: str
    detail: str
    where: str | None = None
    line: int | None = None


class ProblemOut(BaseModel):
    """What is wrong, where, and what to do."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:timevalg:problem:time-taken",
                "title": "Time taken",
                "status": 409,
                "detail": "2027-01-14 09:00 is taken; choose another time",
                "action": "Choose one of the alternatives.",
                "alternatives": [],
            }
        },
    )
    type: str
    title: str
    status: int
    detail: str
    action: str
    errors: list[FieldProblem] | None = None
    alternatives: list[Any] | None = None
