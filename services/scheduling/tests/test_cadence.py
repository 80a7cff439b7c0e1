"""What a plan is warned about: the seed's own plan of nothing, a thinner one of what it lacks."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
import yaml

from services.scheduling.cadence import InYear, Nominal, below_minimum, in_year
from services.scheduling.tests.plans import item
from shared.contracts.scheduling import PlanItem
from shared.rrule import days

PROJECT = Path(__file__).parents[3] / "projects" / "chenggong-2021"
MONTHLY = "FREQ=MONTHLY;BYMONTHDAY=1"
ALL_BUT_JULY = "FREQ=MONTHLY;BYMONTH=1,2,3,4,5,6,8,9,10,11,12;BYMONTHDAY=1"


def system(system_id: str, category: str = "any", since: str = "2020-05-01", until: str | None = None) -> InYear:
    """A system in 2021."""
    row = {"system_id": system_id, "name": "名", "category": category}
    found = in_year(2021, {**row, "commissioned_on": since, "decommissioned_on": until})
    assert found is not None
    return found


def planned(*items: PlanItem) -> list[Nominal]:
    """The nominal days of duties in 2021."""
    return [(day, one) for one in items for day in days(one.rrule, 2021)]


def inspection(rrule: str, system_id: str = "hvac", plan_item_id: str = "i") -> PlanItem:
    return item(rrule, system_id=system_id, plan_item_id=plan_item_id)


def maintenance(rrule: str, plan_item_id: str = "m") -> PlanItem:
    return item(rrule, system_id="elevators", plan_item_id=plan_item_id, activity="maintenance")


TEST = item("FREQ=YEARLY;BYMONTH=9", system_id="elevators", plan_item_id="t", activity="test")


def of_systems(warnings: Iterable[dict[str, str]]) -> list[str]:
    """The messages that are about a system."""
    return [warning["message"] for warning in warnings if "system_id" in warning]


def test_the_plan_of_the_seed_is_below_no_minimum() -> None:
    systems = yaml.safe_load((PROJECT / "systems.yaml").read_text())["systems"]
    items = yaml.safe_load((PROJECT / "plan.yaml").read_text())["items"]
    duties = [
        item(one["rrule"], **{name: one[name] for name in ("system_id", "plan_item_id", "activity")}) for one in items
    ]

    warnings = below_minimum(planned(*duties), [system(one["system_id"], one["category"]) for one in systems])

    assert warnings == []


def test_a_month_without_inspection_is_named_with_the_words_of_the_standard() -> None:
    (warning,) = below_minimum(
        planned(inspection(ALL_BUT_JULY), inspection(MONTHLY, "other", "o")), [system("hvac"), system("other")]
    )

    assert warning == {
        "code": "below_minimum",
        "message": "名 (hvac): no inspection is planned in 2021-07; inspection is planned on 11 days, "
        "at least 12 a year are asked (1年不低于12次)",
        "system_id": "hvac",
        "plan_item_id": "i",
    }


def test_several_duties_of_a_system_are_seen_together() -> None:
    duties = inspection(ALL_BUT_JULY), inspection("FREQ=YEARLY;BYMONTH=7", plan_item_id="j")

    assert below_minimum(planned(*duties), [system("hvac")]) == []


def test_a_fire_system_that_no_inspection_covers_is_named_by_its_category() -> None:
    (message,) = of_systems(below_minimum([], [system("hose-reels", "fire-safety")]))

    assert message.startswith("名 (hose-reels): no inspection is planned (每月对大厅灭火、空调")


def test_a_system_without_a_standard_is_never_warned_about() -> None:
    assert (
        of_systems(below_minimum([], [system("parking", "service"), system("fire-maintenance", "fire-safety")])) == []
    )


def test_a_month_in_which_nothing_at_all_is_inspected_is_a_warning_of_the_hall() -> None:
    (warning,) = below_minimum(planned(inspection(ALL_BUT_JULY, "boiler")), [system("boiler")])

    assert warning == {
        "code": "below_minimum",
        "message": "no inspection of any system is planned in 2021-07 (每月进行不低于一次安全检查)",
    }


@pytest.mark.parametrize(
    ("rrule", "gaps"),
    [
        ("FREQ=DAILY;INTERVAL=15", None),
        ("FREQ=WEEKLY;BYDAY=MO", None),
        ("FREQ=MONTHLY;BYMONTHDAY=1,16", "2021-01-16 to 2021-02-01"),
        ("FREQ=DAILY;INTERVAL=15;UNTIL=20211201", "2021-11-27 to 2022-01-01"),
        ("FREQ=WEEKLY;BYMONTH=2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO", "2020-12-31 to 2021-02-01"),
    ],
)
def test_elevators_are_maintained_at_least_every_15_days(rrule: str, gaps: str | None) -> None:
    messages = of_systems(below_minimum(planned(maintenance(rrule), TEST), [system("elevators")]))

    expected = f"名 (elevators): more than 15 days without maintenance: {gaps}" if gaps else None
    assert [message.removesuffix(" (TSG T5002)").partition(", ")[0] for message in messages] == (
        [expected] if expected else []
    )


def test_two_duties_of_a_month_each_leave_no_gap_together() -> None:
    duties = maintenance(MONTHLY), maintenance("FREQ=MONTHLY;BYMONTHDAY=15,29", "n"), TEST

    assert below_minimum(planned(*duties), [system("elevators")])[1:] == []
    assert len(of_systems(below_minimum(planned(*duties[1:]), [system("elevators")]))) == 1


def test_lifts_of_any_name_need_maintenance_and_a_yearly_test() -> None:
    messages = of_systems(below_minimum([], [system("escalators", "lift")]))

    assert messages == [
        "名 (escalators): no maintenance is planned (TSG T5002)",
        "名 (escalators): no test is planned (电梯年检)",
    ]


@pytest.mark.parametrize(
    ("since", "until", "warned"),
    [
        ("2021-08-01", None, False),
        ("2021-07-31", None, True),
        ("2020-01-01", "2021-07-30", False),
        ("2020-01-01", "2021-07-31", True),
    ],
)
def test_only_months_on_whose_last_day_a_system_is_in_commission_count(
    since: str, until: str | None, warned: bool
) -> None:
    duties = inspection(ALL_BUT_JULY), inspection(MONTHLY, "boiler", "b")

    messages = of_systems(below_minimum(planned(*duties), [system("hvac", since=since, until=until)]))

    assert messages == (["名 (hvac): no inspection is planned in 2021-07 (1年不低于12次)"] if warned else [])


def test_a_system_of_another_year_is_none_of_this_one() -> None:
    row = {"system_id": "x", "name": "x", "category": "lift"}

    assert in_year(2021, {**row, "commissioned_on": "2022-01-01", "decommissioned_on": None}) is None
    assert in_year(2021, {**row, "commissioned_on": "2012-01-01", "decommissioned_on": "2020-12-31"}) is None


def test_the_end_of_commission_is_the_end_of_what_is_asked() -> None:
    visits = planned(maintenance("FREQ=DAILY;INTERVAL=15;UNTIL=20210401"))

    assert below_minimum(visits, [system("elevators", until=str(date(2021, 4, 10)))])[1:] == []
