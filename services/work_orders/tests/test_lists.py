"""Lists of work orders, the history of one, and many accepted at once."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from services.work_orders.tests.given import assets
from shared.contracts.scheduling import OccurrenceScheduled
from shared.contracts.work_orders import WorkAccepted
from shared.errors import Forbidden, Invalid, NotFound
from shared.tests.alone import Alone

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2021, 3, 9, 12, tzinfo=SHANGHAI)
NOW = "2021-03-09T12:00:00+08:00"


@pytest.fixture
def office(service: Alone) -> Iterator[Alone]:
    """A hall with a round of March, three orders that were opened an hour after each other, and Li."""
    service.new_hall()
    assets(service, "hvac")
    schedule(service)
    for hour, (id_, more) in enumerate(ORDERS.items(), start=9):
        service.set_time(datetime(2021, 3, 9, hour, tzinfo=SHANGHAI))
        asked = {"system_id": "hvac", "point_ids": [], "kind": "corrective", "priority": "normal", **more}
        service.ask("open_work_order", work_order_id=id_, **asked)
    service.set_time(NOON)
    yield service
    service.set_time(NOON)


ORDERS: dict[str, dict[str, Any]] = {
    "c": {"due_at": "2021-03-09T11:30:00+08:00", "point_ids": ["P-1"], "caused_by": "wo:hvac"},
    "a": {"due_at": "2021-03-09T04:00:00Z", "priority": "high"},
    "b": {"due_at": "2021-03-09T13:00:00+08:00", "kind": "emergency", "priority": "urgent"},
}


def schedule(office: Alone) -> None:
    """The round of March is scheduled, and that is heard."""
    visit = OccurrenceScheduled(
        occurrence_id="hvac",
        plan_item_id="hvac",
        system_id="hvac",
        activity="inspection",
        period="2021-03",
        window_start=date(2021, 3, 1),
        window_end=date(2021, 3, 31),
        point_ids=("P-1", "P-2"),
    )
    office.tell("occurrence/hvac", visit)
    office.follow()


def listed(office: Alone, **filters: Any) -> list[str]:
    """The ids of the orders that are found, in the order of the list."""
    return [row["work_order_id"] for row in office.service.work_orders(office.hall, **filters)["items"]]


def perform(office: Alone, *orders: str, doer: str = "user:li") -> None:
    """Somebody does these orders."""
    for order in orders:
        named = {"work_order_id": order, "actor": doer}
        office.ask("assign", work_order_id=order, assignee=doer)
        office.ask("start", **named, at=NOW)
        office.ask("perform", **named, performed_at=NOW)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["a", "b", "c", "wo:hvac"]),
        ({"kind": "corrective"}, ["a", "c"]),
        ({"kind": "corrective", "priority": "high"}, ["a"]),
        ({"system_id": "water"}, []),
        ({"occurrence_id": "hvac"}, ["wo:hvac"]),
        ({"caused_by": "wo:hvac"}, ["c"]),
        ({"point_id": "P-1"}, ["c", "wo:hvac"]),
        ({"point_id": "P-9"}, []),
        ({"due_before": NOW}, ["c"]),
        ({"due_before": "2021-03-09T04:00:00.000001Z"}, ["a", "c"]),
        ({"overdue": True}, ["a", "c"]),
        ({"overdue": False}, ["b", "wo:hvac"]),
        ({"status": "opened", "overdue": True, "sort": "due_at", "limit": 1}, ["c"]),
    ],
)
def test_orders_are_filtered(office: Alone, filters: dict[str, Any], expected: list[str]) -> None:
    assert listed(office, **filters) == expected


def test_what_is_done_is_not_overdue_and_is_found_by_who_did_it(office: Alone) -> None:
    perform(office, "a")

    assert listed(office, overdue=True) == ["c"]
    assert listed(office, assignee="user:li", status="performed") == ["a"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, ["a", "b", "c", "wo:hvac"]),
        ("-work_order_id", ["wo:hvac", "c", "b", "a"]),
        ("due_at", ["c", "a", "b", "wo:hvac"]),
        ("-due_at", ["wo:hvac", "b", "a", "c"]),
        ("opened_at", ["c", "a", "b", "wo:hvac"]),
    ],
)
def test_orders_are_sorted_and_come_in_pages(office: Alone, sort: str | None, expected: list[str]) -> None:
    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = office.service.work_orders(office.hall, sort=sort, cursor=cursor, limit=3)
        pages.append([row["work_order_id"] for row in page["items"]])
        cursor = page["next"]

    assert pages == [expected[:3], expected[3:]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"status": "done"}, "status"),
        ({"kind": "test"}, "kind"),
        ({"priority": "1"}, "priority"),
        ({"due_before": "tomorrow"}, "due_before"),
        ({"due_before": "2021-03-09T12:00:00"}, "due_before"),
        ({"sort": "label"}, "sort"),
        ({"limit": 0}, "limit"),
        ({"cursor": "?"}, "cursor"),
    ],
)
def test_what_cannot_be_listed_is_refused_by_name(office: Alone, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        listed(office, **wrong)

    assert list(refused.value.errors) == [field]


def test_a_row_says_when_it_is_due_as_that_was_told(office: Alone) -> None:
    row = office.service.work_order(office.hall, "a")

    assert (row["due_at"], row["opened_at"]) == ("2021-03-09T04:00:00+00:00", "2021-03-09T02:00:00.000000+00:00")
    assert "due_sort" not in row


def test_the_history_of_an_order_is_its_envelopes_as_recorded(office: Alone) -> None:
    perform(office, "a")

    history = office.service.history(office.hall, "a")

    assert [one["type"].split(".")[1] for one in history] == [
        "work_order_opened",
        "work_order_assigned",
        "work_started",
        "work_performed",
    ]
    ledger = [orjson.loads(text) for text in office.ledger.raw(office.hall)]
    assert history == [one for one in ledger if one["subject"] == "work-order/a"]
    assert all(one["hash"].startswith("sha256:") for one in history)
    with pytest.raises(NotFound):
        office.service.history(office.hall, "nowhere")


def test_many_orders_are_accepted_at_once(office: Alone) -> None:
    perform(office, "a", "b")

    office.ask("accept_many", work_order_ids=["a", "b"], actor="user:zhao")

    accepted = [one.work_order_id for one in office.events(WorkAccepted)]
    assert (accepted, listed(office, status="accepted")) == (["a", "b"], ["a", "b"])


def test_either_all_of_many_orders_are_accepted_or_none_and_each_refusal_is_named(office: Alone) -> None:
    perform(office, "a")
    perform(office, "b", doer="user:zhao")

    with pytest.raises(Invalid) as refused:
        office.ask("accept_many", work_order_ids=["a", "b", "c", "x", "a"], actor="user:zhao")
    with pytest.raises(Invalid) as nothing:
        office.ask("accept_many", work_order_ids=[], actor="user:zhao")

    assert refused.value.errors == {
        "work_order_ids[1]": ["b: work is accepted by someone other than its doer"],
        "work_order_ids[2]": ["c: opened work cannot be accepted: expected performed"],
        "work_order_ids[3]": [f"x: no work-order x in {office.hall}"],
        "work_order_ids[4]": ["a: accepted work cannot be accepted: expected performed"],
    }
    assert list(nothing.value.errors) == ["work_order_ids"]
    assert office.events(WorkAccepted) == []


@pytest.mark.parametrize(
    ("command", "data", "role"),
    [
        ("assign", {"work_order_id": "a", "assignee": "user:li"}, "inspector"),
        ("accept_many", {"work_order_ids": ["a"]}, "inspector"),
        ("cancel", {"work_order_id": "a"}, "inspector"),
        ("start", {"work_order_id": "a", "at": NOW}, "finance"),
        ("inspect", {"work_order_id": "a", "results": []}, "auditor"),
    ],
)
def test_a_role_does_only_what_is_its_own(office: Alone, command: str, data: dict[str, Any], role: str) -> None:
    with pytest.raises(Forbidden):
        office.ask(command, roles=[role], **data)
