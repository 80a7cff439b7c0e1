"""The rules of work orders."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.work_orders.aggregate import Status, WorkOrder
from services.work_orders.clock_trust import Told
from services.work_orders.findings import Known
from shared.contracts.asset_registry import Nameplate
from shared.contracts.work_orders import (
    EquipmentReplaced,
    PointResult,
    PointsInspected,
    WorkAccepted,
    WorkHeld,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderOpened,
    WorkPerformed,
    WorkResumed,
    WorkReturned,
    WorkStarted,
)
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Event

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
SOON = NOON + timedelta(microseconds=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTHING = Known()
OPENED = WorkOrderOpened(
    work_order_id="wo",
    kind="inspection",
    occurrence_id="i:2021-03:1",
    system_id="hvac",
    point_ids=("P-1", "P-2"),
    priority="normal",
)
ASSIGNED = WorkOrderAssigned(work_order_id="wo", assignee="user:li")
STARTED = WorkStarted(work_order_id="wo", at=NOON)
HELD = WorkHeld(work_order_id="wo", at=NOON, reason="等配件")
RESUMED = WorkResumed(work_order_id="wo", at=NOON)
PERFORMED = WorkPerformed(
    work_order_id="wo",
    kind="inspection",
    occurrence_id="i:2021-03:1",
    system_id="hvac",
    performed_at=NOON,
    performed_by="user:li",
    omitted_point_ids=("P-1", "P-2"),
)
RETURNED = WorkReturned(
    work_order_id="wo", kind="inspection", system_id="hvac", returned_by="user:zhao", reason="字迹不清"
)
ACCEPTED = WorkAccepted(work_order_id="wo", kind="inspection", system_id="hvac", accepted_by="user:zhao")
CLOSED = WorkOrderClosed(work_order_id="wo")
CANCELLED = WorkOrderCancelled(work_order_id="wo", reason="停用")

IN_PROGRESS = (ASSIGNED, STARTED)
DONE = (*IN_PROGRESS, PERFORMED)


def work_order(*past: Event) -> WorkOrder:
    """An open order with a past."""
    return WorkOrder.replay("wo", [OPENED, *past])


def told(at: datetime = NOON, *, now: datetime = NOON, captured_at: datetime | None = None) -> Told:
    """When something happened, told at noon."""
    return Told(at=at, now=now, captured_at=captured_at)


def perform(order: WorkOrder, when: Told | None = None, *, omitted: tuple[str, ...] = ("P-1", "P-2")) -> None:
    """Li says that it is done, and names what was left out."""
    order.perform(when or told(), "user:li", omitted=omitted, zone=SHANGHAI)


def result(point: str, outcome: str = "normal") -> PointResult:
    """What was found at a point."""
    return PointResult(point_id=point, outcome=outcome)  # type: ignore[arg-type]  # one of the three


def test_an_order_is_opened_once() -> None:
    order = WorkOrder("wo")

    order.open(OPENED, NOON)

    assert order.new_events == [(OPENED, NOON)]
    with pytest.raises(Rejected, match="open already"):
        order.open(OPENED, NOON)


def test_work_goes_from_opening_to_closing_through_holds_and_a_return() -> None:
    order = WorkOrder("wo")

    order.open(OPENED, NOON)
    order.assign("user:wang", NOON)
    order.assign("user:li", NOON)
    order.start(NOON, NOON)
    order.hold(NOON, "等配件", NOON)
    order.resume(NOON, NOON)
    perform(order)
    order.return_work("user:zhao", "字迹不清", NOON)
    perform(order)
    order.accept("user:zhao", NOON)
    order.close(None, NOON)

    wang = WorkOrderAssigned(work_order_id="wo", assignee="user:wang")
    done_again = (PERFORMED, RETURNED, PERFORMED, ACCEPTED, CLOSED)
    expected = [OPENED, wang, ASSIGNED, STARTED, HELD, RESUMED, *done_again]
    assert [event for event, _ in order.new_events] == expected
    assert WorkOrder.replay("wo", expected).status is order.status is Status.CLOSED


@pytest.mark.parametrize("doer", ["user:li", "user:wang"])
def test_the_doer_cannot_accept_or_return_their_own_work(doer: str) -> None:
    by_wang = WorkPerformed(**{**vars(PERFORMED), "performed_by": "user:wang"})
    order = work_order(*IN_PROGRESS, by_wang)

    with pytest.raises(Rejected, match="other than its doer"):
        order.accept(doer, NOON)
    with pytest.raises(Rejected, match="other than its doer"):
        order.return_work(doer, "字迹不清", NOON)

    assert order.new_events == []


def test_who_did_it_before_it_was_returned_did_it_too() -> None:
    by_wang = WorkPerformed(**{**vars(PERFORMED), "performed_by": "user:wang"})
    order = work_order(*IN_PROGRESS, by_wang, RETURNED, PERFORMED)

    with pytest.raises(Rejected, match="other than its doer"):
        order.accept("user:wang", NOON)
    order.accept("user:zhao", NOON)

    assert order.new_events == [(ACCEPTED, NOON)]


def test_who_it_was_assigned_to_first_may_accept_what_another_did() -> None:
    order = work_order(WorkOrderAssigned(work_order_id="wo", assignee="user:zhao"), *DONE)

    order.accept("user:zhao", NOON)

    assert order.status is Status.ACCEPTED


def test_a_time_in_the_future_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^at: .* lies in the future"):
        work_order(ASSIGNED).start(SOON, NOON)
    with pytest.raises(Invalid, match=r"^at: .* lies in the future"):
        work_order(*IN_PROGRESS).hold(SOON, "等配件", NOON)
    with pytest.raises(Invalid, match=r"^at: .* lies in the future"):
        work_order(*IN_PROGRESS, HELD).resume(SOON, NOON)
    with pytest.raises(Invalid, match=r"^at: .* lies in the future"):
        work_order(*IN_PROGRESS).inspect((result("P-1"),), told(SOON), "user:li", NOTHING)
    with pytest.raises(Invalid, match=r"^performed_at: .* lies in the future"):
        perform(work_order(*IN_PROGRESS), told(SOON))


def test_work_is_dated_when_it_was_done_and_not_when_that_was_said() -> None:
    order, earlier = work_order(ASSIGNED), NOON - timedelta(days=3)
    order.start(earlier, NOON)

    order.perform(told(earlier, captured_at=NOON), "user:li", summary="无异常", omitted=("P-1", "P-2"))

    more = {"performed_at": earlier, "captured_at": NOON, "summary": "无异常"}
    assert order.new_events[1:] == [(WorkPerformed(**{**vars(PERFORMED), **more}), earlier)]


@pytest.mark.parametrize(
    ("step", "past"), [("hold", IN_PROGRESS), ("resume", (*IN_PROGRESS, HELD)), ("perform", IN_PROGRESS)]
)
def test_the_work_of_an_order_never_runs_backwards(step: str, past: tuple[Event, ...]) -> None:
    order, before = work_order(*past), NOON - timedelta(microseconds=1)
    steps = {
        "hold": lambda: order.hold(before, "等配件", NOON),
        "resume": lambda: order.resume(before, NOON),
        "perform": lambda: perform(order, told(before)),
    }

    with pytest.raises(Invalid, match="expected a time no earlier than 2021-03-09T04:00:00"):
        steps[step]()

    assert order.new_events == []


def test_work_that_was_returned_is_not_done_again_before_it_was_done() -> None:
    order = work_order(*DONE, RETURNED)

    with pytest.raises(Invalid, match="performed_at: expected a time no earlier"):
        perform(order, told(NOON - timedelta(seconds=1)))


def test_every_point_without_a_result_is_named_and_no_other() -> None:
    order = work_order(*IN_PROGRESS)
    order.inspect((result("P-2"),), told(), "user:li", NOTHING)

    wrong = {
        (): "point without a result: P-1$",
        ("P-2",): "point without a result: P-1, P-2 has a result",
        ("P-1", "P-2"): "P-2 has a result",
        ("P-1", "P-9"): "P-9 is not of this work order",
        ("P-1", "P-1"): "P-1 is twice",
    }
    for omitted, why in wrong.items():
        with pytest.raises(Invalid, match=f"^omitted_point_ids: expected every.*{why}"):
            perform(order, omitted=omitted)
    perform(order, omitted=("P-1",))

    (done,) = [event for event, _ in order.new_events if isinstance(event, WorkPerformed)]
    assert done.omitted_point_ids == ("P-1",)


def test_what_was_found_before_a_return_counts_after_it() -> None:
    order = work_order(*IN_PROGRESS)
    order.inspect((result("P-1"),), told(), "user:li", NOTHING)
    perform(order, omitted=("P-2",))
    order.return_work("user:zhao", "漏点", NOON)

    order.inspect((result("P-2"),), told(), "user:li", NOTHING)
    with pytest.raises(Invalid, match="omitted_point_ids: expected none, P-2 has a result"):
        perform(order, omitted=("P-2",))
    perform(order, omitted=())

    assert order.status is Status.PERFORMED


def test_only_an_inspection_leaves_points_out() -> None:
    order = WorkOrder.replay("wo", [replace(OPENED, kind="maintenance"), *IN_PROGRESS])

    with pytest.raises(Invalid, match="expected only of an inspection"):
        perform(order)
    perform(order, omitted=())

    assert order.status is Status.PERFORMED


def test_who_took_down_results_did_the_work_too() -> None:
    order = work_order(*IN_PROGRESS)
    order.inspect((result("P-1"), result("P-2")), told(), "user:wang", NOTHING)
    perform(order, omitted=())

    with pytest.raises(Rejected, match="other than its doer"):
        order.accept("user:wang", NOON)
    order.accept("user:zhao", NOON)

    assert order.status is Status.ACCEPTED


def test_results_are_told_in_parts_and_name_their_occurrence() -> None:
    order = work_order(*IN_PROGRESS)

    order.inspect((result("P-2", "fault"),), told(captured_at=NOON), "user:li", NOTHING)
    order.inspect((result("P-1"), result("P-2")), told(), "user:wang", NOTHING)

    found = [event for event, _ in order.new_events]
    assert found[0] == PointsInspected(
        work_order_id="wo",
        occurrence_id="i:2021-03:1",
        system_id="hvac",
        results=(result("P-2", "fault"),),
        captured_at=NOON,
        inspected_by="user:li",
    )
    assert len(found) == 2


def test_every_result_that_is_wrong_is_named() -> None:
    order = work_order(*IN_PROGRESS)

    with pytest.raises(Invalid) as refused:
        order.inspect(tuple(map(result, ("P-1", "P-9", "P-1", "P-9"))), told(captured_at=SOON), "user:li", NOTHING)
    with pytest.raises(Invalid) as nothing:
        order.inspect((), told(), "user:li", NOTHING)

    assert refused.value.errors == {
        "captured_at": ["2021-03-09T04:00:00.000001+00:00 lies in the future of 2021-03-09T04:00:00+00:00"],
        "results[1].point_id": ["P-9 is not of this work order"],
        "results[2].point_id": ["P-1 is twice"],
        "results[3].point_id": ["P-9 is not of this work order"],
    }
    assert list(nothing.value.errors) == ["results"]
    assert order.new_events == []


@pytest.mark.parametrize("past", [(), (ASSIGNED,), (*IN_PROGRESS, HELD), DONE, (*DONE, ACCEPTED), (CANCELLED,)])
def test_points_are_inspected_only_while_work_is_in_progress(past: tuple[Event, ...]) -> None:
    order = work_order(*past)

    with pytest.raises(Rejected, match="cannot be inspected"):
        order.inspect((result("P-1"),), told(), "user:li", NOTHING)

    assert order.new_events == []


def test_equipment_at_a_point_of_the_order_is_replaced_whatever_its_state() -> None:
    order = work_order(*DONE, ACCEPTED, CLOSED)

    order.replace_equipment("P-1", date(2021, 3, 1), date(2021, 3, 9), NOON)

    replaced = EquipmentReplaced(
        work_order_id="wo", point_id="P-1", requested_on=date(2021, 3, 1), replaced_on=date(2021, 3, 9)
    )
    assert order.new_events == [(replaced, NOON)]


@pytest.mark.parametrize(
    ("point", "requested", "replaced", "why"),
    [
        ("P-9", "2021-03-01", "2021-03-09", "not of this work order"),
        ("P-1", "2021-03-09", "2021-03-08", "on or after requested_on"),
        ("P-1", "2021-03-09", "2021-03-10", "replaced_on 2021-03-10 lies in the future"),
    ],
)
def test_a_replacement_is_of_the_order_after_its_request_and_not_in_the_future(
    point: str, requested: str, replaced: str, why: str
) -> None:
    order = work_order(*IN_PROGRESS)

    with pytest.raises((Invalid, Rejected), match=why):
        order.replace_equipment(point, date.fromisoformat(requested), date.fromisoformat(replaced), NOON)

    assert order.new_events == []


def test_an_order_that_was_never_opened_is_not_found() -> None:
    order = WorkOrder("wo")

    with pytest.raises(NotFound, match="no work order wo"):
        order.assign("user:li", NOON)
    with pytest.raises(NotFound, match="no work order wo"):
        order.replace_equipment("P-1", date(2021, 3, 1), date(2021, 3, 9), NOON)


@pytest.mark.parametrize(
    ("nameplate", "field"),
    [
        (Nameplate(maker=" "), "nameplate.maker"),
        (Nameplate(installed_on=date(2021, 3, 9), warranty_until=date(2021, 3, 8)), "nameplate.warranty_until"),
        (Nameplate(installed_on=date(2021, 3, 11)), "nameplate.installed_on"),
    ],
)
def test_new_equipment_is_not_described_by_what_cannot_be(nameplate: Nameplate, field: str) -> None:
    order = work_order(*IN_PROGRESS)

    with pytest.raises((Invalid, Rejected), match=field):
        order.replace_equipment("P-1", date(2021, 3, 1), date(2021, 3, 9), NOON, nameplate=nameplate)

    assert order.new_events == []
