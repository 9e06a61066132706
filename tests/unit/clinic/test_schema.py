"""The published JSON Schema is the one that the code gives."""

import json
from pathlib import Path

from timevalg.clinic import json_schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "clinic-file.schema.json"
WRITE = (
    'python -c "import json, timevalg.clinic as c; '
    'print(json.dumps(c.json_schema(), indent=2, ensure_ascii=False))"'
    " > docs/clinic-file.schema.json"
)


def test_the_published_schema_is_up_to_date():
    assert json.loads(PUBLISHED.read_text("utf-8")) == json_schema(), f"write it anew: {WRITE}"


def test_required_keys_are_those_of_the_page():
    schema = json_schema()
    rows = {name: set(row.get("required", ())) for name, row in schema["$defs"].items()}
    assert set(schema["required"]) == {"format", "clinic"}
    assert rows["ClinicRow"] == {"id", "organisation", "timezone"}
    assert rows["ResourceRow"] == {"id", "kind"}
    assert rows["ServiceRow"] == {"id", "length", "roles"}
    assert rows["PoolRow"] == {"id", "service", "open", "raster", "horizon"}
    assert rows["TaskRow"] == {"id", "patient", "pools", "opens", "due"}
    assert rows["BookingRow"] == {"id", "service", "start", "resources"}


def test_nothing_may_be_null_and_nothing_unknown():
    schema = json_schema()
    assert '"null"' not in json.dumps(schema)
    assert schema["additionalProperties"] is False
    assert {row["additionalProperties"] for row in schema["$defs"].values()} == {False}
