"""Says over HTTP how a process is: `/healthz` it turns, `/readyz` it can work, `/metrics` in Prometheus' text format.

It listens on MONITOR_ADDRESS, away from the gateway's port, since it tells anybody who asks. Services that share a
process share the listener; their labels keep them apart.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import eventlet
import orjson
import structlog
from eventlet import wsgi
from nameko.extensions import DependencyProvider
from nameko.web.server import parse_address
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from shared.config import setting
from shared.measures import REGISTRY
from shared.standing import Sample, Standing

log = structlog.get_logger()

STALLED_SECONDS = 10
MOST_AT_ONCE = 20
"""How many are answered at once; others wait."""

_Page = tuple[HTTPStatus, str, bytes]


class Monitor(DependencyProvider):
    """Injects how this service stands; has the process listen where MONITOR_ADDRESS says so, or OSError if it is taken."""

    listener: "Listener | None" = None

    def setup(self) -> None:
        """Look at the service of this container."""
        self.standing = Standing(self.container)

    def start(self) -> None:
        """Answer for the service from now on: also while it waits for its broker."""
        address = setting(self.container.config, "MONITOR_ADDRESS")
        if address is not None:
            self.listener = listener_at(address)
            self.listener.standings.append(self.standing)

    def stop(self) -> None:
        """Answer for it no more; the last one of the process closes the door."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.standings.remove(self.standing)
            if not listener.standings:
                listener.close()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> Standing:
        """How it stands."""
        return self.standing


class Listener:
    """The one HTTP server of a process at an address, for all its services."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.standings: list[Standing] = []
        self._socket = eventlet.listen(parse_address(address), reuse_port=False)
        self.port: int = self._socket.getsockname()[1]
        self._pool = eventlet.GreenPool(MOST_AT_ONCE)
        self._server = wsgi.Server(
            self._socket,
            self._socket.getsockname(),
            self._answer,
            log=logging.getLogger(__name__),
            log_output=False,
            debug=False,
            keepalive=False,
            socket_timeout=STALLED_SECONDS,
        )
        self._running = eventlet.spawn(self._forever)

    def close(self) -> None:
        """Listen no more; who is being answered is answered."""
        _LISTENERS.pop(self.address, None)
        self._running.kill()
        self._socket.close()

    def _forever(self) -> None:
        while True:
            try:
                connection, address = self._socket.accept()
                connection.settimeout(STALLED_SECONDS)
            except OSError as fault:  # out of descriptors: it must not end the listener
                log.warning("connection not accepted", fault=repr(fault))
                eventlet.sleep(0.1)
            else:
                self._pool.spawn_n(self._serve, connection, address)

    def _serve(self, connection: Any, address: Any) -> None:
        try:
            self._server.process_request([address, connection, wsgi.STATE_IDLE])
        except Exception as fault:  # noqa: BLE001  the loss of its client only
            log.info("connection lost", fault=repr(fault))
        finally:
            connection.close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            status, content_type, body = self._page(environ["PATH_INFO"])
        except Exception:
            log.exception("the monitor broke")
            status, content_type, body = HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", b""
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _page(self, path: str) -> _Page:
        match path:
            case "/healthz":
                return HTTPStatus.OK, "application/json", orjson.dumps({"status": "ok"})
            case "/readyz":
                status, told = readiness(self.standings)
                return status, "application/json", orjson.dumps(told)
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(REGISTRY) + _now(self.standings)
        return HTTPStatus.NOT_FOUND, "text/plain", b""


_LISTENERS: dict[str, Listener] = {}


def listener_at(address: str) -> Listener:
    """The process's listener at an address; raises OSError if another process has it."""
    if address not in _LISTENERS:
        try:
            _LISTENERS[address] = Listener(address)
        except OSError as fault:
            raise OSError(f"MONITOR_ADDRESS {address}: {fault.strerror or fault}; expected one that is free") from fault
    return _LISTENERS[address]


def note_ending(container: Any) -> None:
    """Say of a hosted service that it takes nothing new any more."""
    for one in container.dependencies:
        if isinstance(one, Monitor):
            one.standing.ending = True


def readiness(standings: Sequence[Standing]) -> tuple[HTTPStatus, dict[str, Any]]:
    """200, or 503 and what is missing: {status, missing: service → part → why}; where nobody is hosted, nothing is ready."""
    missing = {one.service: lacking for one in standings if (lacking := one.missing())}
    if missing or not standings:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready", "missing": missing}
    return HTTPStatus.OK, {"status": "ready", "missing": {}}


class _Now(Collector):
    """The numbers that are asked for when somebody looks."""

    def __init__(self, standings: Sequence[Standing]) -> None:
        self._standings = standings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each name."""
        families: dict[str, GaugeMetricFamily] = {}
        for sample in self._samples():
            family = families.setdefault(
                sample.name, GaugeMetricFamily(sample.name, sample.help, labels=list(sample.labels))
            )
            family.add_metric(list(sample.labels.values()), sample.value)
        yield from families.values()

    def _samples(self) -> Iterator[Sample]:
        for one in tuple(self._standings):
            missing = one.missing()
            told = "Whether the service can work: database, broker, views"
            yield Sample("xunjian_ready", told, {"service": one.service}, float(not missing))
            told = "1 for each part that a service lacks to work; no number for those that it has"
            for part in missing:
                yield Sample("xunjian_missing", told, {"service": one.service, "part": part}, 1.0)
            yield from one.samples()


def _now(standings: Sequence[Standing]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Now(standings))
    return generate_latest(registry)
