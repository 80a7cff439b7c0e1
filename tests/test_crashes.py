"""kill -9 between any two steps of append → publish → apply → acknowledge: the score stays, and nothing is done twice."""

import signal

import pytest

from tests.conftest import Outcome, Start, outcome_of
from tests.processes import EVERYWHERE
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


@pytest.mark.slow
def test_a_platform_in_one_process_that_is_killed_at_every_step_ends_with_the_same_score(
    start_embedded: Start, undisturbed: Outcome
) -> None:
    with start_embedded(*DEATHS) as platform:
        story = Story(platform)
        story.tell_all()

        assert platform.killed_at() == DEATHS
        assert outcome_of(story) == undisturbed


@pytest.mark.slow
def test_services_that_are_killed_at_every_step_end_with_the_same_score(
    start_distributed: Start, undisturbed: Outcome
) -> None:
    with start_distributed(*DEATHS) as platform:
        story = Story(platform)
        story.tell_all()

        assert sorted(platform.killed_at()) == sorted(DEATHS)
        assert outcome_of(story) == undisturbed


@pytest.mark.slow
def test_services_that_are_left_alone_tell_what_one_process_tells(
    start_distributed: Start, undisturbed: Outcome
) -> None:
    with start_distributed() as platform:
        story = Story(platform)
        story.tell_all()

        assert platform.killed_at() == []
        assert outcome_of(story) == undisturbed


def test_state_survives_kill_9_between_two_requests(start_embedded: Start) -> None:
    with start_embedded() as platform:
        story = Story(platform)
        story.begin()
        platform.settle()
        before = story.score()

        platform.kill(EVERYWHERE, signal.SIGKILL)
        platform.restart(EVERYWHERE)

        assert story.score() == before
        assert platform.api.get("/installation")["simulated"] is True
