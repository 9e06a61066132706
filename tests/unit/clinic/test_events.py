"""YAML 1.2 values, lines, and the quick parser for large files."""

import sys
from pathlib import Path

import pytest

from tests.unit.clinic import page
from tests.unit.clinic.plain import plain
from timevalg.clinic import document as documents
from timevalg.clinic import files
from timevalg.clinic.document import compose, compose_json
from timevalg.clinic.events import (
    Malformed,
    NotYaml,
    json_events,
    libyaml_events,
    plain_value,
    yaml_events,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("9:00", "9:00"),
        ("1:30:00", "1:30:00"),
        ("2027-07-05", "2027-07-05"),
        ("2027-03-01T12:00", "2027-03-01T12:00"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("012", 12),
        ("0o14", 12),
        ("0xc", 12),
        ("-5", -5),
        ("+5", 5),
        ("1_000", "1_000"),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("9" * 500, "9" * 500),
    ],
)
def test_unquoted_values(text, value):
    found = plain_value(text)
    assert found == value and type(found) is type(value)


def test_quotes_make_text():
    value = compose(yaml_events("[\"1\", 'true', !!str 2, '']")).value
    assert value == ["1", "true", "2", ""]


def test_the_lines_of_values():
    document = compose(yaml_events("a: 1\nb:\n  - x\n  - {c: 2,\n     d: [3,\n 4]}\n"))
    assert document.value == {"a": 1, "b": ["x", {"c": 2, "d": [3, 4]}]}
    assert document.line(("a",)) == 1
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 1, "d")) == 5
    assert document.line(("b", 1, "d", 1)) == 6
    assert document.line(("b", 1, "missing")) == 4
    assert document.line(()) == 1


def test_json_gives_what_yaml_gives():
    text = '{"a": [1, -2.5e1, true, false, null, "x\\n\\"\\u00e6"],\n "b": {}}'
    assert compose(json_events(text)).value == compose(yaml_events(text)).value
    assert compose(json_events(text)).line(("b",)) == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, -2.5e1, {"b": []}],\n "c":\n {"d": "x"}}',
        "7",
        '{"a": 1,\n "a": 2}',
        '{"a": NaN}',
        "",
        "{",
        f'{{"a": {"9" * 500}}}',
        "[" * 39 + "]" * 39,
        "[" * 41 + "]" * 41,
        "[" * 100_000 + "]" * 100_000,
        "[0, 0, 0, 0]",
    ],
)
def test_json_read_at_once_is_what_its_events_give(text, monkeypatch):
    """Lines, keys given twice, limits and refusals included."""
    monkeypatch.setattr(documents, "MAX_VALUES", 4)

    def told(build):
        try:
            found = build()
        except Malformed as error:
            return error.message, error.line
        lines = [found.line(path) for path in (("a",), ("a", 2, "b"), ("c", "d"), (0, 0))]
        return found.value, found.findings, lines

    assert told(lambda: compose_json(text)) == told(lambda: compose(json_events(text)))


def test_events_are_made_of_json_only_when_a_line_is_asked_for(monkeypatch):
    document = compose_json('{"a": 1,\n "b": 2}')
    asked = []
    monkeypatch.setattr(
        documents, "json_events", lambda text: asked.append(text) or json_events(text)
    )
    assert document.value == {"a": 1, "b": 2} and not asked
    assert [document.line(("b",)), document.line(("a",))] == [2, 1]
    assert len(asked) == 1


def test_large_files_are_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    expected = plain(page.contents(tmp_path))
    monkeypatch.setattr(files, "QUICK_FROM", 0)
    assert plain(page.contents(tmp_path)) == expected
    assert page.problems(tmp_path, gastro=page.swapped("raster: 30", "raster: [")), "the slow one's"
    monkeypatch.setitem(sys.modules, "yaml.cyaml", None)
    assert plain(page.contents(tmp_path)) == expected, "without PyYAML"


def test_the_quick_parser_agrees_or_gives_up():
    for text in (page.GASTRO, page.SURGERY, "{a: 9:00, b: [::1]}", "a: &x [1]\nb: *x\n", "a: [\n"):
        try:
            quick = list(libyaml_events(text))
        except NotYaml:
            continue
        assert quick == list(yaml_events(text))
