"""The JSON Schema of the clinic file, for editors that complete and check it."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from timevalg.clinic.format import ClinicFile


class _WithoutNull(GenerateJsonSchema):
    """Keys may be left out; they may not be null."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of one clinic file.

    It knows keys, types and ranges; references, the grid and what values must be to each other
    are judged by `read` only.
    """
    schema = ClinicFile.model_json_schema(schema_generator=_WithoutNull)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "timevalg clinic file",
        **{key: value for key, value in _without_titles(schema).items() if key != "title"},
    }


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_titles(item)
            for key, item in value.items()
            if not (key == "title" and isinstance(item, str))
        }
    if isinstance(value, list):
        return [_without_titles(item) for item in value]
    return value
