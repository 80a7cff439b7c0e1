"""Whatever a receiver does, it gets every event, in order, and none again that it acknowledged."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.integration.outbound.backoff import GIVE_UP_AFTER, LONGEST_SECONDS, asked_seconds, seconds_before
from services.integration.outbound.book import KEPT_CALLS, Book, Called
from services.integration.outbound.calling import Answer
from services.integration.tests.receivers import BAD, GOOD, receiver
from services.integration.tests.told import HALL, MORNING, Told, Wall, carried, told
from shared.errors import Unavailable

EVENTS = 4
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A hall of which something is numbered already; each webhook begins with its last events."""
    with told(tmp_path_factory.mktemp("told")) as here:
        here.tell(EVENTS)
        here.follow()
        yield here


_names = (f"w-{number}" for number in count(1))


def subscribed(hall: Told, url: str) -> tuple[str, list[int]]:
    """A webhook that begins with the last EVENTS; its id, and the numbers that it is to get: its own subscription, too."""
    name, last = next(_names), hall.feed()["head"]
    hall.subscribe(url, webhook_id=name, after=last - EVENTS)
    hall.follow()
    return name, list(range(last - EVENTS + 1, last + 2))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=st.lists(st.sampled_from((*BAD, *GOOD)), max_size=12), killed=st.sets(st.integers(1, 16), max_size=4))
def test_a_receiver_that_fails_is_slow_or_lies_gets_every_event_in_order_and_none_again(
    hall: Told, script: list[str], killed: set[int]
) -> None:
    wall, step = Wall(), 0
    with receiver(*script) as there:
        name, numbers = subscribed(hall, there.url)
        courier = hall.courier(wall, name)

        while hall.listed(name)["delivered"] < numbers[-1]:
            step += 1
            if step in killed:
                courier = hall.courier(wall, name)
            seconds = courier.step()
            assert seconds is not None
            wall.wait(seconds)
        hall.ask("remove_webhook", webhook_id=name)
        hall.follow()

    assert there.acknowledged == numbers
    assert [call.number for call in there.calls] == sorted(call.number for call in there.calls)
    assert len({(call.number, call.headers["webhook-id"]) for call in there.calls}) == len(numbers)
    told_of = dict(hall.numbered())
    assert all(call.event == told_of[call.number] for call in there.calls)


def test_an_hour_of_failure_delays_and_changes_nothing_else(hall: Told) -> None:
    wall = Wall()
    with receiver(*["error", "early"] * 50) as there:
        name, numbers = subscribed(hall, there.url)
        courier = hall.courier(wall, name)

        carried(courier, lambda: wall.at >= MORNING + HOUR)
        failed = len(there.calls)
        there.script.clear()
        carried(courier, lambda: hall.listed(name)["lag"] == 0)

    # 5 + 10 + … + 5·2^8 = 2555 s are less than an hour, and 5·2^9 more are not: ten attempts.
    assert failed == 10
    assert [call.number for call in there.calls[:failed]] == numbers[:1] * failed
    assert there.acknowledged == numbers


def test_a_receiver_that_is_gone_is_paused_at_once_and_goes_on_where_it_was(hall: Told) -> None:
    with receiver("ok", "gone") as there:
        name, numbers = subscribed(hall, there.url)
        courier = hall.courier(Wall(), name)
        steps = [courier.step() for _ in range(3)]
        paused = hall.listed(name)

        hall.ask("resume_webhook", webhook_id=name)
        carried(hall.courier(Wall(), name), lambda: hall.listed(name)["delivered"] == numbers[-1])

    assert steps[-1] is None
    assert (paused["status"], paused["reason"]) == ("paused", "the receiver answered 410 Gone")
    assert paused["delivered"] == numbers[0]
    assert there.acknowledged[: len(numbers)] == numbers


def test_five_days_of_failure_pause_a_webhook_which_the_list_and_the_health_say(hall: Told) -> None:
    wall = Wall()
    with receiver() as there:
        name, numbers = subscribed(hall, there.url)
    courier = hall.courier(wall, name)

    while (seconds := courier.step()) is not None:
        wall.wait(seconds)

    assert GIVE_UP_AFTER <= wall.at - MORNING <= GIVE_UP_AFTER + timedelta(seconds=LONGEST_SECONDS)
    paused = hall.listed(name)
    assert (paused["status"], paused["delivered"]) == ("paused", numbers[0] - 1)
    assert "failing since 2021-03-09T08:00:00Z" in paused["reason"]
    health = hall.service.health()
    assert health["status"] == "degraded"
    assert {"facility": HALL, "webhook_id": name, "reason": paused["reason"]} in health["webhooks"]


def test_a_receiver_that_asks_for_time_gets_it(hall: Told) -> None:
    wall = Wall()
    with receiver("busy") as there:
        name, numbers = subscribed(hall, there.url)
        courier = hall.courier(wall, name)

        courier.step()
        carried(courier, lambda: hall.listed(name)["delivered"] == numbers[0])

    assert wall.waits == [120.0]  # instead of the 5 s before a second attempt
    assert there.acknowledged == numbers[:1]


