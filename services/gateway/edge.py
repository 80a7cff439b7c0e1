"""The web server: nameko's, made to hand every request to one method and to survive whatever a client sends.

What is changed, and why: the port is not shared (eventlet's SO_REUSEPORT lets a second server start on it and take
every other connection); a broken connection does not end the service (nameko kills a container for any error in its
threads); even a request line that cannot be parsed gets a problem document; the access log names no query.
"""

import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from time import monotonic, perf_counter
from typing import Any

import eventlet
import structlog
from eventlet import wsgi
from eventlet.event import Event
from nameko.exceptions import ContainerBeingKilled
from nameko.web.handlers import HttpRequestHandler
from nameko.web.server import BindAddress, HttpOnlyProtocol, WebServer, parse_address
from werkzeug.wrappers import Request, Response

from services.gateway.answers import gzipped
from services.gateway.problems import MEDIA_TYPE, problem
from services.gateway.reading import correlation_id_of
from shared import tracing
from shared.config import setting
from shared.errors import Unavailable
from shared.measures import count_request
from shared.rpc import CORRELATION_ID
from shared.trace_ids import TRACEPARENT

log = structlog.get_logger(__name__)

IDLE_SECONDS = 75
"""How long a connection may be kept without a request."""
STALLED_SECONDS = 30
"""How long a client may keep us waiting within a request."""
DISCARDED_BYTES = 16 * 1024 * 1024
"""How much of a refused body is read and dropped so that its connection can be used again."""

_SECURITY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CORRELATION = f"xunjian.{CORRELATION_ID}"
_AGAIN = "xunjian.again"
_LAST = "xunjian.last"
_ROUTE = "xunjian.route"
_SPAN = "xunjian.span"
_PROBES = ("/healthz", "/readyz")
"""What is asked every few seconds whether or not anybody works; it is not traced."""
FINISH_SECONDS = 1.0
"""How long a client that is connected may still send a request once the gateway is to stop."""
AGAIN_SECONDS = 0.25
"""How often a client that waits for something new is answered anew, without keeping a worker meanwhile."""


class _Protocol(HttpOnlyProtocol):
    error_content_type = MEDIA_TYPE
    error_message_format = '{"type":"about:blank","title":"Bad request","status":%(code)d}'

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["xunjian.hang_up"] = self._hang_up
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        log.info("unparsable request", detail=format % args)

    def _hang_up(self) -> None:
        self.close_connection = True


class Edge(WebServer):
    """Listens on WEB_SERVER_ADDRESS; raises OSError if that is taken."""

    _starting: bool
    _is_accepting: bool

    def __init__(self) -> None:
        super().__init__()
        self._connections: dict[int, list[Any]] = {}
        """Those being served, as eventlet's server knows them: address, socket, state."""

    @property
    def bind_addr(self) -> BindAddress:
        """Where to listen."""
        return parse_address(setting(self.container.config, "WEB_SERVER_ADDRESS"))

    @property
    def port(self) -> int:
        """The port that it listens on, also where the configuration says 0 for any."""
        port: int = self._sock.getsockname()[1]
        return port

    def start(self) -> None:
        """Listen and begin to answer."""
        if self._starting:
            return
        self._starting = True
        try:
            self._sock = eventlet.listen(self.bind_addr, backlog=128, reuse_port=False)
        except OSError as fault:
            place = setting(self.container.config, "WEB_SERVER_ADDRESS")
            raise OSError(
                f"WEB_SERVER_ADDRESS {place}: {fault.strerror or fault}; expected one that is free"
            ) from fault
        self._sock.settimeout(None)
        self._serv = self.get_wsgi_server(self._sock, self.get_wsgi_app())
        self._gt = self.container.spawn_managed_thread(self.run)

    def run(self) -> None:
        """Accept connections; one that fails is the loss of its client only."""
        while self._is_accepting:
            try:
                connection, address = self._sock.accept()
            except OSError as fault:  # out of descriptors, or gone already
                log.warning("connection not accepted", fault=repr(fault))
                eventlet.sleep(0.1)
            else:
                self._take(connection, address)

    def process_request(self, sock: Any, address: Any) -> None:
        """Serve one connection to its end."""
        state = [address, sock, wsgi.STATE_IDLE]
        self._connections[id(state)] = state
        try:
            self._serv.process_request(state)
        except Exception as fault:  # noqa: BLE001  nameko would end the whole service
            log.info("connection lost", fault=repr(fault))
        finally:
            del self._connections[id(state)]
            sock.close()

    def finish(self) -> None:
        """Take no connection any more, and answer on those that there are; what is idle for FINISH_SECONDS is closed."""
        if self._gt is None or not self._is_accepting:
            return
        self._is_accepting = False
        self._gt.kill()
        self._take_waiting()
        self._sock.close()
        eventlet.sleep(0)  # let those begin that were just taken
        close_at = monotonic() + FINISH_SECONDS
        while self._connections:
            if monotonic() >= close_at:
                self._hear_no_more()
            eventlet.sleep(0.02)

    @property
    def finishing(self) -> bool:
        """Whether each answer is the last on its connection."""
        return not self._is_accepting

    def _take(self, connection: Any, address: Any) -> None:
        with suppress(OSError):  # gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(STALLED_SECONDS)
        self.container.spawn_managed_thread(partial(self.process_request, connection, address))

    def _take_waiting(self) -> None:
        """Take whoever connected already: the kernel would reset them."""
        self._sock.settimeout(0.001)
        with suppress(OSError):  # nobody else waits
            while True:
                self._take(*self._sock.accept())

    def _hear_no_more(self) -> None:
        """Let idle connections read their end; a request that has come already is still read before it."""
        for _, connection, state in tuple(self._connections.values()):
            if state == wsgi.STATE_IDLE:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def stop(self) -> None:
        """Stop listening, if it ever began."""
        if self._gt is not None:
            super().stop()

    def get_wsgi_app(self) -> Callable[..., Iterable[bytes]]:
        """The application: one entrypoint answers all."""
        (entrypoint,) = self._providers
        return _Application(entrypoint)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any, **_: Any) -> wsgi.Server:
        """eventlet's server, without its access log."""
        return wsgi.Server(
            sock,
            sock.getsockname(),
            wsgi_app,
            protocol=_Protocol,
            log=logging.getLogger(__name__),
            log_output=False,
            debug=False,
            keepalive=IDLE_SECONDS,
            socket_timeout=STALLED_SECONDS,
        )

    def context_data_from_headers(self, request: Request) -> dict[str, str]:
        """What goes along with every call that the request leads to."""
        return {CORRELATION_ID: correlation_of(request), **tracing.request_carries(request.environ[_SPAN])}


