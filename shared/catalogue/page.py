"""The catalogue as a page to read: what each service publishes, field by field; without script, its style within it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.catalogue.json_schema import Json

SERVICES = {
    "access": "登录与权限",
    "asset_registry": "资产台账",
    "integration": "系统对接",
    "scheduling": "计划排程",
    "scoring": "绩效评分",
    "work_orders": "工单",
}
"""The services' names for those who read Chinese; one that is not here goes by its own."""

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(schemas: Mapping[str, Json], envelope: Json) -> bytes:
    """An HTML page of events' schemas by type, in UTF-8; links are relative to the folder of the catalogue."""
    services: dict[str, list[dict[str, Any]]] = {}
    for type_, schema in sorted(schemas.items()):
        event = {"type": type_, "about": schema["description"], "fields": list(fields(schema))}
        services.setdefault(type_.partition(".")[0], []).append(event)
    shown = _templates.get_template("catalogue.html").render(
        services=services, names=SERVICES, envelope=list(fields(envelope))
    )
    return f"{shown}\n".encode()


def fields(schema: Json, path: str = "") -> Iterator[dict[str, Any]]:
    """Each field of an object, and below it those of the objects that it holds: {path, kind, always, about}."""
    for name, kind in schema.get("properties", {}).items():
        here = f"{path}{name}"
        always = name in schema.get("required", ())
        yield {"path": here, "kind": words(kind), "always": always, "about": kind.get("description", "")}
        yield from fields(kind, f"{here}.")
        yield from fields(kind.get("items", {}), f"{here}[].")
        yield from fields(kind.get("additionalProperties", {}), f"{here}.*.")


def words(kind: Json) -> str:
    """A kind of value in a few words, as JSON Schema has it: `date`, `string`, `a | b`, `array of string`."""
    types = kind["type"] if isinstance(kind["type"], list) else [kind["type"]]
    (type_,) = (one for one in types if one != "null")
    if "const" in kind:
        return str(kind["const"])
    if "enum" in kind:
        return " | ".join(one for one in kind["enum"] if one is not None)
    if type_ == "array":
        return f"array of {words(kind['items'])}"
    return str(kind.get("format", type_))
