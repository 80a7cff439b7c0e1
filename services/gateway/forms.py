"""The forms of what the gateway answers by itself: health, the state of the installation, its clock, who is signed in, and problems."""

from dataclasses import dataclass
from typing import Literal

from shared.event import Moment
from shared.schema import Id

# --- what the gateway's own methods answer ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Parked:
    """A facility whose events a service does not apply any further, and why."""

    source: str
    facility: Id
    reason: str


@dataclass(frozen=True, kw_only=True)
class ServiceHealth:
    """What one service says of itself; of one that does not answer there is only `status`, unavailable, and `detail`."""

    status: Literal["ok", "parked", "unavailable"]
    service: str | None = None
    parked: tuple[Parked, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Health:
    """All services' health: ok, degraded (all answer, some report a fault) or unavailable (answered with 503)."""

    status: Literal["ok", "degraded", "unavailable"]
    services: dict[str, ServiceHealth]


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Whether the installation is simulated, the time on its slowest clock, and whether every event has arrived everywhere."""

    simulated: bool
    now: Moment
    settled: bool


@dataclass(frozen=True, kw_only=True)
class Moved:
    """The time that every clock shows now."""

    now: Moment


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who is signed in, as what (account, key, machine, operator), until when, and which roles they hold in which facility.

    The facility `*` stands for all of them.
    """

    actor: str
    kind: str
    roles: dict[str, tuple[str, ...]]
    name: str
    expires_at: Moment | None


# --- what is answered instead --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One member of a request that is not what it should be: its path (`items[3].rrule`), and what was expected there."""

    field: str
    expected: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why a request was not carried out (RFC 9457); nothing was changed.

    `type` is `about:blank` or `urn:xunjian:problem:…`, by which programs tell problems apart. `errors` names each member
    that is not as it should be; `line` and `column` say where JSON is malformed.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[Fault, ...] = ()
    line: int | None = None
    column: int | None = None
