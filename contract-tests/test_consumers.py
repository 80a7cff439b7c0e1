"""Each consumer reads what its pacts say, by its own readers, folds and handlers; and reads nothing that they do not say."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from consumers import Consumer, consumers
from pacts import PACTS, SAMPLES, file_of, messages, pact, written
from publishers import published
from reading import watching
from wiring import folded, service, services, subscribed

from shared.catalogue.documents import published_types
from shared.catalogue.json_schema import event_schema
from shared.contracts.asset_registry import FacilityRegistered
from shared.event import Recorded, read
from shared.tests.alone import Alone, alone

CONSUMERS = consumers()
PAIRS = [(consumer, source) for consumer in CONSUMERS for source in consumer.sources]

each_consumer = pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.name)
each_pact = pytest.mark.parametrize(("consumer", "source"), PAIRS, ids=[f"{one.name}-{of}" for one, of in PAIRS])


def test_every_subscription_has_an_expectation_and_nothing_else_has() -> None:
    wired = {name: subscribed(cls) for name, cls in services().items()}

    said = {
        consumer.name: {
            source: None if source in consumer.follows_all_of else frozenset(consumer.needs_of(source))
            for source in consumer.sources
            if source != consumer.name or source in wired[consumer.name]
        }
        for consumer in CONSUMERS
    }

    assert {name: sources for name, sources in wired.items() if sources} == said


def test_what_views_fold_is_subscribed_to() -> None:
    deaf = {
        name: missing
        for name, cls in services().items()
        if (missing := {of for of in folded(cls) if not _hears(subscribed(cls), of)})
    }

    assert not deaf, "views fold what their service does not subscribe to"


@each_pact
def test_a_pact_is_what_its_consumer_says_now(consumer: Consumer, source: str) -> None:
    kept = PACTS / file_of(consumer.name, source)

    assert kept.exists(), f"make catalogue writes {kept.name}"
    assert kept.read_bytes() == written(consumer, source), f"{kept.name} is not what is said now: make catalogue"


def test_no_pact_is_kept_that_nobody_says_any_more() -> None:
    said = {file_of(consumer.name, source) for consumer, source in PAIRS}

    assert {file.name for file in PACTS.iterdir()} == said


@each_pact
def test_a_consumer_reads_every_message_of_its_pact(consumer: Consumer, source: str, lone: "Lone") -> None:
    received: list[str] = []
    with lone(consumer) as hosted:

        def receive(body: str | bytes | None, _: dict[str, Any]) -> None:
            told = orjson.loads(str(body))
            recorded = read(orjson.dumps(_whole(told)))
            if source != consumer.name:
                _hear(hosted, recorded)
            if consumer.rules:
                consumer.rules([recorded])
            received.append(recorded.event.type)

        errors = pact(consumer, source).verify(receive, "Async", raises=False)

    assert not errors, "; ".join(f"{consumer.name} cannot read {one.description}: {one.error}" for one in errors)
    assert sorted(received) == sorted(message.type for message in messages(consumer, source))


@each_consumer
def test_a_consumer_reads_just_what_it_says_that_it_needs(consumer: Consumer, lone: "Lone") -> None:
    story = [(recorder.stream, event, at) for recorder, event, at in published()]
    with lone(consumer) as hosted:
        for stream, event, at in story:
            source = event.type.partition(".")[0]
            if consumer.knows_own if source == consumer.name else source in consumer.sources:
                _tell(hosted, stream, event, at)

        with watching(consumer.name) as watch:
            hosted.follow()
            if consumer.rules:
                ledgers = [hosted.ledgers[source] for source in consumer.sources]
                consumer.rules([read(one.encode()) for ledger in ledgers for one in ledger.raw(hosted.hall)])

    unsaid = [f"{type_} {path}" for type_, path in sorted(watch.unsaid(consumer))]
    unread = [f"{type_} {path}" for type_, path in sorted(watch.unread(consumer))]
    assert not unsaid, f"{consumer.name} reads what it does not say that it needs: {', '.join(unsaid)}"
    assert not unread, f"{consumer.name} says that it needs what it does not read: {', '.join(unread)}"


Lone = Callable[[Consumer], AbstractContextManager[Alone]]
"""A consumer's service by itself, on fresh databases."""


@pytest.fixture
def lone(tmp_path: Path) -> Lone:
    """Host a consumer's service without a broker."""

    @contextmanager
    def host(consumer: Consumer) -> Iterator[Alone]:
        with alone(service(consumer.name), f"sqlite:///{tmp_path / 'own.db'}", tmp_path) as hosted:
            yield hosted

    return host


def _hears(sources: Any, type_: str) -> bool:
    types = sources.get(type_.partition(".")[0], frozenset())
    return types is None or type_ in types


def _tell(hosted: Alone, stream: str, event: Any, at: datetime) -> None:
    hosted.set_time(at)
    hosted.tell(stream, event)


def _hear(hosted: Alone, recorded: Recorded) -> None:
    """Let a service hear of an event in a hall of which it knows nothing but its registration; that parks nothing."""
    hosted.new_hall()
    registration = read((SAMPLES / f"{FacilityRegistered.type}.json").read_bytes())
    if recorded.event.type != registration.event.type and "asset_registry" in hosted.service.sources():
        hosted.tell(registration.subject, registration.event)
        hosted.follow("asset_registry")
    hosted.tell(recorded.subject, recorded.event)
    hosted.follow()


def _whole(told: dict[str, Any]) -> dict[str, Any]:
    """What a pact's message leaves out because its consumer does not ask for it, from the frozen sample."""
    sample = orjson.loads((SAMPLES / f"{told['type']}.json").read_bytes())
    schema = event_schema(published_types()[told["type"]])
    return {**sample, **told, "data": _completed(told.get("data", sample["data"]), sample["data"], schema)}


def _completed(told: Any, sample: Any, schema: dict[str, Any]) -> Any:
    """`told` with the members that its reader's class demands beside."""
    if isinstance(told, dict) and "properties" in schema:
        beside = {name: sample[name] for name in schema.get("required", ()) if name not in told}
        members = {
            name: _completed(value, (sample or {}).get(name), schema["properties"][name])
            for name, value in told.items()
            if name in schema["properties"]
        }
        return {**beside, **members}
    if isinstance(told, list):
        return [_completed(member, sample[0] if sample else None, schema["items"]) for member in told]
    return told
