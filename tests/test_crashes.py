"""kill -9 between any two steps of append → publish → apply → acknowledge: the score stays, and nothing is done twice."""

import signal
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from shared.config import SERVICES
from tests.conftest import Outcome, Start, assert_auditable, outcome_of
from tests.processes import Platform
from tests.story import Story

WRITING = ("append.inside", "append.committed", "relay.read", "relay.sent", "relay.published")
READING = ("apply.received", "apply.inside", "apply.committed")
DEATHS = [
    *(f"asset_registry/{moment}:2" for moment in WRITING[:2]),
    *(f"asset_registry/{moment}:1" for moment in WRITING[2:]),
    *(f"scheduling/{moment}:1" for moment in (*WRITING, *READING, "clock.decided", "clock.done")),
    *(f"work_orders/{moment}:1" for moment in WRITING),
    *(f"work_orders/{moment}:2" for moment in READING),
    *(f"scoring/{moment}:1" for moment in (*WRITING[:2], *READING)),
    "scoring/journal:5",
    "gateway/answer:9",
    "gateway/answer:40",
]
"""Each service dies at each of its moments, one death after the other in the order of this list."""
DEATHS_OF_ONE_PROCESS = [
    "asset_registry/append.inside:2",
    "asset_registry/append.committed:2",
    "scheduling/clock.decided:1",
    "scheduling/clock.done:1",
    "scheduling/append.inside:1",
    "work_orders/apply.received:1",
    "work_orders/apply.inside:2",
    "work_orders/apply.committed:2",
    "work_orders/append.committed:3",
    "work_orders/relay.read:1",
    "work_orders/relay.sent:3",
    "work_orders/relay.published:1",
    "scheduling/apply.inside:1",
    "scoring/append.inside:1",
    "scoring/apply.received:3",
    "scoring/journal:5",
    "scoring/apply.committed:1",
    "gateway/answer:40",
]
"""All services die together, at each moment of one or another of them."""


@pytest.mark.slow
def test_a_platform_in_one_process_that_is_killed_at_every_step_ends_with_the_same_score(
    start_embedded: Start, undisturbed: Outcome
) -> None:
    with start_embedded(*DEATHS_OF_ONE_PROCESS) as platform:
        story = Story(platform)
        story.tell_all()

        assert platform.killed_at() == DEATHS_OF_ONE_PROCESS
        outcome_of(story).assert_same_as(undisturbed)
        assert_auditable(story)


@pytest.mark.slow
def test_services_that_are_killed_at_every_step_end_with_the_same_score(
    start_distributed: Start, undisturbed: Outcome
) -> None:
    with start_distributed(*DEATHS) as platform:
        story = Story(platform)
        story.tell_all()

        assert sorted(platform.killed_at()) == sorted(DEATHS)
        outcome_of(story).assert_same_as(undisturbed)
        assert_auditable(story)


@pytest.mark.slow
def test_services_that_are_left_alone_tell_what_one_process_tells(
    start_distributed: Start, undisturbed: Outcome
) -> None:
    with start_distributed(from_nothing=True) as platform:
        story = Story(platform)
        story.tell_all()

        assert platform.killed_at() == []
        outcome_of(story).assert_same_as(undisturbed)


@pytest.mark.slow
def test_a_dead_or_hanging_service_costs_its_callers_a_deadline_and_no_more(start_distributed: Start) -> None:
    with start_distributed(rpc_deadline_seconds="1.5") as platform:
        story = Story(platform)
        story.begin()
        platform.settle()
        before = story.score()
        scoring = platform.processes["scoring"]
        troubles: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "dead": (lambda: platform.kill("scoring"), lambda: platform.restart("scoring")),
            "hanging": (lambda: scoring.signal(signal.SIGSTOP), lambda: scoring.signal(signal.SIGCONT)),
        }
        for trouble, (begin, end) in troubles.items():
            begin()

            status, problem, seconds = timed(platform, "/facilities/hall/assessments/2021?as_of=2021-03-31")
            assert (status, problem["type"]) == (503, "urn:xunjian:problem:unavailable"), trouble
            assert "scoring did not answer assessment within 1.5 s" in problem["detail"]
            assert seconds < 3
            status, health, seconds = timed(platform, "/health")
            assert status == 503
            answers = {service: answer["status"] for service, answer in health["services"].items()}
            assert answers == {**dict.fromkeys(SERVICES, "ok"), "scoring": "unavailable"}
            assert seconds < 4
            status, _, _ = timed(platform, "/facilities/hall/work-orders")
            assert status == 200

            end()
            platform.wait_until(platform.answers, "every service answers again")
            assert story.score() == before


def timed(platform: Platform, path: str) -> tuple[int, Any, float]:
    """The answer to one question, and how many seconds it took."""
    began = monotonic()
    status, answer = platform.api.once("GET", path)
    return status, answer, monotonic() - began
