"""Reads a request by its line in the table: path, query, headers and body, with every fault named."""

import base64
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
import orjson
import uuid_utils
from werkzeug.wrappers import Request

from services.gateway.problems import Unreadable
from services.gateway.routes import Route, find
from shared.errors import Invalid
from shared.event import flat
from shared.rights import ROLES
from shared.schema import schema_of

MAX_DEPTH = 32
"""How deep objects and lists may be nested in a body."""
DEFAULT_ACTOR = "user:local"

Key = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,200}$", description="1–200 visible ASCII characters")]
Actor = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(user|service|system):[A-Za-z0-9._:-]{1,80}$",
        description="user:<id>, service:<name> or system:<name>",
    ),
]

RoleList = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^({'|'.join(ROLES)})(, ?({'|'.join(ROLES)}))*$",
        description=f"roles of {', '.join(ROLES)}, by commas",
    ),
]
"""Who asks says as what; where nobody says, whoever reaches the gateway on this machine may do everything."""


@dataclass(frozen=True)
class _Headers:
    idempotency_key: Key | None = None
    x_actor: Actor | None = None
    x_roles: RoleList | None = None
    x_correlation_id: Key | None = None
    x_simulated_time: datetime | None = None


_HEADERS = schema_of(_Headers)
_NAMES = {name: name.replace("_", "-").title() for name in _HEADERS.fields}


@dataclass(frozen=True)
class Call:
    """A request as it was read: its route, the keyword arguments for what answers it, and who calls in which context."""

    route: Route
    arguments: dict[str, Any]
    context: dict[str, Any]
    as_auditor: bool
    """Whether the caller says to be an auditor, whose reading is recorded."""


def read(request: Request, max_body_bytes: int, correlation_id: str) -> Call:
    """A request by its line in the table.

    Raises Invalid, Unreadable (its body cannot be read as JSON), or werkzeug's NotFound and MethodNotAllowed.
    """
    route, path = find(request.method, request.path)
    headers = {name: request.headers[header] for name, header in _NAMES.items() if header in request.headers}
    faults = flat(route.path_schema.validate(path))
    faults |= {_NAMES[name]: whys for name, whys in flat(_HEADERS.validate(headers)).items()}
    faults |= _query_faults(request, route)
    if faults:
        raise Invalid(faults)
    if route.method == "GET":  # repeated as often as one likes: each look is one, at the time when it is taken
        headers = {name: text for name, text in headers.items() if name not in ("idempotency_key", "x_simulated_time")}
    context = _context(headers, correlation_id)
    as_auditor = "x_roles" in headers and "auditor" in context["roles"]
    addressed, asked = route.read_path(path), route.read_query(request.args.to_dict())
    if route.method == "GET":
        return Call(route, {**addressed, **asked}, context, as_auditor)
    if route.kind == "upload":
        given = {name: value for name, value in asked.items() if value is not None}
        body = {**given, "file": _file(request, route), "media_type": request.mimetype}
    else:
        body = _body(request, max_body_bytes)
    return Call(route, {**_addressed(route, addressed, body), "context": context}, context, as_auditor)


def _context(headers: Mapping[str, str], correlation_id: str) -> dict[str, Any]:
    return {
        "command_id": headers.get("idempotency_key") or str(uuid_utils.uuid7()),
        "actor": headers.get("x_actor", DEFAULT_ACTOR),
        "roles": headers["x_roles"].replace(" ", "").split(",") if "x_roles" in headers else list(ROLES),
        "correlation_id": correlation_id,
        "time": headers.get("x_simulated_time"),
    }


def correlation_id_of(request: Request) -> str:
    """The caller's correlation id, or a new one where there is none or none that can be echoed."""
    given = request.headers.get("X-Correlation-Id", "")
    return given if re.fullmatch(r"[\x21-\x7e]{1,200}", given) else str(uuid.uuid4())


def _query_faults(request: Request, route: Route) -> dict[str, list[str]]:
    times = Counter(name for name, _ in request.args.items(multi=True))
    faults = flat(route.query_schema.validate(request.args.to_dict()))
    return faults | {name: ["expected once"] for name, count in times.items() if count > 1}


def _addressed(route: Route, path: Mapping[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """`facility` and `data` of a command; raises Invalid where the body contradicts the path."""
    named = {name: value for name, value in path.items() if name != "facility"}
    faults = {
        name: [f"expected {value}, as the path says"] for name, value in named.items() if body.get(name, value) != value
    }
    if faults:
        raise Invalid(faults)
    facility = body.get(route.names_facility) if route.names_facility else path.get("facility", "")
    return {"facility": facility if isinstance(facility, str) else "", "data": {**body, **named}}


def _file(request: Request, route: Route) -> str:
    """The bytes of an upload as base64; its media type is one of the route's."""
    if request.mimetype not in route.media_types:
        expected = f"The body must be {' or '.join(route.media_types)}."
        raise Unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, expected)
    raw = _bytes(request, route.max_bytes or 0)
    if not raw:
        raise Invalid({"file": ["expected a file, not an empty body"]})
    return base64.b64encode(raw).decode()


def _body(request: Request, max_bytes: int) -> dict[str, Any]:
    raw = _bytes(request, max_bytes)
    if not raw:
        return {}
    if request.mimetype != "application/json" or request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise Unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json in UTF-8.")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        detail = f"Malformed JSON at line {fault.lineno}, column {fault.colno}: {fault.msg}."
        raise Unreadable(HTTPStatus.BAD_REQUEST, detail, line=fault.lineno, column=fault.colno) from fault
    if not isinstance(body, dict):
        raise Invalid("expected a JSON object")
    if faults := dict(_unusable(body)):
        raise Invalid(faults)
    return body


def _bytes(request: Request, max_bytes: int) -> bytes:
    too_large = Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body may have {max_bytes} bytes.")
    if (request.content_length or 0) > max_bytes:
        raise too_large
    try:
        raw: bytes = request.environ["wsgi.input"].read(max_bytes + 1)
    except (ValueError, OSError) as fault:
        raise Unreadable(HTTPStatus.BAD_REQUEST, "The body broke off or is not chunked as it says.") from fault
    if len(raw) > max_bytes:
        raise too_large
    return raw


def _unusable(body: Any) -> Iterator[tuple[str, list[str]]]:
    """What is JSON but can be carried or stored nowhere: a NUL in a text (PostgreSQL), or endless nesting."""
    waiting: list[tuple[str, Any, int]] = [("", body, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            yield path[:200], [f"expected no more than {MAX_DEPTH} levels"]
            return
        match value:
            case str() if "\0" in value:
                yield path, ["expected no NUL character"]
            case dict():
                if any("\0" in name for name in value):
                    yield path, ["expected no NUL character in a name"]
                waiting += [(f"{path}.{name}" if path else name, member, depth + 1) for name, member in value.items()]
            case list():
                waiting += [(f"{path}[{number}]", member, depth + 1) for number, member in enumerate(value)]
