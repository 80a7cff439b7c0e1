"""Costs against the budget, replacements with their lead time, incidents with report and finding apart."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.contracts.scoring import BudgetRecorded
from shared.contracts.work_orders import EquipmentReplaced, IncidentDismissed
from shared.errors import Forbidden, Invalid, Rejected
from shared.tests.alone import Alone

NOW = "2021-03-09T09:00:00+08:00"


def book(desk: Alone, cost_id: str, amount: str, **more: Any) -> list[dict[str, Any]]:
    """Book a cost of consumables; the warnings."""
    asked: dict[str, Any] = {
        "cost_id": cost_id,
        "amount": amount,
        "category": "consumables",
        "incurred_on": "2021-03-09",
    }
    warnings: list[dict[str, Any]] = desk.ask("record_cost", **{**asked, **more}, roles=["finance"])["warnings"]
    return warnings


def costs(desk: Alone, **filters: Any) -> list[str]:
    """The ids of costs."""
    return [row["cost_id"] for row in desk.service.costs(desk.hall, **filters)["items"]]


def budget(desk: Alone, annual: str, as_of: str) -> None:
    """Scoring is told of the budget."""
    told = BudgetRecorded(
        year=2021,
        initial=Decimal("900000.00"),
        annual=Decimal(annual),
        executed=Decimal("0.00"),
        as_of=date.fromisoformat(as_of),
    )
    desk.tell("budget/2021", told)
    desk.follow()


def test_an_invoice_that_is_booked_already_is_booked_with_a_warning(desk: Alone) -> None:
    first = book(desk, "a", "1.00", supplier="甲", invoice="NO-1")
    others = book(desk, "b", "1.00", supplier="乙", invoice="NO-1"), book(desk, "c", "1.00", supplier="甲")

    again = book(desk, "d", "1.00", supplier="甲", invoice="NO-1")

    assert (first, *others) == ([], [], [])
    assert [(warning["code"], warning["cost_id"]) for warning in again] == [("duplicate_invoice", "a")]
    assert costs(desk, invoice="NO-1", supplier="甲") == ["a", "d"]
    for id_ in ("a", "d"):
        desk.ask("reverse_cost", cost_id=id_, reason="误记")
    assert book(desk, "e", "1.00", supplier="甲", invoice="NO-1") == []


def test_a_cost_is_of_an_order_of_the_hall_or_of_none(desk: Alone) -> None:
    asked: dict[str, Any] = {"kind": "corrective", "system_id": "hvac", "point_ids": ["P-1"], "priority": "low"}
    desk.ask("open_work_order", work_order_id="w", **asked)

    book(desk, "a", "1.00", work_order_id="w")

    with pytest.raises(Invalid) as refused:
        book(desk, "b", "1.00", work_order_id="nowhere")
    assert list(refused.value.errors) == ["work_order_id"]
    assert (costs(desk, work_order_id="w"), costs(desk)) == (["a"], ["a"])


def test_costs_are_listed_by_what_they_are(desk: Alone) -> None:
    book(desk, "b", "1.00", incurred_on="2020-12-31")
    book(desk, "a", "2.00", category="service")
    book(desk, "c", "3.00", incurred_on="2021-01-01")
    desk.ask("reverse_cost", cost_id="c", reason="误记")

    assert costs(desk) == ["b", "c", "a"]
    assert costs(desk, sort="cost_id") == ["a", "b", "c"]
    assert (costs(desk, year=2021), costs(desk, category="service")) == (["c", "a"], ["a"])
    assert (costs(desk, status="reversed"), costs(desk, status="booked")) == (["c"], ["b", "a"])
    for wrong in ("category", "status"):
        with pytest.raises(Invalid) as refused:
            costs(desk, **{wrong: "nothing"})
        assert list(refused.value.errors) == [wrong]
    first = desk.service.costs(desk.hall, limit=2)
    assert [row["cost_id"] for row in first["items"]] == ["b", "c"]
    assert costs(desk, cursor=first["next"]) == ["a"]


def test_the_years_costs_stand_against_its_budget_without_what_was_reversed(desk: Alone) -> None:
    budget(desk, "900000.00", "2021-01-01")
    book(desk, "a", "0.10", supplier="甲")
    book(desk, "b", "0.20", supplier="甲", category="service", incurred_on="2021-01-31")
    book(desk, "c", "7.00")
    book(desk, "d", "9.00", incurred_on="2020-12-31")
    desk.ask("reverse_cost", cost_id="c", reason="误记")

    found = desk.service.cost_summary(desk.hall, 2021)

    assert found["budget"] == {"initial": "900000.00", "annual": "900000.00", "as_of": "2021-01-01"}
    assert (found["spent"], found["remaining"]) == ("0.30", "899999.70")
    assert found["by_category"] == [
        {"category": "consumables", "amount": "0.10"},
        {"category": "service", "amount": "0.20"},
    ]
    assert found["by_supplier"] == [{"supplier": "甲", "amount": "0.30"}]
    assert found["by_month"] == [{"month": "2021-01", "amount": "0.20"}, {"month": "2021-03", "amount": "0.10"}]
    assert desk.service.cost_summary(desk.hall, 2022)["budget"] is None


def test_the_budget_is_the_one_that_stood_last_and_of_one_day_the_one_told_last(desk: Alone) -> None:
    for annual, as_of in (
        ("1.00", "2021-06-30"),
        ("2.00", "2021-01-01"),
        ("3.00", "2021-06-30"),
        ("4.00", "2021-02-01"),
    ):
        desk.set_time(desk.ledger.clock.now().replace(microsecond=int(Decimal(annual))))
        budget(desk, annual, as_of)

    assert desk.service.cost_summary(desk.hall, 2021)["budget"]["annual"] == "3.00"


def test_a_replacement_has_its_lead_time_in_days_and_what_stands_there_now(desk: Alone) -> None:
    asked: dict[str, Any] = {"kind": "corrective", "system_id": "hvac", "point_ids": ["P-1"], "priority": "low"}
    desk.ask("open_work_order", work_order_id="w", **asked)
    nameplate = {"maker": "格力", "serial": "S-1", "warranty_until": "2024-03-08"}
    days = {"requested_on": "2021-02-27", "replaced_on": "2021-03-09"}

    desk.ask("record_replacement", work_order_id="w", point_id="P-1", **days, nameplate=nameplate)
    desk.ask("record_replacement", work_order_id="w", point_id="P-1", **{**days, "requested_on": "2021-03-09"})

    (first, second) = desk.service.replacements(desk.hall, sort="-days")["items"]
    assert [(row["days"], row["nameplate"]) for row in (first, second)] == [(10, nameplate), (0, None)]
    assert desk.events(EquipmentReplaced)[0].nameplate.maker == "格力"
    assert desk.service.replacements(desk.hall, year=2020)["items"] == []
    with pytest.raises(Invalid):
        desk.ask("record_replacement", work_order_id="w", point_id="P-9", **days)
    with pytest.raises(Invalid):
        desk.ask("record_replacement", work_order_id="w", point_id="P-1", **days, nameplate={"colour": "红"})


def test_an_incident_shows_what_was_reported_and_what_was_found_apart(desk: Alone) -> None:
    report: dict[str, Any] = {"occurred_at": "2021-03-08T09:00:00+08:00", "description": "有人滑倒"}
    finding: dict[str, Any] = {"occurred_at": "2021-03-08T10:00:00+08:00", "harms": ["life"], "visitors_affected": True}
    desk.ask("report_incident", incident_id="slip", **report, actor="user:li")
    desk.ask("report_incident", incident_id="other", **report, actor="user:li")
    before = desk.service.incidents(desk.hall, status="reported")["items"]

    desk.ask("confirm_incident", incident_id="slip", **finding, description="地面湿滑", roles=["manager"])
    desk.ask("dismiss_incident", incident_id="other", reason="重复", roles=["manager"])

    (dismissed, confirmed) = desk.service.incidents(desk.hall)["items"]
    assert [(row["harms"], row["visitors_affected"], row["finding"]) for row in before] == [([], None, None)] * 2
    assert (confirmed["status"], confirmed["occurred_at"]) == ("confirmed", "2021-03-08T02:00:00.000000+00:00")
    assert (confirmed["harms"], confirmed["visitors_affected"]) == (["life"], True)
    assert confirmed["report"] == {**report, "reported_by": "user:li"}
    assert confirmed["finding"] == {**finding, "description": "地面湿滑"}
    assert (dismissed["status"], dismissed["dismissed_because"]) == ("dismissed", "重复")


def test_only_a_manager_who_did_not_report_an_incident_dismisses_it(desk: Alone) -> None:
    desk.ask("report_incident", incident_id="slip", occurred_at=NOW, description="有人滑倒", actor="user:qian")

    with pytest.raises(Forbidden):
        desk.ask("dismiss_incident", incident_id="slip", reason="非事故", roles=["supervisor"])
    with pytest.raises(Rejected, match="other than who reported it"):
        desk.ask("dismiss_incident", incident_id="slip", reason="非事故", actor="user:qian", roles=["manager"])

    assert desk.events(IncidentDismissed) == []


def test_money_is_exact_beyond_what_a_float_can_hold(desk: Alone) -> None:
    for number in range(3):
        book(desk, f"c-{number}", "999999999999999.99")
    desk.set_time(datetime(2021, 3, 9, 10, tzinfo=ZoneInfo("Asia/Shanghai")))

    assert desk.service.cost_summary(desk.hall, 2021)["spent"] == "2999999999999999.97"