def test_what_was_acknowledged_while_the_database_was_away_is_not_sent_again(hall: Told) -> None:
    wall = Wall()
    mends: list[float] = []

    def mend(seconds: float) -> None:
        mends.append(seconds)
        if len(mends) == 3:
            with hall.database.write() as connection:
                connection.execute(text("DROP TRIGGER away"))

    with receiver() as there:
        name, numbers = subscribed(hall, there.url)
        with hall.database.write() as connection:
            connection.execute(
                text("CREATE TRIGGER away BEFORE INSERT ON delivery BEGIN SELECT RAISE(ABORT, 'away'); END")
            )
        wall.wait = mend  # type: ignore[method-assign]  # somebody mends the database meanwhile
        carried(hall.courier(wall, name), lambda: hall.listed(name)["delivered"] == numbers[-1])

    assert len(mends) == 3
    assert [call.number for call in there.calls] == numbers


def test_a_courier_that_was_overtaken_writes_nothing_and_stops(hall: Told) -> None:
    with receiver() as there:
        name, numbers = subscribed(hall, there.url)
        post = hall.service.couriers.calling.post

        def overtaken(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
            hall.courier(Wall(), name).step()
            return Answer(status=500, error="answered 500", milliseconds=1)

        stopped = hall.courier(Wall(), name, overtaken).step()
        carried(hall.courier(Wall(), name, post), lambda: hall.listed(name)["lag"] == 0)

    assert stopped is None
    assert [call.number for call in there.calls] == numbers
    assert [row["error"] for row in hall.service.deliveries(HALL, name)["items"]] == [None] * len(numbers)


def test_a_webhook_gets_the_types_that_it_asked_for_and_passes_over_the_rest(hall: Told) -> None:
    with receiver() as there:
        last = hall.feed()["head"]
        types = ["integration.webhook_subscribed", "work_orders.work_performed.v1"]
        hall.subscribe(there.url, webhook_id="w-types", after=last, types=types)
        hall.tell(2)
        hall.follow()
        courier = hall.courier(Wall(), "w-types")

        carried(courier, lambda: hall.listed("w-types")["lag"] == 0)

    assert [call.event["type"] for call in there.calls] == ["integration.webhook_subscribed.v1"]
    assert hall.listed("w-types")["delivered"] == last + 3


def test_a_replay_tells_all_behind_a_number_again_under_the_same_ids(hall: Told) -> None:
    with receiver() as there:
        name, numbers = subscribed(hall, there.url)
        carried(hall.courier(Wall(), name), lambda: hall.listed(name)["lag"] == 0)

        hall.ask("replay_webhook", webhook_id=name, after=numbers[1])
        carried(hall.courier(Wall(), name), lambda: len(there.calls) == 2 * len(numbers) - 2)

    first, again = there.calls[: len(numbers)], there.calls[len(numbers) :]
    assert [call.number for call in again] == numbers[2:]
    ids = {call.number: call.headers["webhook-id"] for call in first}
    assert all(call.headers["webhook-id"] == ids[call.number] for call in again)


def test_a_ledger_that_was_changed_stops_a_webhook_and_says_so(tmp_path: Path) -> None:
    with told(tmp_path) as here, receiver() as there:
        here.tell(3)
        here.follow()
        here.subscribe(there.url)
        with here.ledgers["work_orders"].database.write() as connection:
            connection.execute(text("DROP TRIGGER event_no_update"))
            changed = "CAST(replace(CAST(body AS TEXT), 'job/2', 'job/9') AS BLOB)"
            connection.execute(text(f"UPDATE event SET body = {changed} WHERE position = 2"))

        with pytest.raises(Unavailable, match="number 2 of hall-1 is position 2 of work_orders") as refused:
            here.courier(Wall()).run()
        with pytest.raises(Unavailable, match="its ledger has another event there"):
            here.feed()

        assert (here.listed()["status"], here.listed()["last_error"]) == ("active", str(refused.value))
        assert there.calls == []


def test_the_log_of_calls_is_a_page_newest_first_and_does_not_grow_for_ever(hall: Told) -> None:
    with receiver("error", "early") as there:
        name, numbers = subscribed(hall, there.url)
        carried(hall.courier(Wall(), name), lambda: hall.listed(name)["lag"] == 0)
    book = Book(hall.database)
    before = book.progress(book.webhook(HALL, name))
    kept = hall.service.deliveries(HALL, name)["items"]

    after = type(before)(**{**vars(before), "calls": before.calls + KEPT_CALLS - 1})
    book.write(before, after, Called(**{**_call(kept[0]), "attempt": 1}))

    assert [(row["number"], row["attempt"], row["status"]) for row in reversed(kept)][:3] == [
        (numbers[0], 1, 500),
        (numbers[0], 2, None),
        (numbers[0], 3, 200),
    ]
    assert [row["error"] for row in reversed(kept)][:2] == [
        "answered 500",
        "the answer is no whole HTTP answer: RemoteDisconnected",
    ]
    left = [row["call"] for row in hall.service.deliveries(HALL, name)["items"]]
    assert left == [after.calls, before.calls]


def _call(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "call"}


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_double_from_five_seconds_to_an_hour_less_half_by_chance(attempt: int, fraction: float) -> None:
    longest = seconds_before(attempt, 0.0)

    seconds = seconds_before(attempt, fraction)

    assert longest / 2 <= seconds <= longest <= LONGEST_SECONDS
    assert longest == LONGEST_SECONDS or longest == 5 * 2 ** (attempt - 1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("Tue, 09 Mar 2021 08:01:00 GMT", 60.0),
        ("Tue, 09 Mar 2021 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999_999_999.0),
        (None, None),
    ],
)
def test_a_retry_after_is_a_number_of_seconds_or_a_date(said: str | None, seconds: float | None) -> None:
    assert asked_seconds(said, MORNING) == seconds
    assert seconds_before(1, 0.0, seconds) <= 6 * 3600
