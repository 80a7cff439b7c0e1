"""The rules of plans."""

from datetime import UTC, date, datetime

import pytest

from services.scheduling.aggregate import LONGEST_ITEM_ID, Plan
from services.scheduling.tests.plans import item
from services.scheduling.workdays import is_workday
from shared.contracts.scheduling import PlanAdopted, PlanItem, PlanItemChanged, PlanItemWithdrawn
from shared.errors import Invalid, NotFound, Rejected

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
TODAY = date(2021, 3, 9)
MONTHLY = item("FREQ=MONTHLY;BYMONTHDAY=1")
ADOPTED = PlanAdopted(plan_id="p", year=2021, items=(MONTHLY,))


def changed(effective_on: str, **terms: object) -> PlanItemChanged:
    """The duty reads otherwise from a day on."""
    fields = {"plan_id": "p", "plan_item_id": "i", "reason": "改期", **terms}
    return PlanItemChanged(effective_on=date.fromisoformat(effective_on), **fields)  # type: ignore[arg-type]


def withdrawn(effective_on: str, plan_item_id: str = "i") -> PlanItemWithdrawn:
    """The duty ends on a day."""
    day = date.fromisoformat(effective_on)
    return PlanItemWithdrawn(plan_id="p", plan_item_id=plan_item_id, effective_on=day, reason="取消")


def starts(plan: Plan) -> list[str]:
    """The days on which the plan's windows open."""
    return [str(visit.window_start) for visit in plan.due(is_workday)]


def test_a_plan_is_adopted_once() -> None:
    plan = Plan("p")

    plan.adopt(2021, (MONTHLY,), NOON)

    assert plan.new_events == [(ADOPTED, NOON)]
    for known in (plan, Plan.replay("p", [ADOPTED])):
        with pytest.raises(Rejected, match="adopted already"):
            known.adopt(2021, (MONTHLY,), NOON)


@pytest.mark.parametrize(
    ("items", "faults"),
    [
        ((), {"items": "at least one"}),
        ((MONTHLY, MONTHLY), {"items[1].plan_item_id": "there twice"}),
        ((MONTHLY, item("hourly", plan_item_id="j")), {"items[1].rrule": "RFC 5545"}),
        ((item("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),), {"items[0].rrule": "names a day of 2021"}),
        ((item("FREQ=YEARLY;UNTIL=20201231"),), {"items[0].rrule": "names a day of 2021"}),
        ((item("FREQ=DAILY", plan_item_id="i" * (LONGEST_ITEM_ID + 1)),), {"items[0].plan_item_id": "at most 60"}),
        ((item("FREQ=X"), item("FREQ=Y", plan_item_id="j")), {"items[0].rrule": "FREQ", "items[1].rrule": "FREQ"}),
    ],
)
def test_every_fault_of_its_items_is_named(items: tuple[PlanItem, ...], faults: dict[str, str]) -> None:
    plan = Plan("p")

    with pytest.raises(Invalid) as refused:
        plan.adopt(2021, items, NOON)

    assert list(refused.value.errors) == list(faults)
    for field, expected in faults.items():
        assert expected in refused.value.errors[field][0]
    assert plan.new_events == []


def test_a_change_holds_from_its_day_on_and_what_it_leaves_out_stays() -> None:
    plan = Plan.replay("p", [PlanAdopted(plan_id="p", year=2021, items=(item("FREQ=MONTHLY", window_days=3),))])

    plan.change(changed("2021-11-01", workdays="move"), TODAY, NOON)
    plan.change(changed("2021-12-01", rrule="FREQ=MONTHLY;BYMONTHDAY=5"), TODAY, NOON)

    assert starts(plan)[8:] == ["2021-09-01", "2021-10-01", "2021-11-01", "2021-12-06"]
    assert {(visit.window_end - visit.window_start).days for visit in plan.due(is_workday)} == {1, 2}


def test_a_withdrawn_item_has_no_visits_from_its_day_on() -> None:
    plan = Plan.replay("p", [ADOPTED])

    plan.withdraw(withdrawn("2021-05-01"), TODAY, NOON)

    assert starts(plan) == ["2021-01-01", "2021-02-01", "2021-03-01", "2021-04-01"]


@pytest.mark.parametrize("day", ["2021-03-08", "2021-03-09", "2020-12-31"])
def test_a_plan_changes_only_from_tomorrow_on(day: str) -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Rejected, match="only the future"):
        plan.change(changed(day, workdays="skip"), TODAY, NOON)
    with pytest.raises(Rejected, match="only the future"):
        plan.withdraw(withdrawn(day), TODAY, NOON)

    assert plan.new_events == []


def test_changes_of_an_item_follow_each_other() -> None:
    plan = Plan.replay("p", [ADOPTED, changed("2021-06-01", workdays="skip")])

    for day in ("2021-05-01", "2021-06-01"):
        with pytest.raises(Rejected, match="the last change"):
            plan.change(changed(day, workdays="move"), TODAY, NOON)
        with pytest.raises(Rejected, match="the last change"):
            plan.withdraw(withdrawn(day), TODAY, NOON)

    assert plan.new_events == []


def test_a_plan_is_changed_for_its_whole_year_before_it_begins() -> None:
    for day in ("2020-12-11", "2021-01-01"):
        plan = Plan.replay("p", [ADOPTED])

        plan.change(changed(day, rrule="FREQ=YEARLY"), date(2020, 12, 10), NOON)

        assert starts(plan) == ["2021-01-01"]


def test_a_plan_is_not_changed_after_its_year() -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Invalid) as refused:
        plan.change(changed("2022-01-01", workdays="skip"), TODAY, NOON)

    assert list(refused.value.errors) == ["effective_on"]
    assert plan.new_events == []


def test_an_item_that_is_unknown_or_withdrawn_is_not_changed() -> None:
    plan = Plan.replay("p", [ADOPTED, withdrawn("2021-06-01")])

    with pytest.raises(NotFound, match="no item i in plan p"):
        plan.change(changed("2021-07-01", workdays="skip"), TODAY, NOON)
    with pytest.raises(NotFound, match="no item i in plan p"):
        plan.withdraw(withdrawn("2021-07-01"), TODAY, NOON)
    with pytest.raises(NotFound, match="no item j in plan p"):
        plan.withdraw(withdrawn("2021-07-01", "j"), TODAY, NOON)

    assert plan.new_events == []


@pytest.mark.parametrize("rrule", ["", "FREQ=HOURLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_change_to_a_rule_that_is_none_or_never_fires_is_refused(rrule: str) -> None:
    plan = Plan.replay("p", [ADOPTED])

    with pytest.raises(Invalid) as refused:
        plan.change(changed("2021-06-01", rrule=rrule), TODAY, NOON)

    assert list(refused.value.errors) == ["rrule"]
    assert plan.new_events == []


def test_replay_gives_the_same_visits_as_deciding() -> None:
    plan = Plan("p")
    plan.adopt(2021, (MONTHLY, item("FREQ=WEEKLY", "skip", plan_item_id="j")), NOON)
    plan.change(changed("2021-06-01", window_days=3, workdays="move"), TODAY, NOON)
    plan.withdraw(withdrawn("2021-09-01", "j"), TODAY, NOON)

    again = Plan.replay("p", [event for event, _ in plan.new_events])

    assert list(again.due(is_workday)) == list(plan.due(is_workday))
    assert again.version == 3
