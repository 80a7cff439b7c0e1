"""Services that echo what they were asked, or refuse it when the facility's id names a refusal."""

import base64
from collections.abc import Callable
from typing import Any

import orjson
from nameko.rpc import rpc

from services.gateway.route import Route
from services.gateway.routes import ROUTES
from shared.config import SERVICES
from shared.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Rejected, Unauthenticated, Unavailable
from shared.rights import EVERYWHERE, ROLES

REFUSALS: dict[str, Exception] = {
    "invalid": Invalid({"items[3].rrule": ["expected an RRULE"], "year": ["expected an integer", "expected 2021"]}),
    "not-found": NotFound("no such facility: 程功"),
    "conflict": Conflict("somebody else was faster"),
    "rejected": Rejected("work is accepted by someone other than its doer"),
    "forbidden": Forbidden("not yours"),
    "unavailable": Unavailable("the database is away"),
    "broken": KeyError("password=hunter2"),
}


FILE = {"media_type": "text/html; charset=utf-8", "filename": "标签.html"}


class Installation:
    """What the stand-ins tell of themselves; tests change it."""

    def __init__(self) -> None:
        self.simulated = True
        self.now = "2021-03-01T00:00:00Z"
        self.status = "ok"
        self.heads: dict[str, dict[str, int]] = {}
        self.checkpoints: dict[str, dict[str, dict[str, int]]] = {}
        self.looks: list[dict[str, Any]] = []
        """What scoring was asked to keep of readings and exports."""
        self.feed: list[dict[str, Any]] | Refused | None = None
        """What integration hands out, or why it does not; None: an echo."""
        self.refusals: list[dict[str, Any]] = []
        """What access was asked to keep of refusals."""


installation = Installation()


def stand_in(name: str) -> type:
    """A service of that name with all methods that the gateway's table knows of it."""
    methods = {route.rpc: _echo(route) for route in ROUTES if route.service == name}
    return type(name, (), {"name": name, **methods, **_told_of_itself(name)})


def all_stand_ins() -> list[type]:
    """One for each service."""
    return [stand_in(name) for name in SERVICES]


def principal(credential: str) -> dict[str, Any]:
    """Whom a credential belongs to: the operator, or somebody with roles, as `<role>@<facility>` and more by commas."""
    if credential == "operator":
        return {"actor": "service:operator", "kind": "operator", "roles": {EVERYWHERE: ["admin"]}} | _OF_NOTE
    roles: dict[str, list[str]] = {}
    for held in credential.split(","):
        role, _, facility = held.partition("@")
        if role not in (*ROLES, "nobody"):
            raise Unauthenticated("expected a session, an API key or a JWT that is known here")
        roles.setdefault(facility, []).append(role)
    roles = {facility: held for facility, held in roles.items() if held != ["nobody"]}
    return {"actor": f"user:{credential.partition('@')[0]}", "kind": "account", "roles": roles} | _OF_NOTE


_OF_NOTE = {"name": "某人", "session": False, "expires_at": None}


def _echo(route: Route) -> Any:
    def answer(self: object, **kwargs: Any) -> dict[str, Any]:
        refusal = REFUSALS.get(kwargs.get("facility", ""))
        if refusal is not None:
            raise refusal
        asked = {"service": route.service, "method": route.rpc, **kwargs}
        if route.kind == "list":
            return {"items": [asked], "next": None if kwargs["cursor"] else "further"}
        if route.kind == "feed":
            return _fed(installation.feed, asked)
        if route.kind == "download":
            return {**FILE, "body": base64.b64encode(orjson.dumps(asked)).decode()}
        return asked

    return rpc(answer, expected_exceptions=Refused)


def _fed(feed: list[dict[str, Any]] | Refused | None, asked: dict[str, Any]) -> dict[str, Any]:
    """A page of the feed."""
    match feed:
        case Refused():
            raise feed
        case None:
            return {"items": [{"number": 1, "event": orjson.dumps(asked).decode()}], "next": 1, "head": 1}
        case _:
            return {"items": feed, "next": 4 + len(feed), "head": 5}


def _told_of_itself(name: str) -> dict[str, Callable[..., Any]]:
    def health(self: object) -> dict[str, Any]:
        return {"service": name, "status": installation.status}

    def clock(self: object) -> dict[str, Any]:
        return {"simulated": installation.simulated, "now": installation.now}

    def heads(self: object) -> dict[str, Any]:
        at = installation.heads.get(name, {})
        return {facility: {"position": position, "hash": "sha256:…"} for facility, position in at.items()}

    def checkpoints(self: object) -> dict[str, dict[str, int]]:
        return installation.checkpoints.get(name, {})

    def set_clock(self: object, now: str) -> None:
        if not installation.simulated:
            raise Rejected("a real installation keeps real time")
        installation.now = now

    methods = (health, clock, heads, checkpoints, set_clock, *_SAME_IN_ALL)
    return {method.__name__: rpc(method, expected_exceptions=Refused) for method in methods}


def stream_version(self: object, facility: str, stream: str) -> int:
    """Every stream is at its seventh event."""
    return 7


def record_reading(self: object, **told: Any) -> None:
    """Scoring's."""
    installation.looks.append({"method": "record_reading", **told})


def record_export(self: object, **told: Any) -> None:
    """Scoring's."""
    installation.looks.append({"method": "record_export", **told})


def identify(self: object, credential: str, address: str) -> dict[str, Any]:
    """Access's."""
    return principal(credential)


def record_refusal(self: object, **told: Any) -> None:
    """Access's."""
    installation.refusals.append(told)


_SAME_IN_ALL = (stream_version, record_reading, record_export, identify, record_refusal)
