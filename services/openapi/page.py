"""The document as a page to read: each operation with its parameters, body, answers and a call; no script, one style."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.openapi import words
from services.openapi.examples import example, named
from services.openapi.schemas import Json

Part = tuple[str, str | None]
"""A piece of text, and the schema that it leads to."""


def marked_up(text: str) -> Markup:
    """Markdown as docstrings have it, paragraphs, lists and `code`, as HTML."""
    return Markup("").join(_block(block) for block in re.split(r"\n\s*\n", text.strip()) if block)


def _block(block: str) -> Markup:
    if not block.startswith("- "):
        return Markup("<p>{}</p>").format(_line(block))
    items = (Markup("<li>{}</li>").format(_line(item[2:])) for item in re.split(r"\n(?=- )", block))
    return Markup("<ul>{}</ul>").format(Markup("").join(items))


def _line(text: str) -> Markup:
    pieces = enumerate(text.split("`"))
    return Markup("").join(Markup("<code>{}</code>").format(one) if at % 2 else escape(one) for at, one in pieces)


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["marked_up"] = marked_up
_templates.filters["line"] = _line


def page(document: Json) -> bytes:
    """An HTML page of an OpenAPI document, in UTF-8."""
    shown = _templates.get_template("api.html").render(
        info=document["info"],
        tags=[_tag(tag, document) for tag in document["tags"]],
        schemes=document["components"]["securitySchemes"],
        headers=[{**one, "kind": kind(one["schema"])} for one in document["components"]["parameters"].values()],
        refusals=[_refusal(name, document) for name in document["components"]["responses"]],
        schemas=[_schema(name, told) for name, told in document["components"]["schemas"].items()],
        kinds=words.KINDS,
    )
    return f"{shown}\n".encode()


def kind(schema: Json) -> list[Part]:
    """A kind of value in a few words, each that is a schema of its own with its name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [(name, name)]
    if "anyOf" in schema:
        ways = [kind(way) for way in schema["anyOf"]]
        return [part for number, way in enumerate(ways) for part in ([(" | ", None), *way] if number else way)]
    if "enum" in schema:
        return [(" | ".join("null" if one is None else str(one) for one in schema["enum"]), None)]
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type", "any")]
    null: list[Part] = [(" | null", None)] if "null" in types[1:] else []
    match types[0]:
        case "array":
            return [("array of ", None), *kind(schema["items"]), *null]
        case "object" if schema.get("additionalProperties"):
            return [("object of ", None), *kind(schema["additionalProperties"]), *null]
        case type_:
            return [(schema.get("format", type_), None), *null]


def _tag(tag: Json, document: Json) -> Json:
    operations = [
        _operation(method, path, told, document)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if tag["name"] in told["tags"]
    ]
    return {**tag, "zh": tag["x-displayName"], "operations": operations}


def _operation(method: str, path: str, told: Json, document: Json) -> Json:
    own = [one for one in told["parameters"] if "$ref" not in one]
    shared = [_resolved(one, document)["name"] for one in told["parameters"] if "$ref" in one]
    return {
        **told,
        "method": method.upper(),
        "path": path,
        "parameters": [{"description": "", **one, "kind": kind(one["schema"])} for one in own],
        "headers": shared,
        "body": _body(told.get("requestBody"), document),
        "answers": [_answer(status, one) for status, one in told["responses"].items() if "$ref" not in one],
        "refusals": [status for status, one in told["responses"].items() if "$ref" in one],
        "curl": _curl(method, path, told, document),
    }


def _refusal(name: str, document: Json) -> Json:
    (status,) = (status for status, (known, _, _) in words.STATUSES.items() if known == name)
    return _answer(str(status), document["components"]["responses"][name])


def _answer(status: str, told: Json) -> Json:
    shapes = [(media_type, kind(one["schema"]) if "schema" in one else []) for media_type, one in _content(told)]
    return {"status": status, "description": told["description"], "shapes": shapes}


def _body(told: Json | None, document: Json) -> Json | None:
    if told is None:
        return None
    schema = next((one["schema"] for _, one in _content(told) if "schema" in one), None)
    found = None if schema is None else _resolved(schema, document)
    return {
        "required": told["required"],
        "media_types": [media_type for media_type, _ in _content(told)],
        "about": "" if found is None else found.get("description", ""),
        "fields": [] if found is None else list(_fields(found)),
    }


def _schema(name: str, told: Json) -> Json:
    return {"name": name, "about": told.get("description", ""), "fields": list(_fields(told))}


def _fields(schema: Json) -> Iterator[Json]:
    for name, told in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        yield {"name": name, "kind": kind(told), "required": required, "about": told.get("description", "")}


def _curl(method: str, path: str, told: Json, document: Json) -> str:
    """A call of it with what must be said, and made-up values."""
    where = path
    for one in told["parameters"]:
        if one.get("in") == "path":
            where = where.replace(
                f"{{{one['name']}}}", quote(str(named(one["name"], one["schema"], document)), safe=":")
            )
    lines = [f'curl "$XUNJIAN{where}"']
    if method not in ("get", "post"):
        lines.append(f"-X {method.upper()}")
    if told.get("security") != []:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if method == "post":
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    for media_type, one in _content(told.get("requestBody", {})):
        lines.append(f"-H {shlex.quote(f'Content-Type: {media_type}')}")
        said = json.dumps(example(one["schema"], document), ensure_ascii=False) if "schema" in one else None
        lines.append("--data-binary @FILE" if said is None else f"-d {shlex.quote(said)}")
        break
    else:
        lines += ["-d ''"] if method == "post" else []
    if told["x-kind"] == "download":
        lines.append("-OJ")
    return " \\\n  ".join(lines)


def _content(told: Json) -> list[tuple[str, Any]]:
    return list(told.get("content", {}).items())


def _resolved(told: Json, document: Json) -> Json:
    """A component where it is only referred to."""
    if "$ref" not in told:
        return told
    found: Any = document
    for step in told["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)
