"""The broker only makes the truth arrive fast: whatever it loses, repeats or shuffles, the score is the same."""

import threading
import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest
from kombu import Connection, Message, Producer, Queue

from shared.broker import events_of
from shared.config import DEFAULTS, SERVICES
from tests.api import PATIENCE_SECONDS
from tests.conftest import Outcome, Start, outcome_of
from tests.processes import EVERYWHERE, Platform
from tests.story import Story, moment
from tests.truth import SOURCES, Truth, undated

QUEUES = [
    f"{reader}.from.{source}.{number}"
    for reader, sources in SOURCES.items()
    for source in sources
    for number in range(DEFAULTS["PARTITIONS"])
]
TAP = Queue("tap", durable=True)


@pytest.mark.slow
def test_messages_that_are_lost_repeated_and_shuffled_change_nothing(start: Start, undisturbed: Outcome) -> None:
    with start(*(f"{service}/disorder:2021" for service in SERVICES)) as platform:
        story = Story(platform)
        story.tell_all()

        outcome_of(story).assert_same_as(undisturbed)


@pytest.mark.slow
def test_queues_that_are_purged_or_filled_with_old_messages_change_nothing(
    start_distributed: Start, amqp_url: str, undisturbed: Outcome
) -> None:
    with start_distributed() as platform:
        declare_tap(amqp_url)
        story = Story(platform)
        story.begin()
        for month, disturb in ((1, purge), (2, purge), (3, purge_and_shuffle)):
            story.move_clock(moment(2021, month, 1, 1))
            platform.kill("scoring")
            story.work(month)
            assert disturb(amqp_url) > 0
            platform.restart("scoring")
            story.rate(month)
        story.end()

        outcome_of(story).assert_same_as(undisturbed)


def interruptions(platform: Platform) -> int:
    """How often services said that a connection of theirs broke."""
    return sum(process.log.read_text().count("interrupted") for process in platform.processes.values())


@pytest.mark.slow
def test_a_broker_that_restarts_while_work_is_done_changes_nothing(
    start_distributed: Start, restart_rabbitmq: Callable[[], None], undisturbed: Outcome
) -> None:
    with start_distributed() as platform:
        story = Story(platform)
        story.begin()
        story.month(1)
        before, give_up = interruptions(platform), time.monotonic() + PATIENCE_SECONDS
        restarting = threading.Thread(target=restart_rabbitmq)
        restarting.start()
        while interruptions(platform) == before and time.monotonic() < give_up:
            time.sleep(0.05)  # until the services miss their broker; then work goes on
        story.month(2)
        restarting.join()
        story.month(3)
        story.end()

        assert interruptions(platform) > before
        outcome_of(story).assert_same_as(undisturbed)


@pytest.mark.slow
def test_an_event_that_cannot_be_applied_parks_its_facility_only_and_goes_on_after_repair(start: Start) -> None:
    with start() as platform:
        hall, annex = Story(platform, "hall"), Story(platform, "annex")
        hall.begin()
        annex.begin()
        hall.move_clock(moment(2021, 1, 1, 1))
        scoring = "scoring" if "scoring" in platform.processes else EVERYWHERE
        platform.kill(scoring)
        platform.restart(scoring, "scoring/poison:annex")

        for story in (hall, annex):
            story.work(1)
        platform.wait_until(lambda: _status(platform) == "degraded", "it is parked")
        platform.wait_until(lambda: _cost(hall) == "36.01", "the other facility goes on")
        status, health = platform.api.once("GET", "/health")
        assert status == 200
        assert {service: answer["status"] for service, answer in health["services"].items()} == {
            "asset_registry": "ok",
            "scheduling": "ok",
            "work_orders": "ok",
            "scoring": "parked",
            "integration": "ok",
            "access": "ok",
        }
        parked = health["services"]["scoring"]["parked"]
        assert {entry["facility"] for entry in parked} == {"annex"}
        assert all("ValueError: this event cannot be applied here" in entry["reason"] for entry in parked)
        assert _cost(annex) == "0.00"

        platform.kill(scoring)
        platform.restart(scoring)
        platform.settle()
        assert _status(platform) == "ok"
        for story in (hall, annex):
            Truth(platform.databases, story.facility).assert_whole()
        assert undated(annex.score()) == undated(hall.score()).replace(b'"hall"', b'"annex"')


def _cost(story: Story) -> Any:
    (cost,) = (indicator for indicator in story.score()["indicators"] if indicator["id"] == "cost")
    return cost["actual"]


def _status(platform: Platform) -> str | None:
    status, answer = platform.api.once("GET", "/health")
    return str(answer["status"]) if status else None


def declare_tap(amqp_url: str) -> None:
    """Have the broker keep a copy of all that is published from now on."""
    with Connection(amqp_url) as connection, connection.channel() as channel:
        tap = TAP(channel)
        tap.declare()
        for source in SERVICES:
            tap.bind_to(events_of(source), routing_key="#")


def purge(amqp_url: str) -> int:
    """Empty the queues of all readers; returns how many messages were lost."""
    with Connection(amqp_url) as connection, connection.channel() as channel:
        return sum(channel.queue_purge(queue) for queue in QUEUES)


def purge_and_shuffle(amqp_url: str) -> int:
    """Empty the queues, and fill them with two copies of everything ever published, in random order."""
    purge(amqp_url)
    with Connection(amqp_url) as connection, connection.channel() as channel:
        tap = TAP(channel)
        messages = list(iter(partial(tap.get, no_ack=True), None))
        for message in Random(7).sample(messages * 2, k=2 * len(messages)):
            route = {name: message.delivery_info[name] for name in ("exchange", "routing_key")}
            Producer(channel).publish(message.body, headers=message.headers, **_as_it_was(message), **route)
    return len(messages)


def _as_it_was(message: Message) -> dict[str, Any]:
    return {"content_type": message.content_type, "content_encoding": message.content_encoding, "serializer": None}
