"""One operation of the document for each line of the table: its words, what it is asked with, and who may ask."""

import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import make_dataclass
from typing import Any

from services.gateway.reading import Actor, Key, RoleList, Tag
from services.gateway.route import Route
from services.openapi import gateway, words
from services.openapi.responses import responses
from services.openapi.schemas import Json, Schemas
from shared.event import Moment
from shared.rights import PUBLIC, RIGHTS, SIGNED_IN, Role
from shared.schema import schema_of

_HEADERS: dict[str, tuple[str, Any, str]] = {
    "IdempotencyKey": ("Idempotency-Key", Key, "The command is carried out once under a key. Without one each request is a command of its own."),
    "CorrelationId": ("X-Correlation-Id", Key, "Under which id the request is logged, and found in the events that follow from it."),
    "IfMatch": ("If-Match", Tag, "The `ETag` of what the decision rests on: refused with 412 if its version is not the newest any more."),
    "Actor": ("X-Actor", Actor, "模拟数据专用。Only in a simulated installation, by its operator: as whom to act."),
    "Roles": ("X-Roles", RoleList, "模拟数据专用。Only in a simulated installation, by its operator: in which roles to act."),
    "SimulatedTime": ("X-Simulated-Time", Moment, "模拟数据专用。Only in a simulated installation, by who administers all of it: the time to which its clock is moved before the command."),
}  # fmt: skip
_EVENTS: Mapping[str, Json] = {
    "application/cloudevents+json": {"type": "object", "description": "one CloudEvent, structured"},
    "application/cloudevents-batch+json": {"type": "array", "description": "a batch of CloudEvents"},
    "application/json": {"description": "the data of one CloudEvent, whose attributes are in the headers `ce-…`"},
}


def declare(schemas: Schemas) -> None:
    """Put the headers of requests into the document."""
    for name, (header, kind, means) in _HEADERS.items():
        said = _kind_of(kind, schemas)
        said.pop("description", None)
        parameter = {"name": header, "description": means, "schema": said}
        schemas.spec.components.parameter(name, "header", parameter)
    tag = {
        "name": "If-None-Match",
        "description": "The `ETag` of an answer that is known.",
        "schema": {"type": "string"},
    }
    schemas.spec.components.parameter("IfNoneMatch", "header", tag)


def operation(route: Route, service: type, name: str, schemas: Schemas) -> Json:
    """What the document says of a line of the table, which a method of the service answers."""
    method = getattr(service, route.rpc)
    summary, more = _sentences(words.SAID.get(route.target) or inspect.getdoc(method) or "")
    said: Json = {
        "tags": [route.service],
        "operationId": name,
        "summary": summary,
        "description": "\n\n".join(filter(None, [more, _who(route)])),
        "parameters": list(_parameters(route, schemas)),
        "responses": responses(route, _told(method, "answers", gateway.ANSWERS, route), schemas),
        "x-kind": route.kind,
        "x-roles": list(_roles(route)),
    }
    if asked := body(route, service, schemas):
        said["requestBody"] = asked
    if route.target in PUBLIC:
        said["security"] = []
    return said


def body(route: Route, service: type, schemas: Schemas) -> Json | None:
    """What the body of a request must be; None where it has none."""
    command = _told(getattr(service, route.rpc), "asks", gateway.ASKS, route)
    if route.kind == "command" and command is not None:
        reference = schemas.body(command, tuple(route.path_schema.fields))
        content: Json = {"application/json": {"schema": reference}}
        return {"required": schemas.required(reference), "content": content}
    if route.kind == "receive":
        return {
            "required": True,
            "content": {media_type: {"schema": _EVENTS[media_type]} for media_type in route.media_types},
        }
    if route.kind == "upload":
        return {"required": True, "content": {media_type: {} for media_type in route.media_types}}
    return None


def names(routes: Collection[Route]) -> Iterator[str]:
    """An operationId for each line; where a method answers several, what else their paths name tells them apart."""
    taken: set[str] = set()
    for route in routes:
        name = f"{route.service}_{route.rpc}"
        if name in taken:
            (*_, last) = re.findall(r"\{(\w+)\}", route.path)
            name = f"{name}_of_{last}"
        taken.add(name)
        yield name


def _told(method: Any, what: str, own: Mapping[str, type], route: Route) -> Any:
    """What a method says of itself (`shared.service`), or what is said for one of the gateway."""
    return own.get(route.rpc) if route.service == "gateway" else getattr(method, what, None)


def _sentences(doc: str) -> tuple[str, str]:
    """The first sentence and the others; what is raised stands among the responses, of what form the answer is in a schema."""
    first, *rest = doc.split("\n\n")
    summary, _, more = _without_raises(" ".join(first.split())).partition(". ")
    summary = re.sub(r"[:;] (answers )?\[?\{.*\}\]?$| \(see [^)]*\)", "", summary.removesuffix("."))
    return summary, "\n\n".join(filter(None, [more, *map(_without_raises, rest)]))


def _without_raises(text: str) -> str:
    left = re.sub(r"(^|[;,.] )[Rr]aises [^.]*", "", text).strip(" .\n")
    return f"{left}." if left else ""


def _roles(route: Route) -> Collection[Role]:
    return () if route.target in PUBLIC | SIGNED_IN else RIGHTS[route.target]


def _who(route: Route) -> str:
    if route.target in PUBLIC:
        return "公开。Nobody needs to sign in."
    if route.target in SIGNED_IN:
        return "已登录即可。Whoever signed in, with or without a role."
    named = ", ".join(f"{words.ROLES[role]} `{role}`" for role in _roles(route))
    where = " held in all facilities" if route.everywhere else " in the facility" if route.facility_parameter else ""
    return f"角色：{named}。One of these roles{where} is needed."


def _parameters(route: Route, schemas: Schemas) -> Iterator[Json | str]:
    """Those of its own, then the names of those that are the same for many."""
    for name, field in route.path_schema.fields.items():
        yield _parameter(name, "path", schemas.kind(field), required=True)
    for name, kind in route.query.items():
        required = name in words.REQUIRED.get(route.target, ())
        yield _parameter(name, "query", _kind_of(kind, schemas), required=required)
    changes, known = route.method != "GET", route.target not in PUBLIC
    shared = {
        "CorrelationId": True,
        "IdempotencyKey": changes,
        "IfMatch": changes and route.stream is not None,
        "IfNoneMatch": not changes and not gateway.writes_by_itself(route),
        "Actor": known,
        "Roles": known,
        "SimulatedTime": changes and known,
    }
    yield from (name for name, taken in shared.items() if taken)


def _parameter(name: str, place: str, schema: Json, *, required: bool) -> Json:
    kind = schema.pop("description", "")
    means = words.PARAMETERS.get(name) or kind
    return {
        "name": name,
        "in": place,
        "required": required,
        "schema": schema,
        **({"description": means} if means else {}),
    }


def _kind_of(kind: Any, schemas: Schemas) -> Json:
    return schemas.kind(schema_of(make_dataclass("Given", [("value", kind)])).fields["value"])
