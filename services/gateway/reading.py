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
from urllib.parse import parse_qsl

import msgspec
import orjson
import uuid_utils
from werkzeug.wrappers import Request

from services.gateway.callers import Caller
from services.gateway.problems import Unreadable
from services.gateway.route import Route
from shared import trace_ids
from shared.errors import Invalid
from shared.event import flat
from shared.rights import RIGHTS, ROLES
from shared.schema import schema_of

MAX_DEPTH = 32
"""How deep objects and lists may be nested in a body."""
NOBODY = "service:gateway"
"""Who acts where nobody needs to have signed in."""
CE_HEADERS = ("content-type", "ce-")
"""How the headers begin that say what a body of CloudEvents is (HTTP protocol binding 1.0.2)."""

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
"""As what the operator of a simulated installation acts."""
Tag = Annotated[
    str,
    msgspec.Meta(
        pattern=r'^"([0-9]{1,9})(\.[0-9a-f]+)?(\.gz)?"$', description='one ETag as an answer gave it, like "7.1f…"'
    ),
]
"""An entity tag that begins with the version of a stream."""


@dataclass(frozen=True)
class _Headers:
    idempotency_key: Key | None = None
    x_actor: Actor | None = None
    x_roles: RoleList | None = None
    x_correlation_id: Key | None = None
    x_simulated_time: datetime | None = None
    if_match: Tag | None = None


_HEADERS = schema_of(_Headers)
_NAMES = {name: name.replace("_", "-").title() for name in _HEADERS.fields}


@dataclass(frozen=True)
class Call:
    """A request as it was read: its route, the keyword arguments for what answers it, and who calls in which context."""

    route: Route
    arguments: dict[str, Any]
    context: dict[str, Any]
    stream: str | None = None
    """The stream that the request is about, where it is about one."""
    wait: int = 0
    """For how many seconds its client would wait for something new."""


@dataclass(frozen=True)
class Addressed:
    """A request of which path and headers were read, and found in order."""

    route: Route
    path: dict[str, Any]
    headers: dict[str, str]

    @property
    def facility(self) -> str | None:
        """The facility that the path names."""
        name = self.route.facility_parameter
        return None if name is None else str(self.path[name])


def read_head(request: Request, route: Route, path: Mapping[str, str]) -> Addressed:
    """Path and headers of a request, its query looked at; raises Invalid."""
    headers = {name: request.headers[header] for name, header in _NAMES.items() if header in request.headers}
    faults = flat(route.path_schema.validate(dict(path)))
    faults |= {_NAMES[name]: whys for name, whys in flat(_HEADERS.validate(headers)).items()}
    faults |= _query_faults(request, route)
    if "if_match" in headers and route.method != "GET" and route.stream is None:
        faults["If-Match"] = ["expected none here, where no one stream is changed"]
    if faults:
        raise Invalid(faults)
    if route.method == "GET":  # repeated as often as one likes: each look is one, at the time when it is taken
        headers = {name: text for name, text in headers.items() if name not in ("idempotency_key", "x_simulated_time")}
    return Addressed(route, route.read_path(path), headers)


def read(  # noqa: PLR0917  the parts of a request
    request: Request, head: Addressed, caller: Caller | None, roles: list[str], max_body_bytes: int, correlation_id: str
) -> Call:
    """A request whole: query and body; the caller holds `roles` where it wants to go.

    Raises Invalid, or Unreadable where its body cannot be read.
    """
    route = head.route
    context = _context(head, caller, roles, correlation_id)
    asked = route.read_query(request.args.to_dict())
    if route.narrowed and caller is not None:
        asked["facilities"] = caller.facilities_for(RIGHTS[route.target])
    stream = None if route.stream is None else route.stream.format(**head.path)
    if route.kind == "feed":
        wait = asked.pop("wait") or 0
        return Call(route, {**head.path, **asked}, context, wait=wait)
    if route.method == "GET":
        return Call(route, {**head.path, **asked}, context, stream)
    if route.kind == "receive":
        told = {name: text for name, text in request.headers.items() if name.lower().startswith(CE_HEADERS)}
        body = base64.b64encode(_bytes(request, max_body_bytes)).decode()
        return Call(route, {**asked, "headers": told, "body": body, "context": context}, context)
    given = {name: value for name, value in asked.items() if value is not None}
    return Call(
        route,
        {**_addressed(route, head.path, _told(request, route, max_body_bytes, given)), "context": context},
        context,
        stream,
    )


def _told(request: Request, route: Route, max_body_bytes: int, asked: dict[str, Any]) -> dict[str, Any]:
    """What the body says, as an object."""
    if route.kind == "upload":
        return {**asked, "file": _file(request, route), "media_type": request.mimetype}
    if route.kind == "form":
        return _form(request, route, max_body_bytes)
    return _body(request, max_body_bytes)


def _context(head: Addressed, caller: Caller | None, roles: list[str], correlation_id: str) -> dict[str, Any]:
    context: dict[str, Any] = {
        "command_id": head.headers.get("idempotency_key") or str(uuid_utils.uuid7()),
        "actor": NOBODY if caller is None else caller.actor,
        "roles": roles,
        "correlation_id": correlation_id,
        "time": head.headers.get("x_simulated_time"),
    }
    if "if_match" in head.headers and head.route.stream is not None:
        version = int(re.split(r"\D", head.headers["if_match"][1:], maxsplit=1)[0])
        context["if_match"] = {"stream": head.route.stream.format(**head.path), "version": version}
    return context


def correlation_id_of(request: Request) -> str:
    """The caller's correlation id, or its trace where it names that alone, or a new one; always one that can be echoed."""
    given = request.headers.get("X-Correlation-Id", "")
    if re.fullmatch(r"[\x21-\x7e]{1,200}", given):
        return given
    return trace_ids.correlation_id_of(request.headers.get(trace_ids.TRACEPARENT)) or str(uuid.uuid4())


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
    facility = body.get(route.names_facility) if route.names_facility else path.get("facility", route.belongs_to)
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


def _form(request: Request, route: Route, max_bytes: int) -> dict[str, Any]:
    """The fields of a form that a browser sent, each once."""
    if request.mimetype not in route.media_types:
        raise Unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {route.media_types[0]}.")
    try:
        fields = parse_qsl(_bytes(request, max_bytes).decode(), strict_parsing=True, errors="strict")
    except ValueError as fault:
        raise Unreadable(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from fault
    if len(dict(fields)) < len(fields):
        raise Unreadable(HTTPStatus.BAD_REQUEST, "Each field of the form is expected once.")
    return dict(fields)


def _bytes(request: Request, max_bytes: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must not be compressed (Content-Encoding).")
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
