"""The nameko service `gateway`: a request in, a call to the service that answers it, a response out."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import orjson
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from services.gateway import signing_in, together
from services.gateway.answers import answered, with_policy
from services.gateway.callers import Caller, must_be_allowed
from services.gateway.doorkeeping import address_of
from services.gateway.edge import correlation_of, every_request, note_route, nothing_new
from services.gateway.problems import Unreadable, problem
from services.gateway.reading import Addressed, Call, read, read_head
from services.gateway.routes import find
from shared.catalogue.documents import MEDIA_TYPES, documents
from shared.config import SERVICES, setting
from shared.contracts.scoring import EvidenceRead
from shared.errors import NotFound, Refused
from shared.monitor import Monitor, readiness
from shared.rights import EVERYWHERE
from shared.rpc import Calls, Correlation, Peer


@dataclass(frozen=True)
class SetClock:
    """Move the clock of a simulated installation."""

    now: datetime


class Gateway(signing_in.SigningIn):
    """Answers HTTP; keeps nothing but what can be asked again."""

    scheduling = Peer("scheduling")
    work_orders = Peer("work_orders")
    scoring = Peer("scoring")
    integration = Peer("integration")
    correlation = Correlation()
    monitor: Any = Monitor()

    @every_request
    def answer(self, request: Request) -> Response:
        """Answer one request by its line in the table; a fault of ours is raised, for nameko to log."""
        try:
            route, path = find(request.method, request.path)
            note_route(request, route.path)
            caller = self.caller_of(request, route)
            self.callers.count(caller, address_of(request))
            head = read_head(request, route, path)
            with self.recording_refusals(caller, head, request):
                return self._let_in(self.acting_as(caller, head), head, request)
        except (Refused, Unreadable, HTTPException) as fault:
            return problem(fault, request.path)

    def _let_in(self, caller: Caller | None, head: Addressed, request: Request) -> Response:
        """The answer to who may ask; raises Forbidden, and whatever else is refused."""
        route = head.route
        roles = must_be_allowed(route, caller, head.facility)
        limit = int(setting(self.config, "MAX_BODY_BYTES"))
        call = read(request, head, caller, roles, route.max_bytes or limit, correlation_of(request))
        if head.facility is not None:
            self.must_be_registered(head.facility)
        if route.service == self.name:
            return self._answer_itself(call, caller, request)
        return self._passed_on(call, caller, request)

    def _answer_itself(self, call: Call, caller: Caller | None, request: Request) -> Response:
        """What the gateway answers of its own: a response, or a value and perhaps a status."""
        found = getattr(self, call.route.rpc)(request=request, caller=caller, **call.arguments)
        return found if isinstance(found, Response) else answered(call.route.kind, found[0], request, *found[1:])

    def _passed_on(self, call: Call, caller: Caller | None, request: Request) -> Response:
        """What the service of the route answers."""
        route = call.route
        service: Calls = getattr(self, route.service)
        version = None
        if call.stream is not None and route.method == "GET":  # asked first: a newer answer under an older tag is safe
            version = service.call("stream_version", facility=call.arguments["facility"], stream=call.stream)
        answer = service.call(route.rpc, deadline=route.seconds, **call.arguments)
        if route.service == "access":
            self.callers.forget()
        response = answered(route.kind, answer, request, version=version)
        if route.kind == "feed" and not answer["items"] and nothing_new(request, call.wait):
            return response
        if route.kind == "feed" and _only_readings(answer["items"]):
            return response
        self._record(call, caller, request, response)
        return response

    # What the gateway answers itself

    def health(self, caller: Caller | None, **_: Any) -> tuple[dict[str, Any], HTTPStatus]:
        """All services' health; 503 as soon as one does not answer.

        What is wrong is told to those who hold a role in all facilities.
        """
        found = together.health(self._peers())
        available = found["status"] != "unavailable"
        if not available or caller is None or not caller.roles_in(EVERYWHERE):
            found["services"] = {
                name: {word: told[word] for word in ("status", "detail") if word in told}
                for name, told in found["services"].items()
            }
        return found, HTTPStatus.OK if available else HTTPStatus.SERVICE_UNAVAILABLE

    def healthz(self, **_: Any) -> Response:
        """That the process turns."""
        return _told(HTTPStatus.OK, {"status": "ok"})

    def readyz(self, **_: Any) -> Response:
        """Whether this process can pass requests on; 503 where it cannot. Who answers them is `health`'s to say."""
        return _told(*readiness([self.monitor]))

    def installation(self, facility: str | None = None, **_: Any) -> tuple[dict[str, Any]]:
        """What kind of installation this is, its time, and whether every event, or each of a facility, has arrived everywhere."""
        return (together.state(self._peers(), facility),)

    def set_clock(self, data: dict[str, Any], **_: Any) -> tuple[dict[str, str]]:
        """Move a simulated installation's clock; raises Rejected in a real one."""
        return (together.move_clocks(self._peers(), signing_in.checked(SetClock, data)["now"]),)

    def openapi(self, **_: Any) -> Response:
        """The document of this API (OpenAPI 3.1)."""
        return _served("openapi.json", "application/json")

    def api_page(self, **_: Any) -> Response:
        """The same document as a page."""
        return with_policy(_served("api.html", "text/html; charset=utf-8"))

    def catalogue(self, document: str, **_: Any) -> Response:
        """The catalogue of events: `index.html` to read, `asyncapi.yaml` (AsyncAPI 3), `envelope.json` (JSON Schema)."""
        return _of_catalogue(document)

    def catalogue_of_event(self, event_document: str, **_: Any) -> Response:
        """The JSON Schema of an event's data: `<type>.json`."""
        return _of_catalogue(f"events/{event_document}")

    def _record(self, call: Call, caller: Caller | None, request: Request, response: Response) -> None:
        """Let it be recorded, before it is answered, what an auditor reads of a facility and which evidence is taken."""
        if call.route.method != "GET" or "facility" not in call.arguments:
            return
        data = {"what": request.full_path.rstrip("?")}
        if call.route.is_evidence:
            data["sha256"] = hashlib.sha256(response.get_data()).hexdigest()
        elif caller is None or caller.kind == "operator" or "auditor" not in call.context["roles"]:
            return
        command = "record_export" if call.route.is_evidence else "record_reading"
        self.scoring.call(command, facility=call.arguments["facility"], data=data, context=call.context)

    def _peers(self) -> together.Peers:
        return {service: getattr(self, service) for service in SERVICES}


@cache
def _document(name: str) -> bytes:
    return files("services.gateway").joinpath(name).read_bytes()


def _only_readings(items: list[dict[str, Any]]) -> bool:
    """Whether there is nothing on a page but that something was read: were that recorded, an auditor would read for ever."""
    return bool(items) and all(orjson.loads(item["event"]).get("type") == EvidenceRead.type for item in items)


def _of_catalogue(path: str) -> Response:
    """A document of the catalogue of events; raises NotFound."""
    found = _catalogue().get(path)
    if found is None:
        raise NotFound(f"no document {path} in the catalogue of events")
    return with_policy(Response(found, content_type=f"{MEDIA_TYPES[path.rpartition('.')[2]]}; charset=utf-8"))


_catalogue = cache(documents)


def _told(status: HTTPStatus, value: dict[str, Any]) -> Response:
    """JSON for what keeps the process running."""
    return Response(orjson.dumps(value), status, content_type="application/json")


def _served(name: str, content_type: str) -> Response:
    """A generated document."""
    return Response(_document(name), content_type=content_type)
