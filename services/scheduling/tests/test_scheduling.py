"""Scheduling's commands, reactions and clock on its ledger and views, on both databases."""

from pathlib import Path
from typing import Any

import pytest

from services.scheduling.service import Scheduling
from services.scheduling.tests.office import MONTHLY, Office
from services.scheduling.tests.plans import item
from shared.contracts.scheduling import (
    OccurrenceExcused,
    OccurrenceMissed,
    OccurrenceOverdue,
    OccurrencePerformed,
    OccurrenceScheduled,
    PlanAdopted,
)
from shared.errors import Invalid, NotFound, Rejected, Unavailable
from shared.tests.alone import Source, alone


def test_visits_are_made_45_days_ahead_whether_or_not_the_last_was_done(office: Office) -> None:
    office.adopt(MONTHLY)
    at_first = office.made()

    made = {}
    for day in ("2021-01-14", "2021-01-15", "2021-02-14", "2021-02-15"):
        office.look(f"{day} 00:00")
        made[day] = office.made()[2:]

    assert at_first == ["hvac:2021-01:1", "hvac:2021-02:1"]
    assert made == {
        "2021-01-14": [],
        "2021-01-15": ["hvac:2021-03:1"],
        "2021-02-14": ["hvac:2021-03:1"],
        "2021-02-15": ["hvac:2021-03:1", "hvac:2021-04:1"],
    }
    assert {event.point_ids for event in office.alone.events(OccurrenceScheduled)} == {("P-1", "P-2")}


def test_looking_at_the_clock_again_changes_nothing(office: Office) -> None:
    office.adopt(MONTHLY)
    office.look("2021-03-15")
    before = office.alone.events()

    office.look()
    office.look()

    assert office.alone.events() == before


def test_after_months_of_downtime_all_is_caught_up_in_order_with_right_business_times(office: Office) -> None:
    office.adopt(MONTHLY)

    office.look("2021-04-03")

    assert office.made() == [f"hvac:2021-0{month}:1" for month in (1, 2, 3, 4, 5)]
    assert office.verdicts() == [
        ("overdue", "hvac:2021-01:1", "2021-02-01 00:00"),
        ("missed", "hvac:2021-01:1", "2021-02-06 00:00"),
        ("overdue", "hvac:2021-02:1", "2021-03-01 00:00"),
        ("missed", "hvac:2021-02:1", "2021-03-06 00:00"),
        ("overdue", "hvac:2021-03:1", "2021-04-01 00:00"),
    ]
    (missed, _) = office.alone.events(OccurrenceMissed)
    assert missed.closed_at.isoformat() == "2021-02-06T00:00:00+08:00"


def test_verdicts_of_many_visits_are_caught_up_in_the_order_of_time(office: Office) -> None:
    office.adopt(
        item("FREQ=WEEKLY", window_days=2, plan_item_id="a"), item("FREQ=WEEKLY", window_days=4, plan_item_id="b")
    )

    office.look("2021-03-01")

    times = [time for _, _, time in office.verdicts()]
    assert len(times) == 33
    assert times == sorted(times)


def test_a_year_that_is_over_when_its_plan_is_adopted_is_judged_at_the_next_look(office: Office) -> None:
    office.at("2022-02-01")
    office.adopt(MONTHLY)

    office.look()

    assert set(office.statuses().values()) == {"missed"}
    assert len(office.statuses()) == 12


