"""What other systems tell a whole platform, in one process and in many: once, whatever dies meanwhile."""

from collections import Counter
from typing import Any

import pytest
from eventlet.greenpool import GreenPool

from tests.conftest import Start, run_xunjian
from tests.processes import ROOT, Platform
from tests.story import Story, moment
from tests.truth import Truth

HAOCHAPING = (ROOT / "projects/chenggong-2021/sources/haochaping.yaml").read_text()
PLATFORM = "https://haochaping.example.gov.cn/kunming/chenggong"
EVENTS = "/integration/events"
NOW = moment(2021, 3, 20)
DEATHS = ["integration/append.committed:2", "integration/hand_over.asking:1", "integration/hand_over.answered:1"]
"""Integration dies once what it received is on record, again before it asks scoring, and again before it notes the answer."""


def rating(number: int, level: int) -> dict[str, Any]:
    """An event of the rating platform."""
    data = {"ratingId": number, "satisfaction": level, "evaluateTime": "2021-03-19 10:00:00", "isDefault": False}
    named = {"id": f"r-{number}", "source": PLATFORM, "type": "cn.gov.haochaping.rating.v1"}
    return {"specversion": "1.0", **named, "time": "2021-03-19T10:00:05+08:00", "facility": "hall", "data": data}


def post(platform: Platform, *events: dict[str, Any]) -> tuple[int, Any]:
    """Send one event, or many as a batch."""
    one = len(events) == 1
    form = "application/cloudevents+json" if one else "application/cloudevents-batch+json"
    body: Any = events[0] if one else list(events)
    return platform.api.once("POST", EVENTS, body, Content_Type=form, X_Simulated_Time=NOW)


def begun(platform: Platform) -> Story:
    """A hall to which the rating platform is mapped."""
    story = Story(platform)
    story.begin()
    story.now = NOW
    story.tell("/integration/sources", {"source_id": "haochaping", "mapping": HAOCHAPING})
    platform.settle()
    return story


def satisfaction(story: Story) -> dict[str, Any]:
    """How satisfied visitors are, in the score."""
    story.platform.settle()
    (found,) = [one for one in story.score()["indicators"] if "actual_without_defaulted" in one]
    return dict(found)


def reports(platform: Platform) -> Counter[str]:
    """How often scoring recorded each report."""
    told = Truth(platform.databases).envelopes("scoring")
    return Counter(one["data"]["report_id"] for one in told if one["type"] == "scoring.satisfaction_reported.v1")


def assert_sound(platform: Platform) -> None:
    """Assert that every ledger and view is as it should be, also to an auditor."""
    platform.settle()
    Truth(platform.databases).assert_whole()
    option, environment = platform.found_by
    finished = run_xunjian("audit", "verify", option, **environment)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.slow
def test_ratings_that_are_posted_move_the_indicator(start_embedded: Start) -> None:
    with start_embedded() as platform:
        story = begun(platform)
        assert satisfaction(story)["status"] == "not_assessable"

        status, told = post(platform, *(rating(number, 5) for number in range(3)), rating(3, 1), {"id": "x"})
        refused, problem = post(platform, rating(7, 9))

        assert (status, [one["status"] for one in told["items"]]) == (200, [*4 * ["accepted"], "refused"])
        assert (refused, problem["errors"][0]["field"]) == (422, "very_satisfied")
        assert satisfaction(story)["actual"] == "75.00"
        (day,) = story.ask("/integration/reconciliation", since="2021-03-19", until="2021-03-19")
        assert (day["received"], day["accepted"], day["refused"], day["ratings"]) == (5, 4, 1, 4)
        assert_sound(platform)


@pytest.mark.slow
def test_a_rating_counts_once_though_it_comes_a_hundred_times_and_integration_dies_at_every_step(start: Start) -> None:
    with start(*DEATHS) as platform:
        story = begun(platform)

        post(platform, rating(1, 5))
        platform.wait_until(lambda: _accepted(platform), "the message is accepted")
        again = list(GreenPool(100).imap(lambda _: post(platform, rating(1, 5)), range(100)))

        assert platform.killed_at() == DEATHS
        assert {told["items"][0]["status"] for _, told in again} == {"duplicate"}
        assert satisfaction(story)["actual"] == "100.00"
        assert reports(platform) == {"hcp-1": 1}
        assert_sound(platform)


def _accepted(platform: Platform) -> bool:
    status, listed = platform.api.once("GET", "/facilities/hall/integration/messages?status=accepted")
    return status == 200 and len(listed) == 1
