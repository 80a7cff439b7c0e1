"""What is due and not done is told of by the clock: to a supervisor, then to a manager, each once."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.work_orders.aggregate import WorkOrder
from services.work_orders.levels import DEFAULT
from shared.contracts.scheduling import OccurrenceScheduled, WorkdayCalendarAdopted
from shared.contracts.work_orders import (
    ServiceLevelsAdopted,
    WorkAccepted,
    WorkHeld,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderClosed,
    WorkOrderEscalated,
    WorkOrderOpened,
    WorkPerformed,
    WorkResumed,
    WorkReturned,
    WorkStarted,
)
from shared.errors import Forbidden, Invalid
from shared.tests.alone import Alone

KUNMING = ZoneInfo("Asia/Shanghai")
DUE = datetime(2021, 3, 9, 3, tzinfo=UTC)
AGAIN = datetime(2021, 3, 9, 6, tzinfo=UTC)
TICK = timedelta(microseconds=1)
OPENED = WorkOrderOpened(
    work_order_id="w",
    kind="corrective",
    system_id="hvac",
    point_ids=(),
    priority="urgent",
    due_at=DUE,
    escalates_at=AGAIN,
)
ASSIGNED = WorkOrderAssigned(work_order_id="w", assignee="user:li")
STARTED = WorkStarted(work_order_id="w", at=DUE - timedelta(hours=1))
HELD = WorkHeld(work_order_id="w", at=DUE - timedelta(hours=1), reason="等配件")
PERFORMED = WorkPerformed(
    work_order_id="w", kind="corrective", system_id="hvac", performed_at=DUE + TICK, performed_by="user:li"
)
ACCEPTED = WorkAccepted(work_order_id="w", kind="corrective", system_id="hvac", accepted_by="user:zhao")
RETURNED = WorkReturned(work_order_id="w", kind="corrective", system_id="hvac", returned_by="user:zhao", reason="未修")
CLOSED = WorkOrderClosed(work_order_id="w")
CANCELLED = WorkOrderCancelled(work_order_id="w")
FIRST = WorkOrderEscalated(work_order_id="w", level=1, to="supervisor", due_at=DUE)
SECOND = WorkOrderEscalated(work_order_id="w", level=2, to="manager", due_at=DUE)


@pytest.mark.parametrize(
    "past",
    [
        [],
        [ASSIGNED],
        [ASSIGNED, STARTED],
        [ASSIGNED, STARTED, HELD],
        [ASSIGNED, STARTED, HELD, WorkResumed(work_order_id="w", at=DUE)],
        [ASSIGNED, STARTED, PERFORMED, RETURNED],
    ],
)
def test_unfinished_work_is_escalated_to_a_supervisor_then_to_a_manager_each_once(past: Any) -> None:
    order = WorkOrder.replay("w", [OPENED, *past])

    for now in (DUE - TICK, DUE, AGAIN - TICK, AGAIN, AGAIN + timedelta(days=400)):
        order.escalate(now)

    assert order.new_events == [(FIRST, DUE), (SECOND, AGAIN)]


def test_after_downtime_both_are_told_of_in_order_as_of_when_they_became_true() -> None:
    order = WorkOrder.replay("w", [OPENED])

    order.escalate(AGAIN + timedelta(days=3))

    assert order.new_events == [(FIRST, DUE), (SECOND, AGAIN)]


@pytest.mark.parametrize(
    "past",
    [
        [ASSIGNED, STARTED, PERFORMED],
        [ASSIGNED, STARTED, PERFORMED, ACCEPTED],
        [ASSIGNED, STARTED, PERFORMED, ACCEPTED, CLOSED],
        [CANCELLED],
        [FIRST, CANCELLED],
    ],
)
def test_work_that_is_finished_by_the_time_somebody_looks_is_not_escalated(past: Any) -> None:
    order = WorkOrder.replay("w", [OPENED, *past])

    order.escalate(AGAIN + timedelta(days=3))

    assert order.new_events == []


def test_planned_work_and_work_without_a_due_time_are_not_escalated() -> None:
    different: list[dict[str, Any]] = [{"occurrence_id": "hvac:2021-03:1"}, {"due_at": None, "escalates_at": None}]
    for more in different:
        order = WorkOrder.replay("w", [WorkOrderOpened(**{**vars(OPENED), **more})])

        order.escalate(AGAIN)

        assert order.new_events == []


@settings(max_examples=50)
@given(st.lists(st.integers(-100, 500), max_size=6).map(sorted))
def test_however_often_the_clock_is_looked_at_the_same_is_told(minutes: list[int]) -> None:
    often, once = (WorkOrder.replay("w", [OPENED]) for _ in range(2))

    for minute in minutes:
        often.escalate(DUE + timedelta(minutes=minute))
    if minutes:
        once.escalate(DUE + timedelta(minutes=minutes[-1]))

    assert often.new_events == once.new_events


def opened(desk: Alone, **more: Any) -> WorkOrderOpened:
    """An order for corrective work, opened by hand, as it stands in the ledger."""
    asked: dict[str, Any] = {"kind": "corrective", "system_id": "hvac", "point_ids": ["P-1"], "priority": "urgent"}
    id_ = desk.ask("open_work_order", **{**asked, **more})["work_order_id"]
    (found,) = (event for event in desk.events(WorkOrderOpened) if event.work_order_id == id_)
    assert isinstance(found, WorkOrderOpened)
    return found


def local(moment: datetime | None) -> str:
    """Kunming's time."""
    assert moment
    return f"{moment.astimezone(KUNMING):%m-%d %H:%M}"


