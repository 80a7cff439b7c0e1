"""Traces (OpenTelemetry): one tree from a request over calls and events to what other services make of them.

Without OTLP_ENDPOINT nothing is traced, and each function here is one look-up. A trace begins with a request or an
event, never with what a service asks on its own. Whatever befalls a trace, the work that is traced goes on.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from time import time_ns
from types import TracebackType
from typing import Any, Protocol

from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from shared.config import setting
from shared.errors import Conflict, Refused, Unavailable
from shared.event import Recorded
from shared.trace_ids import TRACEPARENT, Place, carried, carrying, context_of, correlating, span_of

_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_TOLD = re.compile(r"\{(facility|year|(?!key_)[a-z_]+_id)\}")
"""The parameters of a path that are told; others name people, or are what somebody typed."""


class Tracer(Protocol):
    """Starts the spans of one service; see `shared.span_export`."""

    def start(
        self, name: str, kind: SpanKind, place: Place, about: Mapping[str, Any], began: int | None = None
    ) -> Span:
        """A span, which is told once it ends; `began` in nanoseconds of Unix time, now if None. Raises nothing."""


_tracers: dict[str, Tracer] = {}
_uncommitted: ContextVar[list[Span] | None] = ContextVar("uncommitted", default=None)
"""The spans of the transaction that this greenlet is in, if it is one that applies events."""
_NOTHING: AbstractContextManager[None] = nullcontext()
_NOTHING_CARRIED: AbstractContextManager[dict[str, str]] = nullcontext({})


def begin(config: Mapping[str, Any], service: str, *, simulated: bool) -> None:
    """Trace a service of this process from now on, if OTLP_ENDPOINT says where to."""
    endpoint = setting(config, "OTLP_ENDPOINT")
    if endpoint is not None:
        from shared.span_export import tracer_of  # noqa: PLC0415  the SDK is loaded only where something is traced

        _tracers[service] = tracer_of(endpoint, service, simulated=simulated)


def end(service: str) -> None:
    """Trace a service no more; after the last one of the process what is left is sent, or given up after two seconds."""
    if _tracers.pop(service, None) is not None and not _tracers:
        from shared.span_export import close  # noqa: PLC0415

        close()


def is_on() -> bool:
    """Whether this process traces anything."""
    return bool(_tracers)


# Requests


def request_begun(service: str, correlation_id: str, traceparent: str | None) -> Span | None:
    """The span of a request (SERVER): under its caller's, or linked to that if the request is in another trace."""
    tracer = _tracers.get(service)
    if tracer is None:
        return None
    return tracer.start("HTTP", SpanKind.SERVER, Place(correlation_id, carried(traceparent)), {"url.scheme": "http"})


def request_answered(span: Span | None, method: str, route: str | None, path: str, status: int) -> None:
    """End it; of a path without a route, and of any query, nothing is told."""
    if span is None:
        return
    span.set_attribute("http.response.status_code", status)
    if route is None:
        span.set_attribute("http.request.method", "_OTHER")  # it may be any word
    else:
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, **_of_path(route, path)})
    if status >= 500:
        _failed(span, str(status))
    span.end()


def request_carries(span: Span | None) -> dict[str, str]:
    """What the worker gets that a request is handed to."""
    return {} if span is None else carrying(span)


def _of_path(route: str, path: str) -> dict[str, str]:
    forms, given = route.split("/"), path.split("/")
    told = dict(_told(form, word) for form, word in zip(forms, given, strict=False))
    return {"url.path": "/".join(told.get(form, form) for form in forms), **_of_facility(told.get("{facility}"))}


def _told(form: str, word: str) -> tuple[str, str]:
    return form, word if _TOLD.fullmatch(form) and _ID.fullmatch(word) else form


def _of_facility(facility: Any) -> dict[str, str]:
    return {"xunjian.facility": facility} if isinstance(facility, str) and _ID.fullmatch(facility) else {}


# Calls


def calling(worker: Any, service: str, method: str) -> AbstractContextManager[dict[str, str]]:
    """The span of a call that a worker makes (CLIENT), if the worker is in a trace; gives what is to go along."""
    tracer = _tracers.get(worker.service_name)
    if tracer is None:
        return _NOTHING_CARRIED
    # A greenlet that a worker spawned has no current span: there it is the worker's.
    within = context_of(get_current_span()) or context_of(getattr(worker, "span", None))
    return _NOTHING_CARRIED if within is None else _called(tracer, within, service, method)


@contextmanager
def _called(tracer: Tracer, within: SpanContext, service: str, method: str) -> Iterator[dict[str, str]]:
    place = Place(correlating(within), within)
    span = tracer.start(f"{service}/{method}", SpanKind.CLIENT, place, _of_call(service, method))
    try:
        yield carrying(span)
    except BaseException as fault:
        _end(span, fault)
        raise
    _end(span)


