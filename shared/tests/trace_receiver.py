"""A receiver of traces (OTLP/HTTP), as a collector is one: it keeps the spans that it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

KINDS = {value: name.removeprefix("SPAN_KIND_") for name, value in Span.SpanKind.items()}


@dataclass(frozen=True)
class Told:
    """A span as it was received."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    about: dict[str, Any]
    resource: dict[str, Any]
    links: list[str]
    failed: bool


@dataclass
class Receiver:
    """What was received, and where."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    held: threading.Semaphore = field(default_factory=threading.Semaphore)
    """Whoever has it keeps the receiver from answering."""

    def spans(self, trace: str | None = None) -> list[Told]:
        """All spans, or those of one trace."""
        return [one for body in tuple(self.bodies) for one in _read(body) if trace in (None, one.trace)]

    def of(self, service: str, name: str, trace: str | None = None) -> list[Told]:
        """Those of a service by their name."""
        return [one for one in self.spans(trace) if (one.service, one.name) == (f"xunjian-{service}", name)]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Listens on a port of 127.0.0.1."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf":
                received.bodies.append(body)
            with received.held:
                self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()


def _read(body: bytes) -> Iterator[Told]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        of_resource = _values(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Told(
                    of_resource["service.name"],
                    span.name,
                    KINDS[span.kind],
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    _values(span.attributes),
                    of_resource,
                    [link.trace_id.hex() for link in span.links],
                    span.status.code == 2,
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
