"""What tests read out of the OpenAPI document: its operations, and a client made from it alone.

The client knows nothing of timevalg: an operation is called by its id with the names of its
parameters and of the fields of its body, and each answer must be as the document says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import quote

import jsonschema_rs

FORMATS = {"date": "2027-01-08", "date-time": "2027-01-14T09:00:00+01:00"}
"""Values for what a schema says no more of."""


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    document: dict
    path: str
    method: str
    said: dict

    @property
    def id(self):
        return self.said["operationId"]

    @property
    def use(self):
        return self.said.get("x-use-case")

    def parameters(self, place):
        return [p for p in self.said.get("parameters", ()) if p["in"] == place]

    @property
    def body(self):
        """The schema of its body, or None."""
        content = self.said.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def example(self):
        """A body that the document allows: its own example, else the least there may be."""
        return None if self.body is None else example(self.document, self.body)

    def schema(self, status):
        """The schema of an answer, able to stand alone."""
        answers = self.said["responses"]
        content = answers[str(status)].get("content", {})
        kind = next(iter(content.values()), {})
        return {**kind.get("schema", {}), "components": self.document["components"]}


def operations(document):
    """Give all operations, in the order of the document."""
    return [
        Operation(document, path, method.upper(), said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]


def example(document, schema):
    """Give a value that a schema allows."""
    if "$ref" in schema:
        return example(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return example(document, schema[key][0])
    if schema.get("type") == "object":
        needed = schema.get("required", ())
        return {name: example(document, schema["properties"][name]) for name in needed}
    if schema.get("type") == "array":
        return [example(document, schema["items"]) for _ in range(schema.get("minItems", 0))]
    if schema.get("type") in {"integer", "number"}:
        return schema.get("minimum", 1)
    if schema.get("type") == "boolean":
        return True
    return FORMATS.get(schema.get("format"), "x" * max(schema.get("minLength", 1), 1))


class Refused(Exception):
    """An answer that is a problem."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


class Client:
    """Calls the operations of a document by their ids.

    Parameters
    ----------
    send : callable
        (method, path, query, headers, json) → an answer of httpx2.
    """

    def __init__(self, document, send):
        self._known = {one.id: one for one in operations(document)}
        self._send = send

    def __getattr__(self, name):
        try:
            operation = self._known[name]
        except KeyError:
            raise AttributeError(name) from None
        return lambda **given: self._call(operation, given)

    def _call(self, operation, given):
        path, query, headers = operation.path, {}, {}
        for parameter in operation.parameters("path"):
            value = quote(str(given.pop(parameter["name"])), safe="")
            path = path.replace("{" + parameter["name"] + "}", value)
        for parameter in operation.parameters("query"):
            if parameter["name"] in given:
                query[parameter["name"]] = given.pop(parameter["name"])
        for parameter in operation.parameters("header"):
            name = parameter["name"].replace("-", "_").lower()
            if name in given:
                headers[parameter["name"]] = given.pop(name)
        body = given if operation.body is not None else None
        assert operation.body is not None or not given, f"{operation.id} takes no {list(given)}"
        answer = self._send(operation.method, path, query, headers, body)
        said = answer.json()
        assert str(answer.status_code) in operation.said["responses"], answer.text
        jsonschema_rs.validator_for(operation.schema(answer.status_code)).validate(said)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, said)
        told = json.loads(answer.text, object_hook=lambda fields: Told(**fields))
        told.etag = answer.headers.get("ETag")
        return told


class Told(SimpleNamespace):
    """What was answered."""
