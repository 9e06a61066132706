"""Whatever is written, the loader gives contents or says what is wrong: never anything else."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.clinic import page
from tests.unit.clinic.plain import plain
from timevalg.clinic import json_schema, read, read_sources, summary
from timevalg.clinic.document import compose
from timevalg.clinic.events import yaml_events
from timevalg.clinic.format import ClinicFile
from timevalg.clinic.shape import fields
from timevalg.model.contents import Contents, Source
from timevalg.model.errors import InvalidInput

GASTRO: dict[str, Any] = compose(yaml_events(page.GASTRO)).value
SURGERY: dict[str, Any] = compose(yaml_events(page.SURGERY)).value
CALENDARS = {"dr-berg.ics": page.CALENDAR}
KEYS = [*sorted(fields(ClinicFile)), "from", "to", "id", "owner", "roles", "days", "<<", "", "é"]


def spots(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Give every container with each key or position in it."""
    if isinstance(value, dict | list):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            found.append((value, key))
            spots(item, found)
    return found


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 7, 10**9, 10**30, 1440, 2**63]),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        [
            "24:00",
            "00:00",
            "9:00",
            "2027-01-05",
            "0001-01-01",
            "9999-12-31",
            "2027-03-28T02:30",
            "9999-12-31T24:00",
            "gastro",
            "surgery",
            "chair",
            "chair/3",
            "../x",
            "x\x00y",
            "\ud800",
            "Europe",
            "NO",
            "²:00",
        ]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the example's two documents with some places deleted, renamed, retyped or swapped."""
    documents = [copy.deepcopy(GASTRO), copy.deepcopy(SURGERY)]
    for _ in range(draw(st.integers(1, 4))):
        found = [spot for spot in spots(documents, []) if spot[0] is not documents]
        if not found:
            break
        place, key = draw(st.sampled_from(found))
        how = draw(st.sampled_from(["delete", "rename", "retype", "swap", "repeat"]))
        if how == "delete":
            del place[key]
        elif how == "rename" and isinstance(place, dict):
            place[draw(st.sampled_from(KEYS))] = place.pop(key)
        elif how == "swap":
            other, there = draw(st.sampled_from(found))
            mine, theirs = copy.deepcopy(place[key]), copy.deepcopy(other[there])
            place[key], other[there] = theirs, mine
        elif how == "repeat" and isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        else:
            place[key] = draw(values)
    return documents[0], documents[1]


def outcome(gastro: Any, surgery: Any) -> Contents | None:
    """Load documents: contents, or None if something is wrong (and said so)."""
    sources = {"gastro": Source(gastro, CALENDARS), "surgery": Source(surgery)}
    try:
        return read_sources(sources)
    except InvalidInput as error:
        assert error.problems
        for problem in error.problems:
            assert problem.message and "\n" not in problem.message
            str(problem).encode("utf-8")
        return None


@given(mutated())
def test_a_mutated_document_loads_or_is_refused(documents):
    contents = outcome(*documents)
    if contents is not None:
        summary(contents)
        again = outcome(*documents)
        assert plain(again) == plain(contents)


@given(mutated())
def test_what_loads_is_the_same_after_json(documents):
    contents = outcome(*documents)
    if contents is not None:
        assert plain(outcome(*json.loads(json.dumps(documents)))) == plain(contents)


@given(values)
def test_any_document_is_refused(value):
    assert outcome(value, SURGERY) is None


@given(mutated())
def test_what_breaks_the_schema_is_refused(documents):
    """The published schema asks for nothing that the loader does not."""
    if outcome(*documents) is not None:
        for document in documents:
            assert not list(breaches(json_schema(), document, json_schema()["$defs"]))


def breaches(schema: dict[str, Any], value: Any, defs: dict[str, Any]) -> Iterator[str]:
    """Check the few words of JSON Schema that ours uses."""
    if "$ref" in schema:
        yield from breaches(defs[schema["$ref"].rpartition("/")[2]], value, defs)
        return
    if "anyOf" in schema:
        if all(list(breaches(one, value, defs)) for one in schema["anyOf"]):
            yield f"{value!r} fits none"
        return
    types: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        yield f"{value!r} is no {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not in {schema['enum']}"
    elif isinstance(value, dict):
        yield from (f"{key} is missing" for key in schema.get("required", []) if key not in value)
        known = schema.get("properties", {})
        for key, item in value.items():
            rest = schema.get("additionalProperties", True)
            if key in known:
                yield from breaches(known[key], item, defs)
            elif rest is False:
                yield f"{key} is unknown"
            elif isinstance(rest, dict):
                yield from breaches(rest, item, defs)
    elif isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            yield "too short"
        for item in value:
            yield from breaches(schema.get("items", {}), item, defs)
    elif isinstance(value, int | float):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            yield f"{value} is not within {low} … {high}"


def test_the_examples_fit_the_schema():
    schema = json_schema()
    assert not list(breaches(schema, GASTRO, schema["$defs"]))
    assert not list(breaches(schema, SURGERY, schema["$defs"]))
    assert list(breaches(schema, {**GASTRO, "x": 1}, schema["$defs"]))


@st.composite
def scrambled(draw: st.DrawFn, text: str) -> str:
    """Give a text with some pieces taken out, doubled, exchanged or put in."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, max(0, len(text) - 1)))
        end = start + draw(st.integers(0, 12))
        piece = draw(
            st.sampled_from(["", text[start:end] * 2]) | st.text(max_size=4) | st.sampled_from(ODD)
        )
        text = text[:start] + piece + text[end:]
    return text


ODD = [
    *("\n", "\t", "&a ", "*a", "!x ", "{", "[", "]", '"', "- ", ": ", "\ufeff", "%", "---\n", "? "),
    *("Z", "-", "99", "T", ";", ",", "COUNT=0", "SECONDLY", "BEGIN:VEVENT\n", "END:VEVENT\n"),
]


@given(scrambled(page.GASTRO))
def test_a_scrambled_file_loads_or_is_refused(text):
    with tempfile.TemporaryDirectory() as folder:
        page.write(Path(folder))
        (Path(folder) / "gastro.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            assert read(folder).organisation.clinics
        except InvalidInput as error:
            assert error.problems


RICH = page.CALENDAR.replace(
    "BEGIN:VEVENT",
    "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:16011028T030000\r\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
    "END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Own:20270104T090000\r\n"
    "DURATION:PT1H\r\nRRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=9\r\nEXDATE;TZID=Own:20270201T090000\r\n"
    "RDATE;VALUE=PERIOD:20270301T090000Z/PT1H\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\n"
    "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Own:20270405T090000\r\n"
    "DTSTART;TZID=Own:20270406T090000\r\nDTEND;TZID=Own:20270406T093000\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT",
)


@given(scrambled(RICH))
def test_a_scrambled_calendar_loads_or_is_refused(text):
    with tempfile.TemporaryDirectory() as folder:
        page.write(Path(folder))
        (Path(folder) / "dr-berg.ics").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            assert read(folder).organisation.clinics
        except InvalidInput as error:
            assert error.problems and all("dr-berg.ics" in str(p) for p in error.problems)