def look(desk: Alone, words: str) -> list[tuple[str, int, str]]:
    """Move the clock on; every escalation until then."""
    desk.service.set_clock(words)
    found = [
        (one.event.work_order_id, one.event.level, local(one.time))
        for one in desk.recorded(WorkOrderEscalated)
        if isinstance(one.event, WorkOrderEscalated)
    ]
    assert {one.actor for one in desk.recorded(WorkOrderEscalated)} <= {"service:work_orders"}
    return found


def test_the_clock_escalates_what_is_late_in_the_order_in_which_it_became_late(desk: Alone) -> None:
    opened(desk, work_order_id="b")
    opened(desk, work_order_id="a", priority="high")
    opened(desk, work_order_id="c")
    desk.ask("cancel", work_order_id="c")

    before, at_due = look(desk, "2021-03-09T10:59:59+08:00"), look(desk, "2021-03-09T11:00:00+08:00")
    after_downtime = look(desk, "2021-03-31T09:00:00+08:00")

    assert (before, at_due) == ([], [("b", 1, "03-09 11:00")])
    assert after_downtime == [*at_due, ("b", 2, "03-09 14:00"), ("a", 1, "03-10 10:00"), ("a", 2, "03-11 11:00")]
    assert look(desk, "2021-04-30T09:00:00+08:00") == after_downtime
    shown = {id_: desk.service.work_order(desk.hall, id_)["escalated"] for id_ in "abc"}
    assert shown == {"a": 2, "b": 2, "c": 0}
    times = [one.time for one in desk.recorded(WorkOrderEscalated)]
    assert all(one <= other for one, other in pairwise(times))


def test_a_planned_visit_is_judged_by_its_window_and_never_escalated(desk: Alone) -> None:
    visit = OccurrenceScheduled(
        occurrence_id="hvac:2021-03:1",
        plan_item_id="hvac",
        system_id="hvac",
        activity="inspection",
        period="2021-03",
        window_start=date(2021, 3, 1),
        window_end=date(2021, 3, 31),
        point_ids=("P-1",),
    )
    desk.tell("occurrence/hvac:2021-03:1", visit)
    desk.follow()

    assert look(desk, "2021-06-30T09:00:00+08:00") == []


