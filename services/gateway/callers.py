"""Who calls: the credential of a request, whom access says that it belongs to, what they may do, and how often."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, Protocol
from urllib.parse import urlsplit

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request

from services.gateway.route import Route
from shared.config import setting
from shared.errors import Forbidden, TooMany, Unauthenticated
from shared.rights import EVERYWHERE, PUBLIC, RIGHTS, ROLES, SIGNED_IN, Role, must_have_one

COOKIE = "xunjian_session"
REMEMBERED_SECONDS = 2.0
"""For how long a caller is not looked up again: as long as another replica of the gateway may not know of a revocation."""
MOST_REMEMBERED = 10_000
IDENTIFY_SECONDS = 15.0
"""How long access may take, which for a JWT may have to ask its issuer for keys first."""
HOW_TO_SIGN_IN = "expected a session's cookie, or Authorization: Bearer with a session, an API key or a JWT"


@dataclass(frozen=True)
class Caller:
    """Somebody who has said who they are: actor, kind (account, key, machine, operator), and facility → roles held."""

    actor: str
    kind: str
    roles: Mapping[str, Sequence[str]]
    name: str = ""
    expires_at: str | None = None

    def roles_in(self, facility: str) -> list[str]:
        """The roles held in a facility; in EVERYWHERE: those held in all of them."""
        everywhere = list(self.roles.get(EVERYWHERE, ()))
        return everywhere if facility == EVERYWHERE else [*everywhere, *self.roles.get(facility, ())]

    def roles_anywhere(self) -> set[str]:
        """The roles held in any facility."""
        return {role for held in self.roles.values() for role in held}

    def facilities_for(self, needed: Iterable[Role]) -> list[str]:
        """The facilities in which one of the roles needed is held; EVERYWHERE alone stands for all."""
        wanted = set(needed)
        found = sorted(facility for facility, held in self.roles.items() if wanted.intersection(held))
        return [EVERYWHERE] if EVERYWHERE in found else found


def credential_of(request: Request) -> str | None:
    """What a request shows: the bearer token, else the session's cookie; raises Unauthenticated, Forbidden.

    A cookie comes along by itself, so a request that changes something must come from a page of ours.
    """
    if "Authorization" in request.headers:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
            raise Unauthenticated(HOW_TO_SIGN_IN)
        return token.strip()
    cookie = request.cookies.get(COOKIE)
    if cookie and request.method not in ("GET", "HEAD"):
        _must_be_ours(request)
    return cookie or None


def _must_be_ours(request: Request) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    ours = origin is not None and urlsplit(origin).netloc == request.host
    same = ours if site is None else site in ("same-origin", "none") and (ours or origin in (None, "null"))
    if not same:
        raise Forbidden("a request with a session's cookie must come from a page of this address")


def must_be_allowed(route: Route, caller: Caller | None, facility: str | None) -> list[str]:
    """The caller's roles where a request wants to go; raises Unauthenticated, or Forbidden without a word of what is there."""
    if route.target in PUBLIC:
        return []
    if caller is None:
        raise Unauthenticated(HOW_TO_SIGN_IN)
    if route.target in SIGNED_IN:
        return []
    if route.everywhere:
        held = caller.roles_in(EVERYWHERE)
    elif facility is None:
        held = sorted(caller.roles_anywhere())
    else:
        held = caller.roles_in(facility)
        if not held:
            raise Forbidden(f"{caller.actor} has no role in {facility}")
    must_have_one(held, RIGHTS[route.target])
    return held


def acting(caller: Caller, actor: str | None, roles: str | None) -> Caller:
    """The operator of a simulated installation, as one of the people who are made up in it."""
    held = list(ROLES) if roles is None else roles.replace(" ", "").split(",")
    return Caller(actor or caller.actor, "account" if roles is not None else caller.kind, {EVERYWHERE: held})


class Access(Protocol):
    """What is asked of access; see `shared.rpc.Calls`."""

    def call(self, method: str, /, deadline: float | None = None, **kwargs: Any) -> Any:
        """Call one of its methods."""


class Callers:
    """The callers whom this process has seen lately, and how often each asked."""

    def __init__(self, per_minute: int, anonymous_per_minute: int) -> None:
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._per_minute = RateLimitItemPerMinute(per_minute)
        self._anonymous = RateLimitItemPerMinute(anonymous_per_minute)

    def identified(self, credential: str, address: str, access: Access) -> Caller:
        """Whom a credential belongs to; raises what access raises."""
        key, now = hashlib.sha256(credential.encode()).digest(), monotonic()
        until, caller = self._known.get(key, (0.0, None))
        if caller is not None and now < until:
            return caller
        told = access.call("identify", deadline=IDENTIFY_SECONDS, credential=credential, address=address)
        caller = Caller(told["actor"], told["kind"], told["roles"], told["name"], told["expires_at"])
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[key] = now + REMEMBERED_SECONDS, caller
        return caller

    def forget(self) -> None:
        """Look everybody up again: somebody's rights may have changed."""
        self._known.clear()

    def count(self, caller: Caller | None, address: str) -> None:
        """Count a request; raises TooMany. The operator is not counted."""
        if caller is not None and caller.kind == "operator":
            return
        limit, whose = (self._anonymous, address) if caller is None else (self._per_minute, caller.actor)
        if not self._limiter.hit(limit, whose):
            reset = self._limiter.get_window_stats(limit, whose).reset_time
            raise TooMany(f"expected at most {limit.amount} requests a minute", retry_after=_seconds_until(reset))


def _seconds_until(moment: float) -> int:
    return max(1, round(moment - time()))


class CallersProvider(DependencyProvider):
    """Injects the callers that this process knows."""

    def setup(self) -> None:
        """Know nobody."""
        config = self.container.config
        self.callers = Callers(
            int(setting(config, "REQUESTS_PER_MINUTE")), int(setting(config, "ANONYMOUS_REQUESTS_PER_MINUTE"))
        )

    def get_dependency(self, worker_ctx: Any) -> Callers:
        """The callers."""
        return self.callers
