"""One gapless numbered sequence per facility, of all that arrives; what is read of it is what the ledgers say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eventlet
import orjson
import pytest
from sqlalchemy import select

from services.audit.tests.installation import urls_of
from services.integration.outbound.tables import feed, feed_heads, webhooks
from services.integration.tests.told import HALL, Told, told
from shared.errors import Forbidden, Invalid, NotFound
from shared.event import canonical
from shared.ledger import chained


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Told]:
    """A work-order ledger of three, and a webhook subscribed."""
    with told(tmp_path) as here:
        here.tell(3)
        here.subscribe("http://127.0.0.1:9/", webhook_id="w-1")
        here.follow()
        yield here


def test_events_are_numbered_as_they_arrive_and_read_in_the_bytes_of_their_ledgers(hall: Told) -> None:
    hall.tell()
    hall.follow()

    found = hall.feed()

    assert [item["number"] for item in found["items"]] == [1, 2, 3, 4, 5]
    assert (found["next"], found["head"]) == (5, 5)
    own, theirs = (hall.ledgers[name].raw(HALL) for name in ("integration", "work_orders"))
    assert [item["event"] for item in found["items"]] == [*theirs[:3], *own, theirs[3]]


def test_a_reader_can_recompute_the_hash_of_what_it_got(hall: Told) -> None:
    for item in hall.feed()["items"]:
        envelope = orjson.loads(item["event"])

        hash_ = envelope.pop("hash")

        assert chained(envelope["prevhash"], canonical(envelope)) == hash_


def test_each_facility_has_numbers_of_its_own(hall: Told) -> None:
    hall.tell(2, facility="hall-2")
    hall.tell(1)
    hall.follow()

    assert [item["number"] for item in hall.feed(facility="hall-2")["items"]] == [1, 2]
    assert hall.feed()["head"] == 5


def test_a_page_ends_where_it_is_full_and_the_next_one_goes_on_there(hall: Told) -> None:
    first = hall.feed(limit=3)
    second = hall.feed(limit=3, after=first["next"])
    third = hall.feed(limit=3, after=second["next"])

    assert [len(one["items"]) for one in (first, second, third)] == [3, 1, 0]
    assert [one["next"] for one in (first, second, third)] == [3, 4, 4]


def test_a_page_of_long_events_is_shorter_and_the_next_one_goes_on_there(
    hall: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    length = len(hall.feed(limit=1)["items"][0]["event"])
    monkeypatch.setattr("services.integration.outbound.feed.MOST_BYTES", 2 * length + 10)

    first = hall.feed()
    second = hall.feed(after=first["next"])

    assert [item["number"] for item in first["items"]] == [1, 2]
    assert second["items"][0]["number"] == 3


def test_filters_are_the_readers_own_and_next_passes_over_what_they_leave_out(hall: Told) -> None:
    by_type = hall.feed(types="integration.webhook_subscribed, work_orders.work_started.v1")
    by_source = hall.feed(sources="work_orders", limit=2)
    nothing = hall.feed(types="work_orders.work_started", after=1)

    assert [item["number"] for item in by_type["items"]] == [4]
    assert [item["number"] for item in by_source["items"]] == [1, 2]
    assert by_source["next"] == 2
    assert (nothing["items"], nothing["next"]) == ([], 4)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"types": "work_orders.work_dreamt"}, Invalid, "types: expected types of events"),
    ({"types": "access.signed_in.v1"}, Invalid, "types: expected types of events"),
    ({"sources": "access"}, Invalid, "sources: expected of asset_registry"),
    ({"after": 5}, Invalid, "after: expected a number from 0 to 4"),
    ({"limit": 1001}, Invalid, "limit: expected 1 to 1000"),
    ({"facility": None}, Invalid, "facility: missing"),
    ({"facility": "nowhere"}, NotFound, "no facility nowhere"),
]


def test_what_cannot_be_asked_is_refused(hall: Told, subtests: pytest.Subtests) -> None:
    for asked, fault, what in WRONG:
        with subtests.test(what), pytest.raises(fault, match=what):
            hall.feed(**asked)

    with pytest.raises(Forbidden, match="a role in hall-1"):
        hall.service.feed(["hall-2"], HALL)


def test_what_integration_hears_of_itself_is_numbered_and_not_folded_twice(hall: Told) -> None:
    hall.ask("pause_webhook", webhook_id="w-1")
    hall.follow()

    assert [row.status for row in hall.database.rows(select(webhooks))] == ["paused"]
    assert [event["type"] for _, event in hall.numbered()][-2:] == [
        "integration.webhook_subscribed.v1",
        "integration.webhook_paused.v1",
    ]


def test_readers_of_several_sources_give_each_number_once(postgres_url: str) -> None:
    here = Told({name: url for name, url in urls_of(postgres_url).items() if name in ("work_orders", "integration")})
    here.tell(60)
    for number in range(40):
        here.subscribe("http://127.0.0.1:9/", webhook_id=f"w-{number}")

    readers = [here.reader(source) for source in ("work_orders", "integration")]
    following = [
        eventlet.spawn(reader.receive, HALL, reader._page(HALL, 0)[:number])
        for number in (5, 17, 40, 60)
        for reader in (*readers, *(here.reader(source) for source in ("work_orders", "integration")))
    ]
    for one in following:
        one.wait()
    here.follow()

    rows = here.database.rows(select(feed).order_by(feed.c.number))
    here.close()
    assert [row.number for row in rows] == list(range(1, 101))
    for source, events in (("work_orders", 60), ("integration", 40)):
        assert [row.position for row in rows if row.source == source] == list(range(1, events + 1))


def test_a_number_is_given_with_the_checkpoint_or_not_at_all(hall: Told) -> None:
    hall.tell(2)
    reader = hall.reader("work_orders")
    failing = [*reader.handlers]
    failing.append(type(failing[0])(lambda do, recorded: 1 / 0, ()))  # type: ignore[arg-type]  # breaks off
    reader.handlers = failing

    reader.catch_up(hall.ledgers["work_orders"].tips())

    assert hall.feed()["head"] == 4
    hall.follow()
    assert [item["number"] for item in hall.feed()["items"]] == [1, 2, 3, 4, 5, 6]
    assert hall.database.rows(select(feed_heads.c.number))[0].number == 6
