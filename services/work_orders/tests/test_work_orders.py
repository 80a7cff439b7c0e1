"""The commands, reactions and views of work orders on their ledger, on both databases."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.work_orders.mending import corrective_of
from services.work_orders.service import work_order_of
from services.work_orders.tests.given import assets
from shared.contracts.scheduling import OccurrenceScheduled, OccurrenceWithdrawn
from shared.contracts.work_orders import (
    CostRecorded,
    IncidentConfirmed,
    PointsInspected,
    WorkOrderCancelled,
    WorkOrderOpened,
    WorkPerformed,
    WorkRequested,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.tests.alone import Alone
from shared.tests.given import assert_chain

NOW = "2021-03-09T12:00:00+08:00"
VISIT = "hvac:2021-03:1"
ORDER = f"wo:{VISIT}"
ids = st.text("AZaz09._:-", min_size=1, max_size=80)


@pytest.fixture
def office(service: Alone) -> Iterator[Alone]:
    """A hall of its own, with an air conditioner of two points to which one visit is scheduled."""
    service.new_hall()
    assets(service)
    schedule(service)
    yield service
    assert_chain(service.ledger, service.hall)


def schedule(
    office: Alone, occurrence_id: str = VISIT, activity: Any = "inspection", assignee: str | None = None
) -> None:
    """A visit is scheduled, and that is heard."""
    visit = OccurrenceScheduled(
        occurrence_id=occurrence_id,
        plan_item_id="hvac",
        system_id="hvac",
        activity=activity,
        period="2021-03",
        window_start=date(2021, 3, 1),
        window_end=date(2021, 3, 31),
        point_ids=("P-1", "P-2"),
        assignee=assignee,
    )
    office.tell(f"occurrence/{occurrence_id}", visit)
    office.follow()


def withdraw(office: Alone) -> None:
    """The visit is not due after all, and that is heard."""
    office.tell(f"occurrence/{VISIT}", OccurrenceWithdrawn(occurrence_id=VISIT, reason="停用"))
    office.follow()


def begin(office: Alone, order: str = ORDER) -> None:
    """Li begins to work."""
    office.ask("assign", work_order_id=order, assignee="user:li")
    office.ask("start", work_order_id=order, at=NOW, actor="user:li")


def inspect(office: Alone, *outcomes: tuple[str, str], order: str = ORDER, **more: Any) -> list[str]:
    """Li says what was found at points; the orders that this opened."""
    results = [{"point_id": point, "outcome": outcome, **more} for point, outcome in outcomes]
    opened: list[str] = office.ask("inspect", work_order_id=order, results=results, actor="user:li")["opened"]
    return opened


def perform(office: Alone, order: str = ORDER, actor: str = "user:li", **more: Any) -> Any:
    """Somebody says that it is done, and names what was left out."""
    left_out = office.service.round(office.hall, order)["unnamed"]
    done = {"performed_at": NOW, "omitted_point_ids": left_out, **more}
    return office.ask("perform", work_order_id=order, actor=actor, **done)


def shown(office: Alone, order: str = ORDER) -> dict[str, Any]:
    """The order as it is shown."""
    found: dict[str, Any] = office.service.work_order(office.hall, order)
    return found


def test_a_visit_opens_exactly_one_order(office: Alone) -> None:
    office.follow()
    office.follow()

    (opened,) = office.recorded(WorkOrderOpened)
    assert opened.event == WorkOrderOpened(
        work_order_id=ORDER,
        kind="inspection",
        occurrence_id=VISIT,
        system_id="hvac",
        point_ids=("P-1", "P-2"),
        priority="normal",
        due_at=datetime(2021, 4, 1, tzinfo=ZoneInfo("Asia/Shanghai")),
        window_start=date(2021, 3, 1),
        window_end=date(2021, 3, 31),
    )
    (cause,) = office.ledgers["scheduling"].stream(office.hall, f"occurrence/{VISIT}")
    assert (opened.causationid, opened.actor) == (cause.id, "service:work_orders")
    assert shown(office)["status"] == "opened"


@pytest.mark.parametrize(
    ("activity", "kind"), [("maintenance", "maintenance"), ("service", "service"), ("test", "maintenance")]
)
def test_an_order_is_of_the_kind_of_its_visit_and_a_test_by_others_is_maintenance(
    office: Alone, activity: str, kind: str
) -> None:
    schedule(office, "other:2021-03:1", activity)

    assert shown(office, "wo:other:2021-03:1")["kind"] == kind


def test_a_withdrawn_visit_cancels_its_order(office: Alone) -> None:
    begin(office)

    withdraw(office)

    assert office.events(WorkOrderCancelled) == [WorkOrderCancelled(work_order_id=ORDER, reason="停用")]
    assert shown(office)["status"] == "cancelled"


def test_a_visit_withdrawn_after_its_work_was_done_or_called_off_changes_nothing(office: Alone) -> None:
    office.ask("cancel", work_order_id=ORDER, reason="误开")
    before = office.events()

    withdraw(office)

    assert office.events() == before


def test_the_withdrawal_of_a_visit_that_opened_no_order_changes_nothing(office: Alone) -> None:
    office.tell("occurrence/x:2021-03:1", OccurrenceWithdrawn(occurrence_id="x:2021-03:1", reason="停用"))
    office.follow()

    assert [type(event) for event in office.events()] == [WorkOrderOpened]


def test_a_fault_opens_a_corrective_order_linked_to_the_one_that_found_it(office: Alone) -> None:
    begin(office)

    opened = inspect(office, ("P-1", "normal"), ("P-2", "fault"), note="漏水")

    order = shown(office, opened[0])
    assert opened == [corrective_of("P-2", 1)]
    assert (shown(office)["caused"], order["caused"]) == (opened, [])
    expected = ("corrective", "hvac", ["P-2"], ORDER, "漏水", None, "opened")
    members = ("kind", "system_id", "point_ids", "caused_by", "description", "occurrence_id", "status")
    assert tuple(order[name] for name in members) == expected
    inspected, corrective = office.recorded(PointsInspected, WorkOrderOpened)[-2:]
    assert (inspected.position + 1, inspected.causationid) == (corrective.position, corrective.causationid)


def test_a_fault_told_again_opens_no_second_order(office: Alone) -> None:
    begin(office)
    first = inspect(office, ("P-1", "fault"))

    results = [{"point_id": point, "outcome": "fault"} for point in ("P-1", "P-2")]
    again = office.ask("inspect", work_order_id=ORDER, results=results)

    assert first == [corrective_of("P-1", 1)]
    assert again == {"opened": [corrective_of("P-2", 1)], "known": first}


def test_a_fault_fixed_on_site_opens_no_order(office: Alone) -> None:
    begin(office)

    assert inspect(office, ("P-1", "fault"), fixed_on_site=True) == []


def test_a_fault_found_by_work_that_no_plan_asked_for_is_linked_too(office: Alone) -> None:
    office.ask(
        "open_work_order",
        work_order_id="manual",
        kind="emergency",
        system_id="hvac",
        point_ids=["P-1"],
        priority="urgent",
    )
    begin(office, "manual")

    (opened,) = inspect(office, ("P-1", "fault"), order="manual")

    assert shown(office, opened)["caused_by"] == "manual"


def test_the_longest_ids_make_ids_of_at_most_80_characters(office: Alone) -> None:
    longest = "i" * 60 + ":2021-03:31"
    schedule(office, longest)
    whole = work_order_of(longest)
    begin(office, whole)

    (opened,) = inspect(office, ("P-1", "fault"), order=whole)

    assert (len(whole), len(opened)) == (74, len("mend:P-1:") + 32)
    assert shown(office, opened)["caused_by"] == whole


@given(occurrence=ids, other=ids, number=st.integers(1, 99))
def test_derived_ids_are_ids_and_differ(occurrence: str, other: str, number: int) -> None:
    planned = {work_order_of(occurrence), work_order_of(other)}
    mending = {corrective_of(occurrence, number), corrective_of(other, number), corrective_of(other, number + 1)}

    assert all(0 < len(id_) <= 80 for id_ in planned | mending)
    assert (len(planned), len(mending)) == (1 + (occurrence != other), 2 + (occurrence != other))


def test_an_order_that_no_plan_asked_for_gets_an_id_or_has_one(office: Alone) -> None:
    asked: dict[str, Any] = {
        "kind": "corrective",
        "system_id": "hvac",
        "point_ids": [],
        "priority": "high",
        "due_at": NOW,
    }

    named = office.ask("open_work_order", work_order_id="mine", **asked)
    unnamed = office.ask("open_work_order", **asked)

    assert named == {"work_order_id": "mine"}
    assert shown(office, unnamed["work_order_id"])["due_at"] == NOW
    with pytest.raises(Rejected, match="open already"):
        office.ask("open_work_order", work_order_id="mine", **asked)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "inspection"}, "kind"),
        ({"work_order_id": "wo:hvac:2021-04:1"}, "work_order_id"),
        ({"work_order_id": "mend:P-1:x"}, "work_order_id"),
        ({"due_at": "2021-03-09T12:00:00"}, "due_at"),
        ({"description": " "}, "description"),
        ({"occurrence_id": VISIT}, "occurrence_id"),
    ],
)
def test_an_inspection_or_an_id_of_ours_is_not_opened_by_hand(office: Alone, wrong: Any, field: str) -> None:
    asked: dict[str, Any] = {"kind": "corrective", "system_id": "hvac", "point_ids": [], "priority": "high"}

    with pytest.raises(Invalid) as refused:
        office.ask("open_work_order", **{**asked, **wrong})

    assert list(refused.value.errors) == [field]


def test_the_caller_is_who_did_it_and_another_caller_judges_it(office: Alone) -> None:
    begin(office)
    perform(office, actor="user:wang")

    for doer in ("user:wang", "user:li"):
        with pytest.raises(Rejected, match="other than its doer"):
            office.ask("accept", work_order_id=ORDER, actor=doer)
    office.ask("return_work", work_order_id=ORDER, reason="字迹不清", actor="user:zhao")
    perform(office)
    office.ask("accept", work_order_id=ORDER, actor="user:zhao")
    office.ask("close", work_order_id=ORDER)

    performed = office.events(WorkPerformed)
    assert [(event.performed_by, event.occurrence_id, event.kind) for event in performed] == [
        ("user:wang", VISIT, "inspection"),
        ("user:li", VISIT, "inspection"),
    ]
    assert (shown(office)["status"], shown(office)["performed_at"]) == ("closed", NOW)


def test_work_rests_and_goes_on(office: Alone) -> None:
    begin(office)

    office.ask("hold", work_order_id=ORDER, at=NOW, reason="等配件")
    resting = shown(office)["status"]
    office.ask("resume", work_order_id=ORDER, at=NOW)

    assert (resting, shown(office)["status"]) == ("on_hold", "in_progress")


def test_what_is_said_of_an_order_that_is_not_there_is_not_found(office: Alone) -> None:
    named = {"work_order_id": "nowhere"}
    with pytest.raises(NotFound):
        office.ask("assign", **named, assignee="user:li")
    with pytest.raises(NotFound):
        office.ask("inspect", **named, results=[])
    with pytest.raises(NotFound):
        office.ask("record_replacement", **named, point_id="P-1", requested_on="2021-03-01", replaced_on="2021-03-02")
    with pytest.raises(NotFound):
        office.service.work_order(office.hall, "nowhere")
    with pytest.raises(NotFound):
        office.ask("reverse_cost", cost_id="nowhere", reason="误记")
    with pytest.raises(NotFound):
        office.ask("confirm_incident", **{**FOUND, "incident_id": "nowhere"})
    with pytest.raises(NotFound):
        office.ask("dismiss_incident", incident_id="nowhere", reason="非事故")
    with pytest.raises(NotFound):
        office.ask("reject_work_request", request_id="nowhere", reason="已修")

    assert len(office.events()) == 1


FOUND: dict[str, Any] = {
    "incident_id": "slip",
    "occurred_at": NOW,
    "harms": ["life"],
    "visitors_affected": True,
    "description": "滑倒",
}


def test_requests_costs_replacements_and_incidents_are_kept(office: Alone) -> None:
    office.ask("request_work", request_id="r", description="灯不亮", actor="user:li")
    office.ask("reject_work_request", request_id="r", reason="已修")
    cost = {"cost_id": "c", "amount": "120.50", "category": "other", "incurred_on": "2021-03-09"}
    office.ask("record_cost", **cost, work_order_id=ORDER)
    office.ask("reverse_cost", cost_id="c", reason="误记")
    replacement = {"point_id": "P-1", "requested_on": "2021-03-01", "replaced_on": "2021-03-09"}
    office.ask("record_replacement", work_order_id=ORDER, **replacement)
    report = {"incident_id": "slip", "occurred_at": NOW, "description": "滑倒"}
    office.ask("report_incident", **report, actor="user:li")
    office.ask("confirm_incident", **FOUND)
    office.ask("dismiss_incident", incident_id="slip", reason="非事故")

    (requested,), (booked,) = office.events(WorkRequested), office.events(CostRecorded)
    assert (requested.requested_by, str(booked.amount), booked.work_order_id) == ("user:li", "120.50", ORDER)
    assert office.events(IncidentConfirmed)[0].harms == ("life",)
    assert len(office.events()) == 9


def test_orders_are_shown_by_status_visit_and_system(office: Alone) -> None:
    begin(office)
    inspect(office, ("P-1", "fault"))
    listed = office.service.work_orders

    assert [one["work_order_id"] for one in listed(office.hall)["items"]] == [corrective_of("P-1", 1), ORDER]
    assert [one["kind"] for one in listed(office.hall, status="opened")["items"]] == ["corrective"]
    assert [one["results"] for one in listed(office.hall, occurrence_id=VISIT)["items"]] == [1]
    assert listed(office.hall, system_id="water") == listed("elsewhere") == {"items": [], "next": None}
