"""domain.md, periods_without_inspection: a test a sentence."""

from decimal import Decimal

from services.scoring.tests import histories as h


def test_periods_without_inspection_per_period_10() -> None:
    """**`periods_without_inspection`** — `per_period` 10."""
    (rule,) = (one.rule for one in h.CHENGGONG.indicators if one.id == "timeliness")
    other = h.ruled("timeliness", per_period=Decimal(3))

    assert (rule.type, rule.parameters) == ("periods_without_inspection", {"per_period": 10})
    assert h.row("timeliness", as_of="2021-02-28")["deducted"] == "20.00"
    assert h.row("timeliness", as_of="2021-02-28", rulebook=other)["deducted"] == "6.00"


def test_each_month_of_y_with_last_day_at_most_as_of_in_which_no_inspection_at_all_was_performed_work_performed_of_kind_inspection_by_date_of_performed_at_whatever_the_system_or_window() -> (
    None
):
    """Each month of Y with last day ≤ `as_of` in which no inspection at all was performed (`work_performed` of
    kind `inspection`, by date of `performed_at`, whatever the system or window).
    """
    history = [
        h.performed("unknown", on="2021-01-31 23:59", recorded="2021-11-11", of="lift-pumps"),
        *(h.performed(on="2021-02-09", kind=kind) for kind in ("maintenance", "corrective", "emergency", "service")),
        h.performed(on="2021-03-01 00:00", recorded="2021-03-01", happened="2021-02-28"),
    ]

    def periods(as_of: str) -> list[str]:
        found = h.row("timeliness", *history, as_of=as_of)
        return [deduction["period"] for deduction in found["deductions"]]

    assert periods("2021-02-27") == []
    assert periods("2021-02-28") == ["2021-02"]
    assert (periods("2021-04-29"), periods("2021-04-30")) == (["2021-02"], ["2021-02", "2021-04"])
    assert periods("2023-01-01") == ["2021-02", *(f"2021-{month:02}" for month in range(4, 13))]


def test_actual_is_the_least_number_of_them_in_a_month_that_is_over_null_before_the_first() -> None:
    """Actual = the least number of them in a month that is over (null before the first)."""
    days = ("2021-01-05", "2021-01-06", "2021-01-07", "2021-02-05", "2021-02-06", "2021-02-07", "2021-02-08")
    history = [h.performed(on=on) for on in days]

    before = h.row("timeliness", *history, as_of="2021-01-30")

    assert (before["actual"], before["status"], before["score"]) == (None, "met", "10.00")
    assert h.row("timeliness", *history, as_of="2021-01-31")["actual"] == 3
    assert h.row("timeliness", *history, as_of="2021-02-28")["actual"] == 3
    assert h.row("timeliness", *history, h.performed(on="2021-03-01"), as_of="2021-03-31")["actual"] == 1
    assert h.row("timeliness", *history, as_of="2021-03-31")["actual"] == 0


def test_timely_replacement_of_equipment_is_reported_from_equipment_replaced_not_scored() -> None:
    """设备更换要及时 is reported from `equipment_replaced`, not scored."""
    history = [h.system(), h.visit(points=["P1"]), h.performed()]

    assert h.score(*history, h.replaced("P1")) == h.score(*history)
    assert "“设备更换要及时”只报告，不计分。" in h.CHENGGONG.readings