def test_an_order_is_due_by_our_default_levels_until_the_office_adopts_its_own(desk: Alone) -> None:
    first, default = opened(desk), desk.service.service_levels(desk.hall)
    shifts = [{"opens": "08:00", "closes": "20:00"}]

    desk.ask("adopt_service_levels", low=50, normal=20, high=10, urgent=1, shifts=shifts, roles=["manager"])

    own = desk.service.service_levels(desk.hall)
    assert (default.pop("source"), default) == ("default", DEFAULT.data())
    assert own == {"low": 50, "normal": 20, "high": 10, "urgent": 1, "shifts": shifts, "source": "adopted"}
    assert (local(first.due_at), local(opened(desk).due_at)) == ("03-09 11:00", "03-09 10:00")


def test_levels_that_cannot_be_are_refused_and_only_leaders_of_the_office_adopt_them(desk: Alone) -> None:
    asked: dict[str, Any] = {"low": 8, "normal": 4, "high": 2, "urgent": 1}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"urgent": 0}, "urgent"),
        ({"shifts": []}, "shifts"),
        ({"low": -1}, "low"),
        ({"low": None}, "low"),
    ]
    for change, field in wrong:
        with pytest.raises(Invalid) as refused:
            desk.ask("adopt_service_levels", **{**asked, "shifts": [{"opens": "08:00", "closes": "20:00"}], **change})
        assert list(refused.value.errors) == [field]

    with pytest.raises(Forbidden):
        desk.ask("adopt_service_levels", **asked, shifts=[], roles=["supervisor"])
    assert desk.events(ServiceLevelsAdopted) == []


def test_working_hours_are_counted_by_the_workdays_that_scheduling_knows(desk: Alone) -> None:
    desk.set_time(datetime(2021, 9, 30, 16, tzinfo=KUNMING))
    unknown = opened(desk)
    holidays = tuple(date(2021, 10, day) for day in (1, 4, 5, 6, 7))
    for source, days in (("draft", ()), ("notice", holidays)):
        calendar = WorkdayCalendarAdopted(
            year=2021, source=source, holidays=days, make_up_workdays=(date(2021, 10, 9),)
        )
        desk.tell("workday-calendar/2021", calendar)
    desk.follow()

    known = opened(desk)

    assert (local(unknown.due_at), unknown.due_basis) == ("10-01 10:00", "weekdays")
    assert (local(known.due_at), known.due_basis) == ("10-08 10:00", "workdays")
    assert local(known.escalates_at) == "10-08 12:00"
    assert desk.service.work_order(desk.hall, known.work_order_id)["due_basis"] == "workdays"


def test_an_emergency_is_due_around_the_clock(desk: Alone) -> None:
    desk.set_time(datetime(2021, 3, 13, 23, tzinfo=KUNMING))

    order = opened(desk, kind="emergency")

    assert (local(order.due_at), local(order.escalates_at)) == ("03-14 01:00", "03-14 03:00")
    assert desk.service.work_order(desk.hall, order.work_order_id)["due_basis"] == "around_the_clock"


def test_a_due_time_that_somebody_sets_holds_unless_it_lies_before_the_opening(desk: Alone) -> None:
    with pytest.raises(Invalid) as refused:
        opened(desk, due_at="2021-03-09T08:59:59+08:00")

    order = opened(desk, due_at="2021-03-20T12:00:00+08:00")

    assert list(refused.value.errors) == ["due_at"]
    assert (local(order.due_at), local(order.escalates_at)) == ("03-20 12:00", "03-22 11:00")


def test_the_order_that_mends_a_fault_has_a_due_time_too(desk: Alone) -> None:
    id_ = opened(desk, kind="maintenance").work_order_id
    desk.ask("assign", work_order_id=id_, assignee="user:li")
    desk.ask("start", work_order_id=id_, at="2021-03-09T09:00:00+08:00")
    desk.ask("inspect", work_order_id=id_, results=[{"point_id": "P-1", "outcome": "fault", "note": "漏水"}])

    mends = desk.events(WorkOrderOpened)[-1]

    assert (mends.kind, mends.caused_by, local(mends.due_at)) == ("corrective", id_, "03-10 10:00")
