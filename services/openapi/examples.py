"""Made-up values for the calls that the page shows: what must be said, each of its kind."""

from collections.abc import Mapping
from typing import Any

from services.openapi.schemas import Json

_NAMED: Mapping[str, Any] = {
    "facility": "hall",
    "facility_id": "hall",
    "system_id": "gas-suppression",
    "point_id": "N-014",
    "plan_id": "plan-2021",
    "plan_item_id": "gas-suppression-inspection",
    "occurrence_id": "gas-suppression-inspection:2021-03:1",
    "work_order_id": "wo:gas-suppression-inspection:2021-03:1",
    "assessment_id": "assessment-2021",
    "rulebook_id": "chenggong-2021",
    "official": "chenggong-2021",
    "year": 2021,
    "name": "政务服务大厅",
    "uscc": "11530121MB198972XH",
    "region_code": "530114",
    "timezone": "Asia/Shanghai",
    "rrule": "FREQ=MONTHLY;BYMONTHDAY=1",
    "assignee": "user:li",
    "username": "li",
    "reason": "检修期间停用",
    "description": "喷嘴松动",
    "format": "xlsx",
}
"""By the name of a member, where its kind would say too little."""
_FORMATS: Mapping[str, Any] = {"date": "2021-03-31", "date-time": "2021-03-09T10:40:00+08:00"}
_PATTERNS: Mapping[str, Any] = {
    r"^-?[0-9]{1,15}\.[0-9]{2}$": "120.00",
    "^[0-9a-f]{64}$": 64 * "0",
    "^[0-9]{4}-(0[1-9]|1[0-2])$": "2021-03",
    "^[12][0-9]{3}$": "2021",
}
_TYPES: Mapping[str, Any] = {"string": "…", "integer": 1, "number": 1, "boolean": True, "null": None}


def named(name: str, schema: Json, document: Json) -> Any:
    """A value for a member or parameter of a name."""
    known = _NAMED.get(name)
    id_ = schema.get("pattern", "").startswith("^[A-Za-z0-9._:-]")
    if known is not None and schema.get("type") in ("string", "integer"):
        return str(known) if schema["type"] == "string" else known
    return f"{name.removesuffix('_id')}-1" if id_ else example(schema, document)


def example(schema: Json, document: Json) -> Any:
    """A value of a schema; of an object just the members that must be there."""
    if "$ref" in schema:
        return example(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], document)
    if "enum" in schema:
        return schema["enum"][0]
    type_ = schema["type"][0] if isinstance(schema.get("type"), list) else schema.get("type", "null")
    if type_ == "array":
        return [example(schema["items"], document)]
    if type_ == "object":
        required = set(schema.get("required", ()))
        members = {name: told for name, told in schema.get("properties", {}).items() if name in required}
        return {name: named(name, told, document) for name, told in members.items()}
    return _FORMATS.get(schema.get("format", "")) or _PATTERNS.get(schema.get("pattern", "")) or _TYPES[type_]
