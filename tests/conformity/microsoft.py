"""
Microsoft's own schemas of the calendar (OpenAPI 3.0), where they lie beside the repository, as a contract.

They leave much open, so that they are tightened to what they mean: no property that they do not name, null only where
they allow it. Where the service itself departs from its schemas, the departure is named here with its reason.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.conformity.contract import Contract

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMAS = ROOT.parent / "shared" / "reference" / "graph-calendar.openapi.json"
PREFIX = "/v1.0"


@cache
def microsoft() -> Contract | None:
    """The contract, or None where the file is absent."""
    if not SCHEMAS.is_file():
        return None
    document = json.loads(SCHEMAS.read_text(encoding="utf-8"))
    document["paths"] = {f"{PREFIX}{path}": operations for path, operations in document["paths"].items()}
    bases = _bases(document["components"]["schemas"])
    document["components"]["schemas"] = {
        name: _closed(_modern(schema)) if name not in bases else _modern(schema)
        for name, schema in document["components"]["schemas"].items()
    }
    return Contract(document)


def _bases(schemas: dict[str, Any]) -> set[str]:
    """The schemas that others build upon."""
    return {
        part["$ref"].rpartition("/")[2]
        for schema in schemas.values()
        for part in schema.get("allOf", ())
        if "$ref" in part
    }


def _modern(schema: Any) -> Any:
    """OpenAPI 3.0 in the words of JSON Schema 2020-12."""
    if isinstance(schema, list):
        return [_modern(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == {"type": "object", "nullable": True}:
        return {"type": "null"}  # what stands beside a reference means: or null
    told = {name: _modern(part) for name, part in schema.items() if name != "nullable"}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        told["type"] = [schema["type"], "null"]
    if told.get("additionalProperties") is True:
        del told["additionalProperties"]  # that is the closing's to say
    if told.get("format") == "time":
        del told["format"]  # Edm.TimeOfDay, which has no offset as RFC 3339 wants it
    return told


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """No properties but those named, and annotations, which OData allows everywhere."""
    if "properties" not in schema and "allOf" not in schema:
        return schema
    return schema | {"patternProperties": {"^@odata\\.|@": {}}, "unevaluatedProperties": False}
