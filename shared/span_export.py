"""Hands spans to whoever receives OTLP/HTTP: a queue that never blocks, sent by a greenlet of its own.

What does not fit into the queue, and what the receiver does not take in time, is dropped and counted. It is loaded only
where something is traced.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Any

import eventlet
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan, Span, SpanKind, set_span_in_context

from shared.measures import SPANS_DROPPED
from shared.trace_ids import Place

QUEUE = 4096
"""How many spans may wait; of more, the oldest are dropped."""
BATCH = 128
"""How many are sent at once: what is packed holds up other greenlets for a few milliseconds."""
DELAY_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0
"""How long the receiver may take for a batch, with all further attempts."""
CLOSING_SECONDS = 2.0
"""How long a process that stops waits for the receiver."""
SILENCE_SECONDS = 60.0
"""How long nothing more is said about a receiver that takes nothing."""

log = logging.getLogger(__name__)


class _Seldom(logging.Filter):
    """Lets one line through, and then none for a while."""

    _silent_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if monotonic() < self._silent_until:
            return False
        self._silent_until = monotonic() + SILENCE_SECONDS
        return True


for _name in ("exporter.otlp.proto.http.trace_exporter", "sdk._shared_internal"):
    logging.getLogger(f"opentelemetry.{_name}").addFilter(_Seldom())


class _Sender(SpanExporter):
    """Sends batches, and counts those that were not taken."""

    def __init__(self, endpoint: str) -> None:
        self._otlp = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_SECONDS)
        self.waiting = 0
        self.on_their_way = 0
        self._closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; what is not taken is dropped."""
        if self._closed:
            return SpanExportResult.FAILURE
        self.waiting -= len(spans)
        self.on_their_way = len(spans)
        result = self._otlp.export(spans)
        if result is not SpanExportResult.SUCCESS and not self._closed:
            SPANS_DROPPED.labels("not taken").inc(len(spans))
        self.on_their_way = 0
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        if not self._closed:
            self._closed = True
            self._otlp.shutdown()  # type: ignore[no-untyped-call]  # half-annotated library


class Outbox(BatchSpanProcessor):
    """The spans of all services of a process that wait to be sent."""

    def __init__(self, endpoint: str) -> None:
        self._sender = _Sender(endpoint)
        super().__init__(self._sender, QUEUE, DELAY_SECONDS * 1000, BATCH)
        for reason in ("queue full", "not taken", "stopped"):
            SPANS_DROPPED.labels(reason)

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span in, at the price of the oldest where there is no room."""
        if self._sender.waiting == QUEUE:
            SPANS_DROPPED.labels("queue full").inc()
        else:
            self._sender.waiting += 1
        super().on_end(span)

    def close(self) -> None:
        """Send what waits, for a while; the rest is dropped."""
        with eventlet.Timeout(CLOSING_SECONDS, False):
            self.shutdown()  # type: ignore[no-untyped-call]  # half-annotated library
        self._sender.shutdown()
        if left := self._sender.waiting + self._sender.on_their_way:
            SPANS_DROPPED.labels("stopped").inc(left)
            log.warning("%d spans were not sent before the process stopped", left)


class _Ids(IdGenerator):
    """Gives out the ids of the place that a span is just being started at; what it says nothing of is random."""

    def __init__(self) -> None:
        self.place = Place("")
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """The trace of the place."""
        return self.place.trace_id

    def generate_span_id(self) -> int:
        """The span that the place is for."""
        return self.place.span_id or self._random.generate_span_id()


class Tracer:
    """Starts the spans of one service."""

    def __init__(self, outbox: Outbox, service: str) -> None:
        self._outbox = outbox
        self._service = service
        self._ids = _Ids()
        self._made: dict[bool, trace.Tracer] = {}

    def _tracer(self) -> trace.Tracer:
        """Made for the first span, and anew if another service of the process says later that all is simulated."""
        simulated = True in _kinds
        if simulated not in self._made:
            self._made[simulated] = self._traced(_about(self._service, simulated=simulated))
        return self._made[simulated]

    def _traced(self, about: Mapping[str, str | bool]) -> trace.Tracer:
        # Not by a ratio: it would be taken of the lower half of the trace id, where a UUID's bits are not random.
        provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),
            resource=Resource.create(about),
            shutdown_on_exit=False,
            id_generator=self._ids,
            span_limits=SpanLimits(max_span_attribute_length=200),
        )
        provider.add_span_processor(self._outbox)
        return provider.get_tracer("xunjian")

    def start(
        self, name: str, kind: SpanKind, place: Place, about: Mapping[str, Any], began: int | None = None
    ) -> Span:
        """A span at a place, which is sent some time after it ends; `began` in nanoseconds of Unix time, now if None."""
        self._ids.place = place
        if not place.recorded:
            return NonRecordingSpan(place.at(self._ids.generate_span_id()))
        parent = INVALID_SPAN if place.parent is None else NonRecordingSpan(place.parent)
        try:
            within = set_span_in_context(parent)
            return self._tracer().start_span(name, within, kind, dict(about), place.links, began)
        except Exception:
            log.exception("a span could not be started")
            return INVALID_SPAN


_outbox: list[Outbox] = []
_kinds: set[bool] = set()
"""Whether the installation is simulated, as far as services of this process know: the gateway learns it from others."""


def _about(service: str, *, simulated: bool) -> dict[str, str | bool]:
    about: dict[str, str | bool] = {"service.name": f"xunjian-{service}"}
    with suppress(PackageNotFoundError):
        about["service.version"] = version("xunjian")
    return about | ({"simulated": True} if simulated else {})


def tracer_of(endpoint: str, service: str, *, simulated: bool) -> Tracer:
    """The tracer of a service, which shares the way out with the others of this process."""
    if not _outbox:
        _outbox.append(Outbox(endpoint))
    _kinds.add(simulated)
    return Tracer(_outbox[0], service)


def close() -> None:
    """Send what waits, and no more."""
    _kinds.clear()
    while _outbox:
        _outbox.pop().close()
