"""The nameko service `gateway`: a request in, a call to the service that answers it, a response out."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from nameko.dependency_providers import Config
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from services.gateway import together
from services.gateway.edge import correlation_of, every_request
from services.gateway.problems import Unreadable, problem
from services.gateway.reading import read
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


class Gateway:
    """Answers HTTP; keeps nothing."""

    name: ClassVar[str] = "gateway"

    asset_registry = Peer("asset_registry")
    scheduling = Peer("scheduling")
    work_orders = Peer("work_orders")
    scoring = Peer("scoring")
    config = Config()
    correlation = Correlation()

    @every_request
    def answer(self, request: Request) -> Response:
        """Answer one request by its line in the table; a fault of ours is raised, for nameko to log."""
        try:
            limit = int(self.config.get("MAX_BODY_BYTES") or MAX_BODY_BYTES)
            route, arguments = read(request, limit, correlation_of(request))
            if route.service == self.name:
                return _json(*getattr(self, route.rpc)(**arguments))
            return _json(getattr(self, route.service).call(route.rpc, **arguments))
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

    def _peers(self) -> together.Peers:
        return {service: getattr(self, service) for service in SERVICES}


def _json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(value), status=status.value, content_type="application/json")