def work_begun(worker: Any, *, called: bool) -> None:
    """A nameko worker begins what came along with a trace: in a span of its own (SERVER) if it was `called` by RPC.

    What came along is taken out of the worker's context data, since other things go along with its own calls.
    """
    tracer = _tracers.get(worker.service_name)
    within = None if tracer is None else carried(worker.data.pop(TRACEPARENT, None))
    if tracer is None or within is None:
        return
    worker.span = NonRecordingSpan(within)
    if called:
        service, method = worker.service_name, worker.entrypoint.method_name
        about = {**_of_call(service, method), **_of_facility(worker.kwargs.get("facility"))}
        worker.span = tracer.start(f"{service}/{method}", SpanKind.SERVER, Place(correlating(within), within), about)
    attach(set_span_in_context(worker.span))  # the worker is a greenlet of its own: nothing is detached


def work_ended(worker: Any, fault: BaseException | None) -> None:
    """End the worker's span, if it has one."""
    span: Span | None = getattr(worker, "span", None)
    if span is not None:
        _end(span, fault)


def _of_call(service: str, method: str) -> dict[str, str]:
    return {"rpc.system": "nameko", "rpc.service": service, "rpc.method": method}


# Events


def appended(service: str, recorded: Sequence[Recorded], seconds: float = 0.0) -> None:
    """A span for each event that was appended just now, which took `seconds` (PRODUCER).

    Those of a transaction that applies events end with it, and are never told if it comes to nothing.
    """
    tracer = _tracers.get(service)
    if tracer is None:
        return
    began, within, uncommitted = time_ns() - int(seconds * 1e9), context_of(get_current_span()), _uncommitted.get()
    for one in recorded:
        place = Place(one.correlationid, within, span_of(one.id))
        about = _of_event(one, "append", "send")
        span = tracer.start(f"append {_destination(one)}", SpanKind.PRODUCER, place, about, began)
        if uncommitted is None:
            span.end()
        else:
            uncommitted.append(span)


def transaction(service: str, count: int) -> AbstractContextManager[Any]:
    """Around a transaction that applies so many events, each of which says `applying` when it is its turn."""
    return _Transaction(alone=count == 1) if service in _tracers else _NOTHING


def applying(service: str, recorded: Recorded) -> None:
    """A service begins to apply an event (CONSUMER), under the span in which it was appended.

    What follows belongs to it until the next one or the end of the transaction; with that it ends.
    """
    tracer, uncommitted = _tracers.get(service), _uncommitted.get()
    if tracer is None or uncommitted is None:
        return
    place = Place(recorded.correlationid).under(span_of(recorded.id))
    about = _of_event(recorded, "apply", "process")
    span = tracer.start(f"apply {_destination(recorded)}", SpanKind.CONSUMER, place, about)
    uncommitted.append(span)
    attach(set_span_in_context(span))


class _Transaction:
    """Ends the spans of a transaction when it is committed; one that is tried again, or with less, leaves none."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone

    def __enter__(self) -> None:
        self._context = attach(get_current())
        self._list = _uncommitted.set([])

    def __exit__(self, _: type[BaseException] | None, fault: BaseException | None, __: TracebackType | None) -> None:
        spans = _uncommitted.get() or []
        _uncommitted.reset(self._list)
        detach(self._context)
        if fault is None:
            for span in spans:
                span.end()
        elif self._alone and spans and isinstance(fault, Exception) and not isinstance(fault, Conflict):
            _end(spans[0], fault)  # the event that cannot be applied


def _of_event(recorded: Recorded, operation: str, kind: str) -> dict[str, Any]:
    return {
        "messaging.system": "xunjian",
        "messaging.operation.name": operation,
        "messaging.operation.type": kind,
        "messaging.destination.name": _destination(recorded),
        "messaging.message.id": recorded.id,
        "messaging.message.conversation_id": recorded.correlationid,
        "xunjian.facility": recorded.facility,
        "xunjian.event.type": recorded.type,
        "xunjian.event.position": recorded.position,
    }


def _destination(recorded: Recorded) -> str:
    """Exchange and routing key, also where the event came past the broker."""
    service, name, _ = recorded.type.split(".")
    return f"{service}.events:{name}"


# Ends


def _end(span: Span, fault: BaseException | None = None) -> None:
    """End a span; what went wrong is told by its class, since its words may say more than others are to read."""
    if isinstance(fault, Refused) and not isinstance(fault, Unavailable):
        span.set_attribute("xunjian.refused", type(fault).__name__)
    elif fault is not None:
        _failed(span, type(fault).__name__)
    span.end()


def _failed(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)
