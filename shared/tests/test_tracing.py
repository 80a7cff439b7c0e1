"""What was done can be followed from service to service by ids that events carry anyway, and tracing it costs no work."""

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import eventlet
import pytest

from shared import span_export, tracing
from shared.event import Recorded
from shared.ledger import Ledger, stripped
from shared.measures import REGISTRY
from shared.subscription import Arrived, Handler, Reader
from shared.tests.given import Job, assigned, draft, entry, history, ledger_at
from shared.tests.trace_receiver import Receiver, receiver
from shared.trace_ids import correlation_id_of, span_of, trace_of
from shared.unit import Unit

UUID = "0193e0a6-5c2f-7abc-8def-0123456789ab"
APPENDED = "append work_orders.events:work_order_assigned"
APPLIED = "apply work_orders.events:work_order_assigned"
OURS = f"{int.from_bytes(hashlib.sha256(b'c-1').digest()[:16]):032x}"
"""The trace of the correlation id of `given.entry`."""


@contextmanager
def traced(endpoint: str, *services: str) -> Iterator[None]:
    for service in services:
        tracing.begin({"OTLP_ENDPOINT": endpoint}, service, simulated=False)
    try:
        yield
    finally:
        for service in services:
            tracing.end(service)


@pytest.fixture
def received() -> Iterator[Receiver]:
    """Whom all is told."""
    with receiver() as found:
        yield found


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[Callable[[str], Ledger]]:
    """Makes the ledger of a service."""
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(ledger_at(f"sqlite:///{tmp_path / name}.db", name))


