"""Which trace and which span something stands in, as it follows from the ids that events carry anyway.

The trace id is derived from the correlation id, and the span id of an append from the id of the event. So a reader knows
under what its work belongs, however the event came to it, and days later too.
"""

import hashlib
import re
from typing import Any

from opentelemetry.trace import Link, Span, SpanContext, TraceFlags, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT = "traceparent"
"""Its name among HTTP's headers (W3C Trace Context), and among what goes along with a call between services."""
_UNRECORDED = "-00"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TRACE_ID = re.compile(rf"([0-9a-f]{{32}}|{_UUID})({_UNRECORDED})?", re.IGNORECASE)
_W3C = TraceContextTextMapPropagator()


def trace_of(correlation_id: str) -> tuple[int, bool]:
    """The trace id of a correlation id, and whether the trace is recorded.

    32 hexadecimal digits or a UUID are the id as they stand; of anything else it is the first 16 bytes of the SHA-256.
    Not recorded is what the caller does not record, which `correlation_id_of` writes behind the id.
    """
    found = _TRACE_ID.fullmatch(correlation_id)
    if found and (number := int(found[1].replace("-", ""), 16)):
        return number, found[2] is None
    return int.from_bytes(_sha256(correlation_id)[:16]) or 1, True


def span_of(event_id: str) -> int:
    """The id of the span in which an event was appended: the first 8 bytes of the SHA-256 of the event's id."""
    return int.from_bytes(_sha256(event_id)[:8]) or 1


def correlation_id_of(traceparent: str | None) -> str | None:
    """The correlation id of a caller who says in which trace it is and no more; None for one who does not say that."""
    caller = carried(traceparent)
    return None if caller is None else correlating(caller)


def correlating(context: SpanContext) -> str:
    """A correlation id of which the trace is that of `context`."""
    return f"{context.trace_id:032x}" + ("" if context.trace_flags.sampled else _UNRECORDED)


def carried(traceparent: Any) -> SpanContext | None:
    """What a `traceparent` says, if it is one."""
    if not isinstance(traceparent, str):
        return None
    return context_of(get_current_span(_W3C.extract({TRACEPARENT: traceparent})))


def carrying(span: Span) -> dict[str, str]:
    """The `traceparent` that has others work under a span."""
    context = span.get_span_context()
    flags = context.trace_flags & TraceFlags.SAMPLED
    return {TRACEPARENT: f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"}


def context_of(span: Span | None) -> SpanContext | None:
    """Where a span stands, if there is one."""
    context = None if span is None else span.get_span_context()
    return context if context is not None and context.is_valid else None


class Place:
    """Where a span is to stand: in the trace of a correlation id, under what it follows from if that is in it as well."""

    def __init__(self, correlation_id: str, follows: SpanContext | None = None, span_id: int | None = None) -> None:
        self.trace_id, self.recorded = trace_of(correlation_id)
        self.span_id = span_id
        self.parent: SpanContext | None = None
        self.links: list[Link] = []
        if follows is not None and follows.trace_id == self.trace_id:
            self.parent = self.at(follows.span_id)
        elif follows is not None:
            self.links = [Link(follows)]

    def at(self, span_id: int) -> SpanContext:
        """A span of the trace by its id."""
        flags = TraceFlags(TraceFlags.SAMPLED if self.recorded else TraceFlags.DEFAULT)
        return SpanContext(self.trace_id, span_id, is_remote=True, trace_flags=flags)

    def under(self, span_id: int) -> "Place":
        """The place under a span of the trace."""
        self.parent = self.at(span_id)
        return self


def _sha256(words: str) -> bytes:
    return hashlib.sha256(words.encode(errors="surrogatepass")).digest()
