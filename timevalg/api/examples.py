"""Examples of the document: for each body and answer by its schema, for each problem by its error.

One value for each name, wherever it stands, so that all of them are about the same visit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from timevalg.api.problems import MEDIA_TYPE, OTHERS, URN, Problem, answer, of_error
from timevalg.letters.calendar_entry import MEDIA_TYPE as CALENDAR
from timevalg.model import errors
from timevalg.model.session import Session, SessionKind
from timevalg.model.states import TaskState
from timevalg.solver.shortage import Remedy, Shortage

START = "2027-01-14T09:00:00+01:00"
VALUES: Mapping[str, Any] = {
    "acknowledged_at": None,
    "absent": ["nurse-2"],
    "answer": "ingen smitte",
    "address": "192.0.2.7 portal",
    "applied": ["dips:kontakt/88"],
    "areas": ["appointments"],
    "basis": "attorney",
    "birth": "1980-05-17",
    "broken": ["quota: day 2027-01-14 has 4 of 4"],
    "by": "anna",
    "calendars": {},
    "change": "notice 3 -> 1",
    "channel": "api",
    "clinic": "gastro",
    "clinic_name": "Gastroenterologisk poliklinikk",
    "clinicians": ["dr-berg"],
    "clinics": ["gastro"],
    "closed_at": None,
    "case": "case-2b90",
    "conflicts": ["case-2b90"],
    "count": 210.0,
    "created_at": "2027-01-05T08:00:00Z",
    "deadline": "2027-03-01",
    "deceased_at": None,
    "detail": {},
    "document": {"format": 1, "clinic": {"id": "gastro", "organisation": "999999999"}},
    "due": "2027-01-11",
    "email": "kari@example.test",
    "end": "2027-01-14T10:00:00+01:00",
    "ended_at": None,
    "ends": None,
    "events": ["appointment."],
    "giver": None,
    "holder": "hpr:7654321",
    "harm": ["another time: the patient has had the letter"],
    "html": "<!doctype html><title>Innkalling</title>",
    "id": "task-7f3a",
    "identity": "01017000027",
    "key": "task-7f3a",
    "kind": "appointment",
    "language": "nb",
    "length": 60,
    "lettered_at": None,
    "lost": ["task-7f3a"],
    "merged_into": None,
    "message": "has a length of 47, which is no multiple of 5",
    "missing": ["dips:kontakt/91"],
    "mode": "physical",
    "name": "Kari Nordmann",
    "new": {"start": "2027-01-15T10:00:00+01:00"},
    "next": "",
    "not_after": "2027-02-12",
    "not_before": None,
    "note": "",
    "of": 4900.0,
    "old": {"start": START},
    "opens": "2027-01-04",
    "organisation": "999999999",
    "origin": "chosen",
    "owner": None,
    "parts": {"earliness": 0.8, "wishes": 1.0},
    "patient": "p-1",
    "phone": "+4740404040",
    "place": "Haugesund sjukehus",
    "pool": "colonoscopy-first",
    "pools": ["colonoscopy-first"],
    "principal": "person:9c1f",
    "published_at": "2027-01-02T12:00:00Z",
    "reason": "8446:1",
    "ref": "dips:kontakt/88",
    "referral": "henv/9",
    "refs": {"task": "dips:oppgave/4711"},
    "representative": "person:9c1f",
    "resource": "dr-berg",
    "resources": {"endoscopist": ["dr-berg"], "room": ["room-1"]},
    "revoked_at": None,
    "role": "planner",
    "roles": ["endoscopist"],
    "room": "5. etg.",
    "rule": "notice",
    "score": 0.93,
    "secret": "DIPS_WEBHOOK_KEY",
    "sent_at": None,
    "service": "colonoscopy",
    "services": ["Koloskopi"],
    "session": None,
    "shortage": None,
    "since": "2027-01-05T08:00:00Z",
    "skills": ["endoscopy"],
    "stale": ["dips:kontakt/89"],
    "start": START,
    "state": "open",
    "subject": "task",
    "task": "task-7f3a",
    "tasks": ["task-7f3a"],
    "text": "Du har fått time.",
    "time": "2027-01-05T08:00:00Z",
    "type": "appointment.chosen",
    "unit": None,
    "until": "2027-01-05T08:10:00Z",
    "url": "https://dips.example/events",
    "value": 0.043,
    "verb": "choose",
    "version": 3,
    "valid": True,
    "wall": "2027-01-14T09:00:00",
    "where": "gastro.yaml",
    "why": "booking",
    "words": "no place between 2027-01-18 and 2027-02-12",
    "zone": "Europe/Oslo",
    "AppointmentOut.id": "appointment-51b2",
    "AppointmentOut.state": "booked",
    "FigureOut.name": "replanned",
    "FigureOut.unit": "share",
    "FigureOut.words": "re-planned after the letter",
    "LetterSummary.subject": "Innkalling til time",
    "LetterOut.subject": "Innkalling til time",
    "PreparationOut.name": "Svare på skjema (MRSA)",
    "VisitOut.id": "appointment-51b2",
    "VisitOut.state": "booked",
    "BlockOut.resources": ["room-1"],
    "appointment": "appointment-51b2",
}
"""Name of a field, of one schema where it is another there → value."""
TEXTS: Mapping[str, str] = {
    "text/html": "<!doctype html><title>Innkalling til time</title>",
    "text/plain": "Innkalling til time",
    CALENDAR: "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
}
"""Media type → an answer that is no JSON."""
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
_FORMATS = {"date": r"[\d-]{10}", "date-time": r"[\d-]{10}T.+"}
_SHORT = Shortage(
    roles=("endoscopist",),
    first=date(2027, 1, 18),
    last=date(2027, 2, 12),
    minutes=45,
    rules=12,
    free=0,
    cures=(Remedy("notice 3 -> 1", 14),),
)
_FREE = Session(
    "session-5c1d",
    SessionKind.BOOKING,
    "gastro",
    datetime.fromisoformat(START).astimezone(UTC),
    60,
    pool="colonoscopy-first",
)
ERRORS: tuple[errors.TimevalgError, ...] = (
    errors.NotSignedOn("no token came with the request"),
    errors.NotAllowed("publish", "patient"),
    errors.NotFound("task", "task-7f3a"),
    errors.StaleVersion("task", "task-7f3a", 2, 3, TaskState.CHOSEN),
    errors.TimeTaken("2027-01-14 09:00", (_FREE,), ZoneInfo("Europe/Oslo")),
    errors.RuleBroken(("quota: day 2027-01-14 has 4 of 4",)),
    errors.WouldStrand(("task-7f3a",)),
    errors.Conflict("there is already a task with this ref"),
    errors.IllegalMove("task", "task-7f3a", TaskState.WITHDRAWN, "choose"),
    errors.KeyReused("choose"),
    errors.InFlight("choose"),
    errors.CursorLost("event-1"),
    errors.NotServable("task-7f3a", _SHORT),
    errors.InvalidInput.single("/body/due", "is before opens", "body"),
    errors.Unsure(),
    errors.Busy(),
)
"""One error of each kind that has a problem."""


def complete(document: dict[str, Any], tell: Callable[[Any], Any]) -> None:
    """Give every body, answer and problem of a document an example that is none yet.

    Parameters
    ----------
    tell : callable
        Makes JSON of a shortage.
    """
    told = {str(found["type"]).removeprefix(URN): found for found in _problems(tell)}
    document["components"]["examples"] = {
        name: {"summary": found["title"], "value": found} for name, found in told.items()
    }
    by_status: dict[str, dict[str, Any]] = {}
    for name, found in told.items():
        known = by_status.setdefault(str(found["status"]), {})
        known[name] = {"$ref": f"#/components/examples/{name}"}
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body, status in zip(bodies, ["", *operation["responses"]], strict=True):
                for media, content in body.get("content", {}).items():
                    if media == MEDIA_TYPE:
                        content["examples"] = by_status[status]
                    elif "example" not in content:
                        content["example"] = _of(document, media, content["schema"])


def _problems(tell: Callable[[Any], Any]) -> Iterator[dict[str, Any]]:
    for error in ERRORS:
        yield json.loads(bytes(of_error(error, tell).body))
    for kind in OTHERS.values():
        problem = Problem(kind.name, kind.title)
        yield json.loads(bytes(answer(problem.kind, problem.detail).body))


def _of(document: dict[str, Any], media: str, schema: dict[str, Any]) -> Any:
    return TEXTS[media] if media in TEXTS else example_of(document, schema)


def example_of(
    document: Mapping[str, Any], schema: Mapping[str, Any], name: str = "", owner: str = ""
) -> Any:
    """Give a value that a schema allows.

    Parameters
    ----------
    name, owner : str
        The field that it is for, and the schema that has it.
    """
    if "$ref" in schema:
        owner = str(schema["$ref"]).rpartition("/")[2]
        target = document["components"]["schemas"][owner]
        return (
            target["example"] if "example" in target else example_of(document, target, name, owner)
        )
    for key in (f"{owner}.{name}", name):
        if key in VALUES and _fits(VALUES[key], schema):
            return VALUES[key]
    if "anyOf" in schema:
        return example_of(document, schema["anyOf"][0], name, owner)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    kind = schema.get("type")
    if kind == "object":
        return _object(document, schema, name, owner)
    if kind == "array":
        return [example_of(document, schema.get("items", {}), name, owner)]
    if kind == "string":
        return {"date": "2027-01-14", "date-time": START}.get(schema.get("format", ""), name)
    return {"integer": max(schema.get("minimum", 1), 1), "number": 1.0, "boolean": True}.get(
        kind or "", name
    )


def _object(
    document: Mapping[str, Any], schema: Mapping[str, Any], name: str, owner: str
) -> dict[str, Any]:
    if "properties" in schema:
        return {
            field: example_of(document, inner, field, owner)
            for field, inner in schema["properties"].items()
        }
    inner = schema.get("additionalProperties", True)
    return {} if isinstance(inner, bool) else {"gastro": example_of(document, inner, name, owner)}


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is of a schema's type, as far as it says so by itself."""
    if "anyOf" in schema:
        return any(_fits(value, option) for option in schema["anyOf"])
    if value is None or "$ref" in schema or schema.get("type") == "null":
        return value is None and schema.get("type") == "null"
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, bool) is not (schema.get("type") == "boolean"):
        return False
    if not isinstance(value, _TYPES.get(schema.get("type", ""), object)):
        return False
    if schema.get("format") in _FORMATS:
        return re.fullmatch(_FORMATS[schema["format"]], str(value)) is not None
    if isinstance(value, list):
        return all(_fits(one, schema.get("items", {})) for one in value)
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        return all(_fits(one, schema["additionalProperties"]) for one in value.values())
    return not (isinstance(value, dict) and "properties" in schema)
