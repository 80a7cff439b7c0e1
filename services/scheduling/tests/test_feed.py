"""The iCalendar feed, read back."""

from datetime import UTC, date, datetime
from typing import Any

from icalendar import Calendar

from services.scheduling.feed import feed

MARCH: dict[str, Any] = {
    "occurrence_id": "fire-shutters-inspection:2026-03:1",
    "name": "防火卷帘",
    "activity": "inspection",
    "period": "2026-03",
    "window_start": "2026-03-01",
    "window_end": "2026-03-31",
    "status": "planned",
    "excused": False,
    "changed_at": datetime(2026, 1, 20, 1, 2, 3, 456789, tzinfo=UTC),
}
TEST = {**MARCH, "occurrence_id": "elevators-test:2026-02:1", "activity": "test", "window_start": "2026-02-27"}


def events(*visits: dict[str, Any], simulated: bool = False) -> list[Any]:
    """The events of a feed."""
    return list(read(feed("hall", "大厅", visits, simulated=simulated)).walk("VEVENT"))


def read(body: bytes) -> Any:
    return Calendar.from_ical(body)


def test_a_visit_is_an_event_of_whole_days_whose_end_is_exclusive() -> None:
    (event,) = events(MARCH)

    assert event["UID"] == "fire-shutters-inspection:2026-03:1@hall.xunjian"
    assert event["SUMMARY"] == "防火卷帘 巡检 2026-03"
    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (date(2026, 3, 1), date(2026, 4, 1))
    assert event["DTSTART"].params["VALUE"] == event["DTEND"].params["VALUE"] == "DATE"
    assert (event["STATUS"], event["SEQUENCE"], event["TRANSP"]) == ("CONFIRMED", 0, "TRANSPARENT")


def test_it_is_stamped_with_the_moment_at_which_it_was_recorded() -> None:
    (event,) = events(MARCH)

    assert event.decoded("DTSTAMP") == datetime(2026, 1, 20, 1, 2, 3, tzinfo=UTC)


def test_a_visit_stays_one_event_from_expected_to_withdrawn() -> None:
    states = [events({**MARCH, "status": status})[0] for status in ("expected", "planned", "withdrawn")]

    assert len({event["UID"] for event in states}) == 1
    assert [(event["STATUS"], event["SEQUENCE"]) for event in states] == [
        ("TENTATIVE", 0),
        ("CONFIRMED", 0),
        ("CANCELLED", 1),
    ]


def test_it_has_a_name_a_version_and_what_made_it() -> None:
    calendar = read(feed("hall", "呈贡区政务服务中心", []))

    assert calendar["X-WR-CALNAME"] == "呈贡区政务服务中心"
    assert (calendar["VERSION"], calendar["PRODID"]) == ("2.0", "-//Xunjian//Scheduling//ZH")


def test_a_simulated_one_says_so_in_its_name_and_every_event() -> None:
    body = feed("hall", "大厅", [MARCH, TEST], simulated=True)

    assert read(body)["X-WR-CALNAME"] == "【模拟】大厅"
    assert all(event["SUMMARY"].startswith("【模拟】") for event in read(body).walk("VEVENT"))


def test_it_is_the_same_bytes_in_whatever_order_the_visits_come() -> None:
    body = feed("hall", "大厅", [MARCH, TEST])

    assert body == feed("hall", "大厅", [TEST, MARCH])
    assert [event["UID"].partition(":")[0] for event in events(MARCH, TEST)] == [
        "elevators-test",
        "fire-shutters-inspection",
    ]
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))


def test_an_excuse_is_said() -> None:
    (event,) = events({**MARCH, "status": "missed", "excused": True})

    assert event["DESCRIPTION"] == "漏检（已免责） fire-shutters-inspection:2026-03:1"