@pytest.fixture
def silence() -> Iterator[str]:
    """Where somebody accepts everything and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def react(do: Unit, recorded: Recorded) -> None:
    """Somebody else is put on it as well."""
    do.find(Job, "theirs").assign(f"zhou-{recorded.position}")


def arrived(source: Ledger) -> list[Arrived]:
    return [Arrived(n, *stripped(whole.encode())) for n, whole in enumerate(source.raw("hall-1"), start=1)]


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("xunjian_spans_dropped_total", {"reason": reason}) or 0.0


def test_the_trace_of_a_correlation_id_is_the_id_itself_or_its_hash() -> None:
    digits = UUID.replace("-", "")

    found = [trace_of(words) for words in (UUID, UUID.upper(), digits, f"{digits}-00", "order-00", "c-1", 32 * "0")]

    assert found[:4] == [(int(digits, 16), True)] * 3 + [(int(digits, 16), False)]
    assert all(recorded for _, recorded in found[4:])
    assert f"{found[5][0]:032x}" == OURS
    assert len({number for number, _ in found} - {0}) == 4
    assert correlation_id_of(f"00-{digits}-{'1' * 16}-01") == digits
    assert trace_of(correlation_id_of(f"00-{digits}-{'1' * 16}-00") or "") == (int(digits, 16), False)
    assert [correlation_id_of(words) for words in (None, "", f"00-{digits}", f"00-{32 * '0'}-{'1' * 16}-01")] == [
        None
    ] * 4


def test_an_event_is_applied_under_its_append_whichever_way_it_came(
    received: Receiver, ledgers: Callable[[str], Ledger]
) -> None:
    source, by_broker, by_reading = map(ledgers, ("work_orders", "scoring", "scheduling"))
    followers = [Reader(one, "work_orders", [Handler(react, ())], source.raw) for one in (by_broker, by_reading)]

    with traced(received.url, "work_orders", "scoring", "scheduling"):
        history(source, 2)
        followers[0].receive("hall-1", arrived(source))
        followers[1].catch_up(source.tips())

    appended = received.of("work_orders", APPENDED, OURS)
    ids = [f"{span_of(one.about['messaging.message.id']):016x}" for one in appended]
    assert [one.id for one in appended] == ids
    for service in ("scoring", "scheduling"):
        applied = received.of(service, APPLIED, OURS)
        assert [(one.kind, one.parent, one.about["xunjian.event.position"]) for one in applied] == [
            ("CONSUMER", ids[0], 1),
            ("CONSUMER", ids[1], 2),
        ]
        assert [one.parent for one in received.of(service, APPENDED, OURS)] == [one.id for one in applied]


def test_what_comes_to_nothing_is_not_told_but_the_event_that_cannot_be_applied(
    received: Receiver, ledgers: Callable[[str], Ledger]
) -> None:
    source, ledger = ledgers("work_orders"), ledgers("scoring")

    def fail_at_the_second(do: Unit, recorded: Recorded) -> None:
        react(do, recorded)
        if recorded.position == 2:
            raise ValueError("the words of a secret")

    with traced(received.url, "scoring"):
        history(source, 3)
        Reader(ledger, "work_orders", [Handler(fail_at_the_second, ())], source.raw).receive("hall-1", arrived(source))

    applied = received.of("scoring", APPLIED, OURS)
    assert [(one.about["xunjian.event.position"], one.failed) for one in applied] == [(1, False), (2, True)]
    assert applied[1].about["error.type"] == "ValueError"
    (reaction,) = (read.id for read in ledger.stream("hall-1", "job/theirs"))
    assert [one.about["messaging.message.id"] for one in received.of("scoring", APPENDED, OURS)] == [reaction]
    assert not any(b"secret" in body for body in received.bodies)


def test_what_another_trace_led_to_is_linked_to_it(received: Receiver, ledgers: Callable[[str], Ledger]) -> None:
    ledger = ledgers("work_orders")
    carried = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    worker = SimpleNamespace(service_name="work_orders", data=carried)

    def work() -> None:
        tracing.work_begun(worker, called=False)
        ledger.append(entry(draft()))

    with traced(received.url, "work_orders"):
        eventlet.spawn(work).wait()

    (appended,) = received.of("work_orders", APPENDED, OURS)
    assert (appended.parent, appended.links) == ("", ["a" * 32])
    assert carried == {}  # what goes along with the worker's own calls is another


def test_a_trace_that_its_caller_does_not_record_is_recorded_nowhere(received: Receiver) -> None:
    with traced(received.url, "gateway"):
        for flags in ("00", "01"):
            caller = f"00-{'a' * 32}-{'b' * 16}-{flags}"
            span = tracing.request_begun("gateway", correlation_id_of(caller) or "", caller)
            assert tracing.request_carries(span)["traceparent"].endswith(f"-{flags}")
            tracing.request_answered(span, "GET", "/v1/health", "/v1/health", 200)

    assert [(one.name, one.trace, one.parent) for one in received.spans()] == [("GET /v1/health", "a" * 32, "b" * 16)]


def test_a_receiver_that_hangs_holds_nothing_up_and_what_it_does_not_take_is_counted(
    silence: str, ledgers: Callable[[str], Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_export, "QUEUE", 60)
    monkeypatch.setattr(span_export, "BATCH", 20)
    monkeypatch.setattr(span_export, "CLOSING_SECONDS", 0.2)
    ledger, before = ledgers("work_orders"), [dropped(why) for why in ("queue full", "stopped", "not taken")]

    with traced(silence, "work_orders"):
        for number in range(1, 101):
            ledger.append(entry(draft(f"job/{number}", 1, assigned())))
            eventlet.sleep(0)
        sender = span_export._outbox[0]._sender
        assert (sender.on_their_way, sender.waiting) == (20, 60)

    assert ledger.tips()["hall-1"]["position"] == 100
    after = [dropped(why) for why in ("queue full", "stopped", "not taken")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [20, 80, 0]


def test_a_receiver_that_is_away_costs_spans_and_a_line_in_the_log(
    ledgers: Callable[[str], Ledger], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(span_export, "TIMEOUT_SECONDS", 0.1)
    monkeypatch.setattr(span_export, "BATCH", 5)
    ledger, before = ledgers("work_orders"), dropped("not taken")
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"

    with traced(nobody, "work_orders"):
        history(ledger, 20)

    assert dropped("not taken") - before == 20
    assert len([one for one in caplog.records if one.name.startswith("opentelemetry")]) <= 1


def test_nothing_is_traced_where_nobody_says_where_to(ledgers: Callable[[str], Ledger]) -> None:
    ledger = ledgers("work_orders")

    with traced(None, "work_orders"):  # type: ignore[arg-type]
        history(ledger, 1)
        assert not tracing.is_on()

    assert tracing.request_begun("gateway", "c-1", None) is None
    assert span_export._outbox == []