class _Application:
    """The WSGI application around the entrypoint: correlation, security headers, access log."""

    def __init__(self, entrypoint: "EveryRequest") -> None:
        self.entrypoint = entrypoint

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        began = perf_counter()
        request = Request(environ)
        environ[_CORRELATION] = correlation_id_of(request)
        environ[_SPAN] = self._begun(request)
        response: Response = self.entrypoint.handle_request(request)
        for header, value in _SECURITY.items():
            response.headers.setdefault(header, value)
        response = gzipped(response, request)
        response.headers["X-Correlation-Id"] = correlation_of(request)
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and not _worth_discarding(request):
            environ["xunjian.hang_up"]()
        if self.entrypoint.server.finishing:
            environ["xunjian.hang_up"]()
        seconds = perf_counter() - began
        route = environ.get(_ROUTE)
        # The method of a request without a route is any word at all.
        count_request("-" if route is None else request.method, route or "none", response.status_code, seconds)
        tracing.request_answered(environ[_SPAN], request.method, route, request.path, response.status_code)
        log.info(
            "answered",
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            client=request.remote_addr,
            correlation_id=correlation_of(request),
        )
        return response(environ, start_response)

    def _begun(self, request: Request) -> Any:
        """The request's span, if it is traced."""
        if request.path in _PROBES:
            return None
        caller = request.headers.get(TRACEPARENT)
        return tracing.request_begun(self.entrypoint.container.service_name, correlation_of(request), caller)


def correlation_of(request: Request) -> str:
    """The id under which this request and all that follows from it is logged."""
    found: str = request.environ[_CORRELATION]
    return found


def note_route(request: Request, template: str) -> None:
    """Say by which route a request is answered, for what is counted of it."""
    request.environ[_ROUTE] = template


def nothing_new(request: Request, wait: int) -> bool:
    """Have the request answered again in a while, since its client would wait; False where it has waited long enough."""
    if not wait or request.environ.get(_LAST):
        return False
    request.environ[_AGAIN] = wait
    return True


def _worth_discarding(request: Request) -> bool:
    return request.content_length is not None and request.content_length <= DISCARDED_BYTES


class EveryRequest(HttpRequestHandler):
    """The one entrypoint: whatever the method and the path, the decorated method gets the request."""

    server = Edge()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("", "", **kwargs)

    def stop(self) -> None:
        """Answer what has come; only then are the workers waited for."""
        self.server.finish()
        super().stop()

    def handle_request(self, request: Request) -> Response:
        """Have a worker answer, again and again where there is nothing new yet and the client would wait for it."""
        give_up = None
        while True:
            request.environ.pop(_AGAIN, None)
            response = self._worked_out(request)
            wait = request.environ.get(_AGAIN)
            if wait is None:
                return response
            give_up = monotonic() + wait if give_up is None else give_up
            if monotonic() >= give_up or self.server.finishing:
                return response
            request.environ[_LAST] = monotonic() + AGAIN_SECONDS >= give_up
            eventlet.sleep(min(AGAIN_SECONDS, max(0.0, give_up - monotonic())))

    def _worked_out(self, request: Request) -> Response:
        """A worker's answer; a fault of ours, which nameko has logged, becomes a problem document."""
        answered = Event()
        try:
            self.container.spawn_worker(
                self,
                (request,),
                {},
                context_data=self.server.context_data_from_headers(request),
                handle_result=partial(self.handle_result, answered),
            )
            response: Response = answered.wait()
        except ContainerBeingKilled:
            return problem(Unavailable("the gateway is shutting down"), request.path)
        except Exception as fault:  # noqa: BLE001  whatever it is, the client gets an answer
            return problem(fault, request.path)
        return response


every_request = EveryRequest.decorator
