"""Every body, answer and problem of the document has an example that its schema allows."""

from __future__ import annotations

import jsonschema_rs
import pytest

from tests.document import operations
from timevalg.api.problems import KINDS, MEDIA_TYPE, OTHERS


@pytest.fixture
def document(app):
    return app.openapi()


def contents(document):
    """Where, what is said there of its media type, and the status: each body and each answer."""
    for one in operations(document):
        for media, content in one.said.get("requestBody", {}).get("content", {}).items():
            yield f"{one.id} {media}", None, media, content
        for status, answer in one.said["responses"].items():
            for media, content in answer.get("content", {}).items():
                yield f"{one.id} {status} {media}", status, media, content


def validator(document, schema):
    whole = {**schema, "components": document["components"]}
    return jsonschema_rs.validator_for(whole, validate_formats=True)


def test_each_body_and_answer_has_an_example_that_its_schema_allows(document):
    known, wrong = {}, []
    for where, _, media, content in contents(document):
        if media == MEDIA_TYPE:
            continue
        schema = content["schema"]
        target = schema.get("$ref", "").rpartition("/")[2]
        component = document["components"]["schemas"].get(target, {})
        example = content.get("example", component.get("example"))
        assert example is not None or "null" in str(schema), where
        name = str(schema)
        known.setdefault(name, validator(document, schema))
        wrong += [
            (where, e.message, str(e.instance_path)) for e in known[name].iter_errors(example)
        ]
    assert "\n".join(map(str, wrong)) == ""


def test_each_problem_has_one_of_its_status(document):
    told = document["components"]["examples"]
    assert told.keys() == {kind.name for kind in (*KINDS.values(), *OTHERS.values())}
    problem = validator(document, {"$ref": "#/components/schemas/ProblemOut"})
    for name, example in told.items():
        problem.validate(example["value"])
        assert example["value"]["type"].endswith(f":{name}")
    for where, status, media, content in contents(document):
        if media == MEDIA_TYPE:
            names = [ref["$ref"].rpartition("/")[2] for ref in content["examples"].values()]
            assert names, where
            assert {str(told[name]["value"]["status"]) for name in names} == {status}, where


def echoes(value, key=""):
    """Fields whose example is only their own name."""
    if isinstance(value, dict):
        return {name for field, inner in value.items() for name in echoes(inner, field)}
    if isinstance(value, list):
        return {name for inner in value for name in echoes(inner, key)}
    return {key} if value == key else set()


def test_examples_are_about_something(document):
    answers = [c.get("example") for _, status, _, c in contents(document) if status is not None]
    assert set().union(*map(echoes, answers)) == set()
