"""The nameko service `gateway`: a request in, a call to the service that answers it, a response out."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from nameko.dependency_providers import Config
from nameko.extensions import DependencyProvider
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from services.gateway import together
from services.gateway.answers import answered
from services.gateway.edge import correlation_of, every_request
from services.gateway.problems import Unreadable, problem
from services.gateway.reading import Call, read
from shared.config import SERVICES
from shared.errors import Invalid, Refused
from shared.event import flat
from shared.rpc import Correlation, Peer
from shared.schema import schema_of

MAX_BODY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class SetClock:
    """Move the clock of a simulated installation."""

    now: datetime


class Registered(DependencyProvider):
    """The facilities that this process has once found registered; a registration is never undone."""

    def setup(self) -> None:
        """Know none."""
        self._known: set[str] = set()

    def get_dependency(self, worker_ctx: Any) -> set[str]:
        """The set, to be added to."""
        return self._known


class Gateway:
    """Answers HTTP; keeps nothing but what can be asked again."""

    name: ClassVar[str] = "gateway"

    asset_registry = Peer("asset_registry")
    scheduling = Peer("scheduling")
    work_orders = Peer("work_orders")
    scoring = Peer("scoring")
    integration = Peer("integration")
    access = Peer("access")
    registered = Registered()
    config = Config()
    correlation = Correlation()

    @every_request
    def answer(self, request: Request) -> Response:
        """Answer one request by its line in the table; a fault of ours is raised, for nameko to log."""
        try:
            limit = int(self.config.get("MAX_BODY_BYTES") or MAX_BODY_BYTES)
            call = read(request, limit, correlation_of(request))
            route = call.route
            if "{facility}" in route.path:
                self._must_be_registered(call.arguments["facility"])
            if route.service == self.name:
                found, *status = getattr(self, route.rpc)(**call.arguments)
                return answered(route.kind, found, request, *status)
            answer = getattr(self, route.service).call(route.rpc, deadline=route.seconds, **call.arguments)
            response = answered(route.kind, answer, request)
            self._record(call, request, response)
            return response
        except (Refused, Unreadable, HTTPException) as fault:
            return problem(fault, request.path)

    def health(self) -> tuple[dict[str, Any], HTTPStatus]:
        """All services' health; 503 as soon as one does not answer."""
        found = together.health(self._peers())
        available = found["status"] != "unavailable"
        return found, HTTPStatus.OK if available else HTTPStatus.SERVICE_UNAVAILABLE

    def installation(self) -> tuple[dict[str, Any]]:
        """What kind of installation this is, its time, and whether every event has arrived everywhere."""
        return (together.state(self._peers()),)

    def set_clock(self, data: dict[str, Any], **_: Any) -> tuple[dict[str, str]]:
        """Move a simulated installation's clock; raises Rejected in a real one."""
        if faults := flat(schema_of(SetClock, strict=True).validate(data)):
            raise Invalid(faults)
        return (together.move_clocks(self._peers(), data["now"]),)

    def _record(self, call: Call, request: Request, response: Response) -> None:
        """Let it be recorded, before it is answered, what an auditor reads of a facility and which evidence is taken."""
        if call.route.method != "GET" or "facility" not in call.arguments:
            return
        data = {"what": request.full_path.rstrip("?")}
        if call.route.is_evidence:
            data["sha256"] = hashlib.sha256(response.get_data()).hexdigest()
        elif not call.as_auditor:
            return
        command = "record_export" if call.route.is_evidence else "record_reading"
        self.scoring.call(command, facility=call.arguments["facility"], data=data, context=call.context)

    def _must_be_registered(self, facility: str) -> None:
        """Raise NotFound for a facility that the registry does not know, before another service opens a ledger for it."""
        if facility not in self.registered:
            self.asset_registry.call("facility", facility=facility)
            self.registered.add(facility)

    def _peers(self) -> together.Peers:
        return {service: getattr(self, service) for service in SERVICES}
