"""Calls between services: nameko's RPC, but always with a deadline and with the errors of `shared.errors` at both ends.

Importing this registers those errors with nameko, and a plain JSON codec in place of kombu's own: that one turns any
object with a `__type__` member into a Python value, or drops the message when it cannot, and members are for callers
to name.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partialmethod
from typing import Any

import eventlet
import kombu.exceptions
import kombu.serialization
import orjson
import structlog
from eventlet.event import Event
from nameko.constants import HEADER_PREFIX
from nameko.exceptions import BadRequest, RemoteError, RpcTimeout, UnknownService, deserialize_to_instance
from nameko.extensions import DependencyProvider
from nameko.messaging import QueueConsumer
from nameko.rpc import MethodProxy, ReplyListener, Rpc, RpcConsumer, RpcProxy
from nameko.standalone.rpc import StandaloneProxyBase

from shared import tracing
from shared.config import setting
from shared.errors import Refused, Unavailable
from shared.measures import call_counted

log = logging.getLogger(__name__)

_BROKER_IS_AWAY = (
    kombu.exceptions.OperationalError,
    kombu.exceptions.ConnectionError,
    kombu.exceptions.ChannelError,
    OSError,
)


CORRELATION_ID = "correlation_id"
"""Its name in log lines, and in nameko's context data, which go along with every call."""