def test_work_reported_in_its_window_is_performed_and_never_missed(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-31 23:59")
    office.perform("hvac:2021-01:1", "2021-01-31 23:30")

    office.look("2021-03-15")

    (performed,) = office.alone.recorded(OccurrencePerformed)
    assert (
        performed.causationid
        == office.alone.ledgers["work_orders"].stream(office.alone.hall, "work-order/wo:hvac:2021-01:1")[0].id
    )
    assert office.statuses()["hvac:2021-01:1"] == "performed"
    assert [visit for _, visit, _ in office.verdicts()] == 2 * ["hvac:2021-02:1"]


def test_work_of_overdue_visits_may_be_recorded_for_five_days(office: Office) -> None:
    office.adopt(MONTHLY)
    office.look("2021-02-01")
    office.at("2021-02-05 23:59")
    office.perform("hvac:2021-01:1", "2021-01-31 23:30")

    office.look("2021-02-20")

    assert office.statuses()["hvac:2021-01:1"] == "performed"
    assert office.verdicts() == [("overdue", "hvac:2021-01:1", "2021-02-01 00:00")]


@pytest.mark.parametrize(
    ("recorded_at", "performed_at"),
    [("2021-02-06", "2021-01-31 23:30"), ("2021-02-03", "2021-02-01 00:00"), ("2020-12-31", "2020-12-31 23:59")],
)
def test_work_outside_its_window_or_recorded_late_changes_nothing(
    office: Office, recorded_at: str, performed_at: str
) -> None:
    office.adopt(MONTHLY)
    office.at(recorded_at)
    office.perform("hvac:2021-01:1", performed_at)

    office.look("2021-02-20")

    assert office.alone.events(OccurrencePerformed) == []
    assert office.statuses()["hvac:2021-01:1"] == "missed"


def test_work_without_a_visit_or_for_an_unknown_one_is_passed_over(office: Office) -> None:
    office.adopt(MONTHLY)
    before = office.alone.events()

    office.give("somebody-elses:2021-01:1", "user:li")
    office.perform("somebody-elses:2021-01:1", "2020-12-19")
    office.alone.follow()

    assert office.alone.events() == before


def test_the_time_zone_of_the_facility_decides_what_day_it_is(office: Office) -> None:
    office.open("2021-02-01 07:59", timezone="UTC")
    office.adopt(MONTHLY)

    office.look()
    still = office.statuses()["hvac:2021-01:1"]
    office.look("2021-02-01 08:00")

    assert (still, office.statuses()["hvac:2021-01:1"]) == ("planned", "overdue")
    assert office.verdicts() == [("overdue", "hvac:2021-01:1", "2021-02-01 08:00")]


def test_points_retired_later_stay_due_in_what_was_scheduled(office: Office) -> None:
    office.adopt(MONTHLY)
    office.retire_points("P-1")
    office.add_points("P-3")

    office.look("2021-01-15")

    points = {event.occurrence_id: event.point_ids for event in office.alone.events(OccurrenceScheduled)}
    assert points == {
        "hvac:2021-01:1": ("P-1", "P-2"),
        "hvac:2021-02:1": ("P-1", "P-2"),
        "hvac:2021-03:1": ("P-2", "P-3"),
    }


def test_what_was_slept_through_is_made_with_the_points_of_then(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-20")
    office.retire_points("P-1")
    office.at("2021-02-20")
    office.add_points("P-3")

    office.look("2021-04-20")

    points = {event.occurrence_id: event.point_ids for event in office.alone.events(OccurrenceScheduled)}
    assert points == {
        "hvac:2021-01:1": ("P-1", "P-2"),
        "hvac:2021-02:1": ("P-1", "P-2"),
        "hvac:2021-03:1": ("P-1", "P-2"),
        "hvac:2021-04:1": ("P-2",),
        "hvac:2021-05:1": ("P-2", "P-3"),
        "hvac:2021-06:1": ("P-2", "P-3"),
    }


def test_a_decommissioned_system_gets_no_visits_for_windows_after_its_last_day(office: Office) -> None:
    office.adopt(item("FREQ=MONTHLY;BYMONTHDAY=1", plan_item_id="hvac", window_days=10))
    office.at("2021-01-10")
    office.decommission("2021-03-01")

    office.look("2021-06-01")

    assert office.made() == ["hvac:2021-01:1", "hvac:2021-02:1", "hvac:2021-03:1"]


def test_a_system_registered_anew_is_visited_again(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-10")
    office.decommission("2021-01-31")
    office.at("2021-04-20")
    office.register("2021-05-20")

    office.look("2021-05-20")

    assert office.made() == [f"hvac:2021-0{month}:1" for month in (1, 2, 5, 6, 7)]


def test_a_system_is_not_visited_in_windows_that_end_before_it_is_in_commission(office: Office) -> None:
    office.open("2020-12-20", since="2021-02-28")
    office.adopt(MONTHLY)

    office.look("2021-03-01")

    assert office.made() == ["hvac:2021-02:1", "hvac:2021-03:1", "hvac:2021-04:1"]


def test_a_plan_is_for_registered_systems_and_refused_whole(office: Office) -> None:
    unknown = item("FREQ=MONTHLY", plan_item_id="pumps", system_id="pumps")

    with pytest.raises(Invalid) as refused:
        office.adopt(MONTHLY, unknown)

    assert list(refused.value.errors) == ["items[1].system_id"]
    assert office.alone.events() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_days", 0),
        ("window_days", -3),
        ("workdays", "sometimes"),
        ("activity", "party"),
        ("assignee", "  "),
        ("rrule", "FREQ=DAILY;INTERVAL=0"),
        ("rrule", "FREQ=SECONDLY"),
        ("rrule", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        ("rrule", "FREQ=YEARLY;UNTIL=20201231"),
    ],
)
def test_a_duty_that_cannot_be_is_named_by_field_and_the_plan_refused_whole(
    office: Office, field: str, value: Any
) -> None:
    duty = {"plan_item_id": "hvac", "system_id": "hvac", "activity": "inspection", "rrule": "FREQ=MONTHLY"}
    items = [{**duty, "workdays": "ignore"}, {**duty, "workdays": "ignore", "plan_item_id": "bad", field: value}]

    with pytest.raises(Invalid) as refused:
        office.alone.ask("adopt_plan", plan_id="p", year=2021, items=items)

    assert list(refused.value.errors) == [f"items[1].{field}"]
    assert office.alone.events() == []


def test_no_plan_is_adopted_where_no_facility_is(office: Office) -> None:
    office.alone.hall = "nowhere"

    for items in ((), (MONTHLY,)):
        with pytest.raises(Invalid):
            office.adopt(*items)

    assert office.alone.events() == []


def test_a_duty_is_planned_once_a_year(office: Office) -> None:
    office.adopt(MONTHLY)

    with pytest.raises(Invalid) as refused:
        office.adopt(item("FREQ=WEEKLY", plan_item_id="new"), MONTHLY, plan_id="q")
    office.adopt(item("FREQ=YEARLY", plan_item_id="new"), plan_id="q")
    office.adopt(MONTHLY, plan_id="r", year=2022)

    assert refused.value.errors == {"items[1].plan_item_id": ["hvac is in plan p of 2021 already"]}
    assert office.made() == ["hvac:2021-01:1", "hvac:2021-02:1", "new:2021-01:1"]
    assert [
        (plan["plan_id"], plan["year"], plan["items"])
        for plan in office.alone.service.plans(office.alone.hall)["items"]
    ] == [
        ("p", 2021, 1),
        ("q", 2021, 1),
        ("r", 2022, 1),
    ]


def test_one_facility_whose_clock_cannot_be_looked_at_holds_no_other_back(sqlite_url: str, tmp_path: Path) -> None:
    with alone(Scheduling, sqlite_url, tmp_path) as service:
        office = Office(service).open("2020-12-20")
        office.alone.follow()
        unreadable = PlanAdopted(plan_id="p", year=2021, items=(item("nonsense"),))
        office.alone.tell("plan/p", unreadable)
        office.open("2020-12-20").adopt(MONTHLY)
        office.at("2021-04-10")

        with pytest.raises(ValueError, match="RRULE"):
            office.alone.service.on_clock()

        assert office.statuses()["hvac:2021-03:1"] == "missed"


def test_a_visit_is_excused_by_the_caller_and_shown_so(office: Office) -> None:
    office.adopt(MONTHLY)

    office.alone.ask("excuse_occurrence", occurrence_id="hvac:2021-01:1", reason="停电", actor="user:chen")
    office.alone.ask("excuse_occurrence", occurrence_id="hvac:2021-02:1", reason="遮挡", point_ids=["P-2"])

    (whole, some) = office.alone.events(OccurrenceExcused)
    assert (whole.approved_by, whole.point_ids, some.point_ids) == ("user:chen", None, ("P-2",))
    assert [(one["excused"], one["reason"]) for one in office.shown()] == [(True, "停电"), (False, None)]


def test_a_visit_is_withdrawn_unless_its_work_was_reported_even_this_moment(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-20")
    withdrawal = {"occurrence_id": "hvac:2021-01:1", "reason": "停用"}
    office.alone.ask("withdraw_occurrence", **{**withdrawal, "occurrence_id": "hvac:2021-02:1"})
    office.perform("hvac:2021-01:1", "2021-01-20")

    with pytest.raises(Rejected, match="performed"):
        office.alone.ask("withdraw_occurrence", **withdrawal)
    with pytest.raises(NotFound):
        office.alone.ask("withdraw_occurrence", **{**withdrawal, "occurrence_id": "hvac:2021-09:1"})

    standing = {"hvac:2021-01:1": "performed", "hvac:2021-02:1": "withdrawn", "hvac:2021-03:1": "planned"}
    assert office.statuses() == standing


def test_work_recorded_in_the_last_moment_counts_although_it_is_heard_after_midnight(office: Office) -> None:
    office.adopt(MONTHLY)
    office.at("2021-02-05 23:59:59.999999")
    office.perform("hvac:2021-01:1", "2021-01-31 23:59")
    office.at("2021-02-06 00:00")

    office.look()

    assert office.statuses()["hvac:2021-01:1"] == "performed"
    assert office.alone.events(OccurrenceMissed, OccurrenceOverdue) == []


def test_a_day_is_judged_only_if_it_was_over_before_all_work_was_heard(office: Office) -> None:
    office.adopt(MONTHLY)
    office.look("2021-02-05")
    office.at("2021-02-05 23:59:59")
    heard = office.alone.service.work_orders
    office.alone.service.work_orders = _WhileMidnightPasses(office, heard)

    try:
        office.look()
        just_after_midnight = office.statuses()["hvac:2021-01:1"]
        office.look()
    finally:
        office.alone.service.work_orders = heard

    assert (just_after_midnight, office.statuses()["hvac:2021-01:1"]) == ("overdue", "performed")
    assert office.alone.events(OccurrenceMissed) == []


class _WhileMidnightPasses:
    """Work orders that say how far they are, and then record work in the last moment of the day."""

    service, deadline = "work_orders", 5.0

    def __init__(self, office: Office, heard: Source) -> None:
        self.office, self.heard, self.passed = office, heard, False

    def call(self, method: str, **asked: Any) -> Any:
        """Answer what is asked."""
        answer = self.heard.call(method, **asked)
        if not self.passed:
            self.passed = True
            self.office.perform("hvac:2021-01:1", "2021-01-31 23:00")
            self.office.at("2021-02-06 00:00")
        return answer


@pytest.mark.parametrize("away", ["asset_registry", "work_orders"])
def test_nothing_is_judged_until_all_is_heard_that_was_recorded_during_downtime(office: Office, away: str) -> None:
    office.adopt(MONTHLY)
    office.at("2021-01-20")
    office.perform("hvac:2021-01:1", "2021-01-19")
    office.at("2021-04-01")
    there = getattr(office.alone.service, away)
    setattr(office.alone.service, away, _Away(away))

    try:
        with pytest.raises(Unavailable):
            office.look()
        meanwhile = office.alone.events(OccurrenceMissed)
    finally:
        setattr(office.alone.service, away, there)
    office.look()

    assert meanwhile == []
    assert office.statuses()["hvac:2021-01:1"] == "performed"
    assert office.statuses()["hvac:2021-02:1"] == "missed"


class _Away:
    """A service that cannot be reached."""

    deadline = 5.0

    def __init__(self, service: str) -> None:
        self.service = service

    def call(self, method: str, **_: Any) -> Any:
        """Answer nothing."""
        raise Unavailable(f"{self.service} is away")


def test_a_year_in_which_the_zone_kept_local_mean_time_is_looked_at_all_the_same(office: Office) -> None:
    """Shanghai was at +08:05:43 until 1901, an offset that RFC 3339 cannot say."""
    office.register("1900-01-01", "hvac-2")
    office.adopt(item("FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1", system_id="hvac-2", plan_item_id="old"), year=1900)

    office.look("2020-12-21")

    (missed,) = office.alone.recorded(OccurrenceMissed)
    assert missed.event.data()["closed_at"].endswith("+00:00")
