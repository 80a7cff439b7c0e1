"""What the processes count of their work, for Prometheus: appends, calls between services, requests, subscriptions.

Labels name services, methods and routes, of which the code has a fixed number; never facilities or people. Counting
costs a few microseconds and cannot fail. What is true of the databases rather than of this process is not counted
here but asked for when somebody looks (`shared/monitor.py`).

A failure is told as 0 before there is one: Prometheus sees a number rise, but not one that begins above 0.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from shared.errors import Refused, Unavailable

disable_created_metrics()  # type: ignore[no-untyped-call]  # half-annotated library
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_ANSWERS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

EVENTS_APPENDED = Counter(
    "xunjian_events_appended_total",
    "Events appended by this process; those of a reaction are counted when written, before its commit",
    ["service"],
    registry=REGISTRY,
)
APPEND_SECONDS = Histogram(
    "xunjian_append_seconds",
    "How long an append took, from the queue before it to the commit",
    ["service"],
    buckets=_FAST,
    registry=REGISTRY,
)
EVENTS_APPLIED = Counter(
    "xunjian_subscription_events_applied_total",
    "Events of a source that this process applied",
    ["service", "source"],
    registry=REGISTRY,
)
COMPARED = Gauge(
    "xunjian_subscription_compared_timestamp_seconds",
    "When this process last compared itself with a source and had read on to its heads, in Unix time",
    ["service", "source"],
    registry=REGISTRY,
)
RPC_CALLS = Counter(
    "xunjian_rpc_calls_total",
    "Calls of `service` by `caller`; outcome is ok, refused, unavailable or failed",
    ["caller", "service", "method", "outcome"],
    registry=REGISTRY,
)
RPC_SECONDS = Histogram(
    "xunjian_rpc_seconds",
    "How long a call took its caller, with the way there and back",
    ["caller", "service", "method"],
    buckets=_ANSWERS,
    registry=REGISTRY,
)
HTTP_REQUESTS = Counter(
    "xunjian_http_requests_total",
    "Requests answered by the gateway, by the template of the route (none: there is no such route)",
    ["method", "route", "status"],
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "xunjian_http_request_seconds",
    "How long a request took, for a long poll with the time that its client chose to wait",
    ["method", "route"],
    buckets=_ANSWERS,
    registry=REGISTRY,
)
SIGN_INS_REFUSED = Counter(
    "xunjian_sign_ins_refused_total", "How often somebody was not let in", ["service"], registry=REGISTRY
)
SPANS_DROPPED = Counter(
    "xunjian_spans_dropped_total",
    "Spans that were not delivered; reason is queue full, not taken or stopped",
    ["reason"],
    registry=REGISTRY,
)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request; `status` is its code, of which the class is kept."""
    HTTP_REQUESTS.labels(method, route, "5xx")
    HTTP_REQUESTS.labels(method, route, f"{status // 100}xx").inc()
    HTTP_SECONDS.labels(method, route).observe(seconds)


@contextmanager
def call_counted(caller: str, service: str, method: str) -> Iterator[None]:
    """Count the call made within, and what became of it."""
    for failure in ("failed", "unavailable"):
        RPC_CALLS.labels(caller, service, method, failure)
    began, outcome = perf_counter(), "failed"
    try:
        yield
        outcome = "ok"
    except Unavailable:
        outcome = "unavailable"
        raise
    except Refused:
        outcome = "refused"
        raise
    finally:
        RPC_CALLS.labels(caller, service, method, outcome).inc()
        RPC_SECONDS.labels(caller, service, method).observe(perf_counter() - began)