class _Replying(RpcConsumer):
    """nameko's, which survives that the broker goes away before a reply is sent: nameko ends the whole service.

    What was not acknowledged comes again once the broker is back; a command then gets its first answer.
    """

    def handle_result(self, message: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
        try:
            replied: tuple[Any, Any] = super().handle_result(message, result, exc_info)
        except _BROKER_IS_AWAY as fault:
            log.warning("a reply could not be sent: %r", fault)
            return result, exc_info
        return replied


class Offered(Rpc):
    """Marks a method that others may call."""

    rpc_consumer = _Replying()


offered = Offered.decorator


class Failed(Exception):
    """A service broke while answering; what broke stands in the logs, not here."""


class _Replies(ReplyListener):
    """nameko's listener, which can also forget a reply that nobody waits for any more."""

    def forget(self, correlation_id: str) -> None:
        self._reply_events.pop(correlation_id, None)


class Peer(RpcProxy):
    """Another service, injected into a worker: `self.work_orders.call("assign", facility=…, data=…, context=…)`."""

    rpc_reply_listener = _Replies()

    def get_dependency(self, worker_ctx: Any) -> "Calls":
        """How one worker calls the service."""
        deadline = float(setting(self.container.config, "RPC_DEADLINE_SECONDS"))
        return Calls(worker_ctx, self.target_service, self.rpc_reply_listener, deadline)


class _Pending:
    """The one reply of one call; stands before nameko's MethodProxy as its reply listener."""

    def __init__(self, replies: _Replies) -> None:
        self.routing_key = replies.routing_key
        self._replies = replies
        self._correlation_id = ""

    def get_reply_event(self, correlation_id: str) -> Event:
        self._correlation_id = correlation_id
        return self._replies.get_reply_event(correlation_id)

    def forget(self) -> None:
        self._replies.forget(self._correlation_id)


class Calls:
    """Calls one service on behalf of one worker; the worker's correlation id goes with each call."""

    def __init__(self, worker_ctx: Any, service: str, replies: _Replies, deadline: float) -> None:
        self.service = service
        self.deadline = deadline
        self._worker_ctx = worker_ctx
        self._replies = replies

    def call(self, method: str, /, deadline: float | None = None, **kwargs: Any) -> Any:
        """Call, and wait up to `deadline` seconds for the answer.

        Raises the Refused that the service raised; Unavailable if it, its queue or the broker is not there in time
        (the work may or may not have been done, but is not begun after the deadline); Failed if the service broke.
        """
        with (
            call_counted(self._worker_ctx.service_name, self.service, method),
            tracing.calling(self._worker_ctx, self.service, method) as carried,
        ):
            return self._call(method, self.deadline if deadline is None else deadline, kwargs, carried)

    def _call(self, method: str, seconds: float, kwargs: dict[str, Any], carried: dict[str, str]) -> Any:
        pending = _Pending(self._replies)
        headers = {f"{HEADER_PREFIX}.{name}": value for name, value in carried.items()}
        invoke = MethodProxy(self._worker_ctx, self.service, method, pending, expiration=seconds, headers=headers)
        # Another greenlet publishes, since one that is stuck in a socket must not be torn out of it half-way.
        publishing = eventlet.spawn(_published, invoke, kwargs)
        try:
            with _typed(self.service, method), eventlet.Timeout(seconds, RpcTimeout(seconds)):
                published = publishing.wait()
                if isinstance(published, Exception):
                    raise published
                return published.result()
        finally:
            pending.forget()
            publishing.kill()


def _published(invoke: MethodProxy, arguments: dict[str, Any]) -> Any:
    """The reply to come, or what publishing raised: eventlet prints a traceback of what a greenlet raises."""
    try:
        return invoke.call_async(**arguments)
    except Exception as fault:  # noqa: BLE001  raised again by the caller
        return fault


class Correlation(DependencyProvider):
    """Puts the service, its method and the correlation id of the call into every line that a worker logs, and traces it."""

    def start(self) -> None:
        """Trace the service, if OTLP_ENDPOINT says where to."""
        config, name = self.container.config, self.container.service_name
        ledger = next((one.ledger for one in self.container.dependencies if hasattr(one, "ledger")), None)
        simulated = setting(config, "SIMULATED") if ledger is None else ledger.clock.simulated
        tracing.begin(config, name, simulated=bool(simulated))

    def stop(self) -> None:
        """Trace it no more."""
        tracing.end(self.container.service_name)

    kill = stop

    def worker_setup(self, worker_ctx: Any) -> None:
        """Bind them; a worker is a greenlet of its own, so nothing has to be unbound."""
        structlog.contextvars.bind_contextvars(
            service=worker_ctx.service_name,
            method=worker_ctx.entrypoint.method_name,
            correlation_id=worker_ctx.data.get(CORRELATION_ID),
        )
        tracing.work_begun(worker_ctx, called=isinstance(worker_ctx.entrypoint, Rpc))

    def worker_result(self, worker_ctx: Any, result: Any = None, exc_info: Any = None) -> None:
        """The worker is done."""
        tracing.work_ended(worker_ctx, None if exc_info is None else exc_info[1])


class Caller(StandaloneProxyBase):
    """Calls services from outside of any: `with caller(config) as call: call("work_orders", "health")`.

    One call at a time; errors as of `Calls.call`. The broker being away shows on entering, as Unavailable.
    """

    def __init__(self, config: Mapping[str, Any], deadline: float | None = None) -> None:
        self.deadline = float(setting(config, "RPC_DEADLINE_SECONDS") if deadline is None else deadline)
        super().__init__(config, timeout=self.deadline)

    def __enter__(self) -> "Caller":
        """Listen for replies."""
        with _typed("the broker", "connect"):
            self.start()
        return self

    def __call__(self, service: str, method: str, /, **kwargs: Any) -> Any:
        """Call a service's method and wait for its answer."""
        invoke = MethodProxy(self._worker_ctx, service, method, self._reply_listener, expiration=self.deadline)
        with _typed(service, method):
            return invoke(**kwargs)


caller = Caller


@contextmanager
def _typed(service: str, method: str) -> Iterator[None]:
    try:
        yield
    except RpcTimeout as fault:
        raise Unavailable(f"{service} did not answer {method} within {fault} s") from fault
    except UnknownService as fault:
        raise Unavailable(f"{service} is not running") from fault
    except _BROKER_IS_AWAY as fault:
        log.warning("the broker is away: %s.%s: %r", service, method, fault)
        raise Unavailable("the message broker cannot be reached") from fault
    except (RemoteError, BadRequest) as fault:
        log.error("%s broke on %s: %s", service, method, fault)
        raise Failed(f"{service} broke on {method}") from fault


def _encode(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates and integers above 64 bits, which a remote error's text may hold
        return json.dumps(value).encode()


def _decode(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


kombu.serialization.register("json", _encode, _decode, content_type="application/json", content_encoding="utf-8")

for _refusal in (Refused, *Refused.__subclasses__()):
    deserialize_to_instance(_refusal)

# nameko looks whether it is to stop between two waits for a message, and three times over: by default three seconds.
QueueConsumer.consume = partialmethod(QueueConsumer.consume, safety_interval=0.2)
