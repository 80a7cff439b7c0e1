"""What a line of the API is: how it is addressed, what it takes, who answers it, and all that follows from that."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, make_dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from marshmallow import Schema

from shared.rights import INSTALLATION
from shared.schema import Id, Sha256, Text, schema_of

Kind = Literal["command", "query", "list", "upload", "download", "feed", "receive", "page", "form"]
Year = Annotated[str, msgspec.Meta(pattern=r"^[12][0-9]{3}$", description="a year, YYYY")]
Flag = Annotated[str, msgspec.Meta(pattern=r"^(true|false)$", description="true or false")]
Rows = Annotated[str, msgspec.Meta(pattern=r"^([1-9][0-9]{0,2}|1000)$", description="a number from 1 to 1000")]
After = Annotated[
    str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,14})$", description="a number of the sequence, 0 or more")
]
Wait = Annotated[str, msgspec.Meta(pattern=r"^([1-5]?[0-9]|60)$", description="a number of seconds from 0 to 60")]
Sort = Annotated[str, msgspec.Meta(pattern=r"^-?[a-z_]{1,40}$", description="a column, with - before it for backwards")]

_KINDS: Mapping[str, Any] = {"year": Year, "sha256": Sha256, "message": Sha256}
"""What path parameters are that are not ids."""
_STREAMS: Mapping[str, str] = {
    "system_id": "system",
    "plan_id": "plan",
    "occurrence_id": "occurrence",
    "work_order_id": "work-order",
    "request_id": "work-request",
    "cost_id": "cost",
    "incident_id": "incident",
    "assessment_id": "assessment",
}
"""The streams that paths name by their ids: what is asked of one has its version in the ETag, and If-Match holds it."""
_READ: Mapping[Any, Callable[[str], Any]] = {
    Year: int,
    Rows: int,
    After: int,
    Wait: int,
    Flag: lambda words: words == "true",
}
"""What the words of a parameter stand for, where that is no text."""

LONG_SECONDS = 60.0
"""How long a sheet of tens of thousands of rows may take."""


@dataclass(frozen=True, eq=False)
class Route:
    """One line of the API.

    The path and query parameters of a query, a list or a download are the keyword arguments of its `target`. A
    command's path parameters and body together are its `data`, except `facility`, which is an argument of its own; an
    upload's are its path and query parameters, its `media_type`, and its body as `file` (base64).
    """

    kind: Kind
    path: str
    target: str
    query: Mapping[str, Any] = field(default_factory=dict)
    names_facility: str | None = None
    """The member of the body that names the facility, where the path does not."""
    media_types: tuple[str, ...] = ("application/json",)
    max_bytes: int | None = None
    """How long a body may be, where the usual is too short."""
    seconds: float | None = None
    """How long the answer may take, where the usual is too short."""
    is_evidence: bool = False
    """Whether it hands evidence over as a file, which is recorded whoever asks."""
    verb: str | None = None
    """The HTTP method, where it does not follow from the kind."""
    everywhere: bool = False
    """Whether only roles count that are held in all facilities; without it, a role in the facility of the path, or in any."""
    narrowed: bool = False
    """Whether the target is told for which `facilities` the caller holds a role that is needed; `*` stands for all."""
    belongs_to: str = ""
    """What stands in place of a facility, where neither path nor body names one."""

    @property
    def service(self) -> str:
        """Who answers."""
        return self.target.partition(".")[0]

    @property
    def rpc(self) -> str:
        """By which of its methods."""
        return self.target.partition(".")[2]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.verb or ("POST" if self.kind in ("command", "upload", "receive", "form") else "GET")

    @cached_property
    def facility_parameter(self) -> str | None:
        """The parameter of the path that names the facility in which the caller needs a role."""
        return next((name for name in ("facility", "facility_id") if f"{{{name}}}" in self.path), None)

    @cached_property
    def stream(self) -> str | None:
        """The stream that a command changes or a question is about, its id still in braces; None where it is not one."""
        if self.kind not in ("command", "query") or self.service in ("gateway", "access", "integration"):
            return None
        named = [name for name in re.findall(r"\{(\w+)\}", self.path) if name in _STREAMS]
        return f"{_STREAMS[named[-1]]}/{{{named[-1]}}}" if named else None

    @cached_property
    def path_schema(self) -> Schema:
        """What the parameters in the path must be."""
        names = re.findall(r"\{(\w+)\}", self.path)
        return schema_of(make_dataclass("Path", [(name, _KINDS.get(name, Id)) for name in names]))

    @cached_property
    def query_schema(self) -> Schema:
        """What the query parameters must be; all are optional, no others are known."""
        members = [(name, kind | None, field(default=None)) for name, kind in self.query.items()]
        return schema_of(make_dataclass("Query", members), strict=True)

    def read_path(self, words: Mapping[str, str]) -> dict[str, Any]:
        """The parameters of a path as values."""
        return {name: _READ.get(_KINDS.get(name), str)(text) for name, text in words.items()}

    def read_query(self, words: Mapping[str, str]) -> dict[str, Any]:
        """The query parameters as values, None where one is not given."""
        return {name: _READ.get(kind, str)(words[name]) if name in words else None for name, kind in self.query.items()}


def ask(path: str, target: str, everywhere: bool = False, **query: Any) -> Route:
    """A question: GET, answered with what is so."""
    return Route("query", f"/v1{path}", target, query=query, everywhere=everywhere)


def ask_for_list(path: str, target: str, *, everywhere: bool = False, narrowed: bool = False, **query: Any) -> Route:
    """A list in pages: GET, answered with an array; the next page is linked in the header Link (RFC 8288)."""
    paging = {"sort": Sort, "cursor": Text, "limit": Rows}
    return Route("list", f"/v1{path}", target, query={**query, **paging}, everywhere=everywhere, narrowed=narrowed)


def ask_for_feed(path: str, target: str, **query: Any) -> Route:
    """The events behind a number: GET, answered with an array; where to go on is always linked in the header Link."""
    paging = {"facility": Id, "after": After, "limit": Rows, "wait": Wait}
    return Route("feed", f"/v1{path}", target, query={**paging, **query}, narrowed=True)


def ask_for_file(path: str, target: str, **query: Any) -> Route:
    """A file: GET, answered with its bytes."""
    return Route("download", f"/v1{path}", target, query=query, seconds=LONG_SECONDS)


def ask_for_evidence(path: str, target: str, **query: Any) -> Route:
    """A file of evidence: GET, answered with its bytes once it is recorded who takes it along."""
    return Route("download", f"/v1{path}", target, query=query, seconds=LONG_SECONDS, is_evidence=True)


def tell(path: str, target: str, names_facility: str | None = None, everywhere: bool = False) -> Route:
    """A command: POST, answered with its outcome."""
    return Route("command", f"/v1{path}", target, names_facility=names_facility, everywhere=everywhere)


def administer(path: str, target: str, everywhere: bool = True) -> Route:
    """A command about who may come in: POST; it belongs to the installation and not to a facility."""
    return Route("command", f"/v1{path}", target, belongs_to=INSTALLATION, everywhere=everywhere)


def send_file(path: str, target: str, media_types: tuple[str, ...], max_bytes: int, **query: Any) -> Route:
    """A file sent as it is: POST, answered with what became of it."""
    return Route(
        "upload",
        f"/v1{path}",
        target,
        query=query,
        media_types=media_types,
        max_bytes=max_bytes,
        seconds=LONG_SECONDS,
    )


def receive(path: str, target: str, media_types: tuple[str, ...]) -> Route:
    """Events of another system: POST, headers and bytes handed over with the facilities in which the caller may do so."""
    return Route("receive", f"/v1{path}", target, media_types=media_types, narrowed=True, seconds=LONG_SECONDS)
