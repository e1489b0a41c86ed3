"""The JSON Schema of our JSON, generated from the model. `python -m formats.json_schema` writes the published file."""

import ast
import inspect
import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from formats import extensions, groups, invoice, lines, parties
from formats.invoice import Invoice
from formats.json_form import shape
from formats.values import MAX_DIGITS

FILE = Path(__file__).with_name("invoice.schema.json")

_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string", "pattern": r"\S"},
    Decimal: {"type": "string", "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$", "maxLength": MAX_DIGITS},
    date: {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    bytes: {"type": "string", "contentEncoding": "base64", "minLength": 1},
}


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of what `json_form` reads; descriptions are the model's own, with the BT numbers.

    The schema cannot say that a key is repeated, that a date exists or that base64 decodes; reading checks those.
    """
    definitions: dict[str, Any] = {}
    _define(Invoice, definitions)
    root = definitions.pop("Invoice")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Passerelle invoice",
        **root,
        "minProperties": 1,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """`json_schema` as the text of the published file."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def _define(model: type, definitions: dict[str, Any]) -> None:
    if model.__name__ in definitions:
        return
    definitions[model.__name__] = {}
    properties = {}
    required = []
    for name, (kind, many, must) in shape(model).items():
        if kind in _SCALARS:
            value = dict(_SCALARS[kind])
        else:
            _define(kind, definitions)
            value = {"$ref": f"#/$defs/{kind.__name__}"}
        words = {"description": descriptions()[model.__name__][name]}
        properties[name] = {"type": "array", "items": value, **words} if many else {**value, **words}
        if must:
            required.append(name)
    schema: dict[str, Any] = {"type": "object", "description": inspect.cleandoc(model.__doc__ or "")}
    schema |= {"properties": properties, "additionalProperties": False}
    definitions[model.__name__] = schema | ({"required": required} if required else {})


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """Per class of the model, per field: the text under the field. Python keeps it in the source alone."""
    trees = [ast.parse(inspect.getsource(module)) for module in (parties, extensions, groups, lines, invoice)]
    found: dict[str, dict[str, str]] = {}
    for model in (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)):
        texts: dict[str, str] = {}
        for field, words in zip(model.body, model.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
                and isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant)
            ):
                texts[field.target.id] = inspect.cleandoc(str(words.value.value))
        found[model.name] = texts
    return found


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
