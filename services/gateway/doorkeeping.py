"""Who calls, as whom, and whether they may: what is asked before a request is read any further."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nameko.dependency_providers import Config
from nameko.extensions import DependencyProvider
from werkzeug.wrappers import Request

from services.gateway.callers import Caller, CallersProvider, acting, credential_of
from services.gateway.reading import Addressed
from services.gateway.route import Route
from shared.config import setting
from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.rights import EVERYWHERE, PUBLIC
from shared.rpc import Peer


@dataclass
class Known:
    """What this process has once found out and is never undone: which facilities there are, and whether all is simulated."""

    facilities: set[str] = field(default_factory=set)
    simulated: bool | None = None


class KnownForEver(DependencyProvider):
    """Injects what is known for ever."""

    def setup(self) -> None:
        """Know nothing."""
        self._known = Known()

    def get_dependency(self, worker_ctx: Any) -> Known:
        """What is known, to be added to."""
        return self._known


class Doorkeeping:
    """Lets in who may come in, and has every refusal recorded."""

    name: ClassVar[str] = "gateway"

    asset_registry = Peer("asset_registry")
    access = Peer("access")
    known: Known = KnownForEver()  # nameko puts what is known into each instance
    callers = CallersProvider()
    config = Config()

    def caller_of(self, request: Request, route: Route) -> Caller | None:
        """Who calls; None where nobody says, or where it does not matter and what they say does not hold."""
        try:
            credential = credential_of(request)
            return None if credential is None else self.callers.identified(credential, address_of(request), self.access)
        except (Unauthenticated, Unavailable):
            if route.target in PUBLIC:
                return None
            raise

    def acting_as(self, caller: Caller | None, head: Addressed) -> Caller | None:
        """The caller, or as whom the operator of a simulated installation acts; raises Forbidden."""
        if caller is None or not head.headers.keys() & {"x_actor", "x_roles", "x_simulated_time"}:
            return self._made_up(caller)
        if "x_simulated_time" in head.headers and not {"x_actor", "x_roles"} & head.headers.keys():
            if "admin" not in caller.roles_in(EVERYWHERE):
                raise Forbidden("X-Simulated-Time is for those who administer the whole of a simulated installation")
            return self._made_up(caller)
        if caller.kind != "operator" or not self._simulated():
            raise Forbidden(
                "X-Actor and X-Roles are for the operator of a simulated installation; sign in as who you are"
            )
        return acting(caller, head.headers.get("x_actor"), head.headers.get("x_roles"))

    def _made_up(self, caller: Caller | None) -> Caller | None:
        """Where everybody is made up, the operator may do everything."""
        if caller is not None and caller.kind == "operator" and self._simulated():
            return acting(caller, None, None)
        return caller

    def _simulated(self) -> bool:
        """Whether the installation is simulated, which it is for ever; asked once."""
        if self.known.simulated is None:
            self.known.simulated = bool(self.asset_registry.call("clock")["simulated"])
        return self.known.simulated

    @contextmanager
    def recording_refusals(self, caller: Caller | None, head: Addressed, request: Request) -> Iterator[None]:
        """Have it recorded where somebody who has signed in asks for what they may not."""
        try:
            yield
        except Forbidden as fault:
            if caller is not None:
                self.access.call(
                    "record_refusal",
                    actor=caller.actor,
                    facility=head.facility or request.args.get("facility"),
                    what=f"{head.route.method} {request.path}",
                    why=str(fault),
                    address=address_of(request),
                )
            raise

    def must_be_registered(self, facility: str) -> None:
        """Raise NotFound for a facility that the registry does not know, before another service opens a ledger for it."""
        if facility not in self.known.facilities:
            self.asset_registry.call("facility", facility=facility)
            self.known.facilities.add(facility)

    @property
    def public_url(self) -> str:
        """How browsers reach us."""
        return str(setting(self.config, "PUBLIC_URL"))


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.remote_addr or ""
