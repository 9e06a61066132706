"""What tests read out of the OpenAPI document: its operations, and a client made from it alone."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import httpx2
from aiopenapi3 import OpenAPI

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


class Made:
    """What aiopenapi3 makes of a document: a client for nobody yet, in a second or two."""

    def __init__(self, document, base):
        def session(**given) -> httpx2.Client:  # by this it knows what to expect
            return httpx2.Client(**given | {"timeout": 60})

        whole = json.dumps({**document, "servers": [{"url": base}]})
        self.client = OpenAPI.loads(f"{base}/openapi.json", whole, session_factory=session)
        self.places = {one.id: (one.path, one.method.lower()) for one in operations(document)}


class Client:
    """A client of somebody's; what it calls knows nothing of timevalg.

    An operation is called by its id with the names of its parameters (``-`` as ``_``) and of the
    fields of its body; the library puts the request together, and checks the answer against the
    document. What is refused is its `HTTPClientError`.
    """

    def __init__(self, made, token):
        self._client, self._places = made.client.clone(), made.places
        self._client.authenticate(bearer=token)

    def __getattr__(self, name):
        operation = self._client.createRequest(self._places[name])
        names = {p.name.replace("-", "_"): p.name for p in operation.parameters}

        def call(**given):
            asked = {names[key]: given.pop(key) for key in names.keys() & given.keys()}
            _, told, answer = operation.request(parameters=asked, data=given or None)
            plain = json.loads(told.model_dump_json(), object_hook=lambda f: SimpleNamespace(**f))
            plain.etag = answer.headers.get("ETag")
            return plain

        return call
