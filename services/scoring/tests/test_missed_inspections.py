"""domain.md, missed_inspections: a test a sentence."""

import pytest

from services.scoring.tests import histories as h


def test_the_systems_months_are_those_in_which_it_was_in_commission() -> None:
    found = h.row("hvac", h.system(since="2021-10-31"), h.decommissioned(on="2021-11-30"))

    assert [deduction["period"] for deduction in found["deductions"]] == ["2021-10", "2021-11"]


def test_a_month_counts_when_commissioned_on_or_before_its_last_day() -> None:
    on_the_last_day = h.row("hvac", h.system(since="2021-11-30"), as_of="2021-11-30")
    the_day_after = h.row("hvac", h.system(since="2021-12-01"), as_of="2021-11-30")

    assert h.reasons(on_the_last_day) == ["not_scheduled"]
    assert h.reasons(the_day_after) == []


def test_a_month_counts_when_decommissioned_on_or_after_its_last_day() -> None:
    the_day_before = h.march(h.decommissioned(on="2021-03-30"))
    on_the_last_day = h.march(h.decommissioned(on="2021-03-31"))

    assert (the_day_before["status"], h.reasons(on_the_last_day)) == ("not_assessable", ["not_scheduled"])


def test_visits_of_months_out_of_commission_are_asked_of_nobody() -> None:
    before = h.visit(period="2021-02", start="2021-02-01", end="2021-02-28")

    assert h.reasons(h.march(before, as_of="2021-02-28")) == []


def test_its_occurrences_are_the_inspections_of_that_system_and_period() -> None:
    others = [
        h.visit("a", of="water"),
        h.visit("b", activity="maintenance"),
        h.visit("c", period="2021-04", start="2021-03-01", end="2021-03-31"),
    ]

    found = h.march(*others)

    assert [(one["reason"], one["period"], one["occurrence_id"]) for one in found["deductions"]] == [
        ("not_scheduled", "2021-03", None),
        ("missed_inspection", "2021-04", "c"),
    ]


def test_a_withdrawn_occurrence_is_none() -> None:
    assert h.reasons(h.march(h.visit(), h.withdrawn())) == ["not_scheduled"]


def test_a_withdrawal_holds_only_if_recorded_by_the_end_of_the_window() -> None:
    on_the_last_day = h.march(h.visit(), h.withdrawn(recorded="2021-03-31 23:59"))
    the_day_after = h.march(h.visit(), h.withdrawn(recorded="2021-04-01 00:00"))

    assert h.reasons(on_the_last_day) == ["not_scheduled"]
    assert h.reasons(the_day_after) == ["missed_inspection"]


def test_a_withdrawal_is_judged_by_recordedat_whatever_its_time() -> None:
    found = h.march(h.visit(), h.withdrawn(recorded="2021-04-01", happened="2021-03-02"))

    assert h.reasons(found) == ["missed_inspection"]


def test_a_withdrawal_holds_even_of_a_visit_that_was_performed() -> None:
    assert h.reasons(h.march(h.visit(), h.performed(), h.withdrawn())) == ["not_scheduled"]


def test_no_occurrence_at_all_is_one_missed_inspection_due_on_the_months_last_day() -> None:
    assert h.reasons(h.march(as_of="2021-03-30")) == []
    assert h.reasons(h.march(as_of="2021-03-31")) == ["not_scheduled"]


def test_an_occurrence_not_yet_due_is_an_occurrence_all_the_same() -> None:
    found = h.march(h.visit(end="2021-04-10"), as_of="2021-04-09")

    assert (found["actual"], h.reasons(found)) == (0, [])


def test_an_occurrence_is_judged_from_the_end_of_its_window_on() -> None:
    early = h.visit(end="2021-03-15")

    assert h.reasons(h.march(early, as_of="2021-03-14")) == []
    assert h.reasons(h.march(early, as_of="2021-03-15")) == ["missed_inspection"]


def test_each_occurrence_is_judged_alone() -> None:
    history = [h.visit("a"), h.visit("b"), h.visit("c"), h.performed("b"), h.withdrawn("c")]

    found = h.march(*history)

    assert (found["actual"], found["deducted"]) == (1, "5.00")
    assert [deduction["occurrence_id"] for deduction in found["deductions"]] == ["a"]


@pytest.mark.parametrize("points", [None, ()])
def test_an_excuse_naming_no_points_excuses_the_occurrence_whole(points: tuple[str, ...] | None) -> None:
    missed = h.march(h.visit(), h.excused(points=points))
    forgotten = h.march(h.visit(points=["P1"]), h.performed(), h.excused(points=points))

    assert (missed["status"], missed["actual"], missed["deductions"]) == ("met", 0, [])
    assert (forgotten["status"], forgotten["actual"], forgotten["deductions"]) == ("met", 1, [])


def test_an_excuse_naming_all_points_does_not_excuse_a_missed_inspection() -> None:
    found = h.march(h.visit(points=["P1"]), h.excused(points=["P1"]))

    assert h.reasons(found) == ["missed_inspection"]


@pytest.mark.parametrize("kind", ["inspection", "maintenance", "corrective", "emergency", "service"])
def test_it_is_performed_by_work_of_any_kind_that_names_it(kind: str) -> None:
    assert h.march(h.visit(), h.performed("v", kind=kind))["actual"] == 1
    assert h.march(h.visit(), h.performed("other", kind=kind))["actual"] == 0
    assert h.march(h.visit(), h.performed(None, kind="service"))["actual"] == 0


@pytest.mark.parametrize(
    ("on", "actual"),
    [("2021-03-01 23:59", 0), ("2021-03-02 00:00", 1), ("2021-03-20 23:59", 1), ("2021-03-21 00:00", 0)],
)
def test_it_is_performed_by_work_within_its_window(on: str, actual: int) -> None:
    assert h.march(h.visit(start="2021-03-02", end="2021-03-20"), h.performed(on=on))["actual"] == actual


@pytest.mark.parametrize(("recorded", "actual"), [("2021-03-25 23:59", 1), ("2021-03-26 00:00", 0)])
def test_it_is_performed_by_work_recorded_within_backfill_days_of_the_windows_end(recorded: str, actual: int) -> None:
    found = h.march(h.visit(end="2021-03-20"), h.performed(on="2021-03-09", recorded=recorded))

    assert found["actual"] == actual


def test_the_window_and_the_backfill_limit_are_met_by_one_and_the_same_work() -> None:
    late, early = h.performed(on="2021-03-09", recorded="2021-04-09"), h.performed(on="2021-02-09")

    assert h.reasons(h.march(h.visit(), late, early)) == ["missed_inspection"]


def test_a_later_return_does_not_undo_it() -> None:
    assert h.march(h.visit(), h.performed(), h.returned("wo"))["actual"] == 1


def test_not_performed_is_one_missed_inspection() -> None:
    found = h.march(h.visit())

    (deduction,) = found["deductions"]
    assert (found["actual"], found["deducted"], found["score"]) == (0, "5.00", "0.00")
    assert (deduction["reason"], deduction["points"]) == ("missed_inspection", "5.00")
    assert (deduction["occurrence_id"], deduction["point_id"], deduction["system_id"]) == ("v", None, "hvac")


def test_performed_each_point_that_no_result_covers_is_one_missed_point() -> None:
    found = h.march(h.visit(points=["P1", "P2", "P3"]), h.performed(), h.inspected("P2", "P9"))

    assert h.reasons(found) == ["missed_point", "missed_point"]
    assert [deduction["point_id"] for deduction in found["deductions"]] == ["P1", "P3"]
    assert (found["actual"], found["deducted"]) == (1, "10.00")


@pytest.mark.parametrize(
    ("outcome", "note", "covers"),
    [
        ("normal", None, True),
        ("fault", None, True),
        ("not_applicable", "柜门锁闭", True),
        ("not_applicable", None, False),
        ("not_applicable", " \t\u3000", False),
    ],
)
def test_a_point_is_covered_by_normal_fault_or_not_applicable_with_a_note(
    outcome: str, note: str | None, covers: bool
) -> None:
    found = h.march(h.visit(points=["P1"]), h.performed(), h.inspected("P1", outcome=outcome, note=note))

    assert h.reasons(found) == ([] if covers else ["missed_point"])


def test_a_point_is_covered_only_by_a_result_naming_that_occurrence() -> None:
    history = [h.visit(points=["P1"]), h.performed(), h.inspected("P1", of="w"), h.inspected("P1", of=None)]

    assert h.reasons(h.march(*history)) == ["missed_point"]


@pytest.mark.parametrize(("recorded", "covers"), [("2021-04-05 23:59", True), ("2021-04-06 00:00", False)])
def test_a_point_is_covered_by_a_result_recorded_within_the_same_limit(recorded: str, covers: bool) -> None:
    found = h.march(h.visit(points=["P1"]), h.performed(), h.inspected("P1", recorded=recorded))

    assert h.reasons(found) == ([] if covers else ["missed_point"])


def test_a_point_is_covered_by_a_result_whatever_its_time() -> None:
    found = h.march(h.visit(points=["P1"]), h.performed(), h.inspected("P1", happened="2019-01-01"))

    assert h.reasons(found) == []


def test_a_point_that_an_excuse_names_is_not_missed() -> None:
    history = [h.visit(points=["P1", "P2"]), h.performed(), h.excused(points=["P1"]), h.excused("w", points=["P2"])]

    found = h.march(*history)

    assert [deduction["point_id"] for deduction in found["deductions"]] == ["P2"]


def test_a_point_scheduled_twice_is_missed_once() -> None:
    assert h.reasons(h.march(h.visit(points=["P1", "P1"]), h.performed())) == ["missed_point"]


def test_a_whole_missed_inspection_never_also_counts_its_points() -> None:
    assert h.reasons(h.march(h.visit(points=["P1", "P2"]))) == ["missed_inspection"]


def test_late_work_never_erases_a_miss() -> None:
    found = h.march(h.visit(), h.performed(on="2021-04-01"), as_of="2021-12-31")

    assert "missed_inspection" in h.reasons(found)


def test_actual_is_the_number_of_judged_occurrences_performed_excused_or_not() -> None:
    history = [h.visit(name, end="2021-03-20") for name in "abcd"] + [h.visit("e", end="2021-04-20")]
    history += [h.performed(name) for name in "abe"] + [h.excused("b"), h.excused("c")]

    found = h.march(*history)

    assert (found["actual"], h.reasons(found)) == (2, ["missed_inspection"])


def test_it_is_met_when_nothing_is_deducted_though_the_target_is_not_reached() -> None:
    found = h.march(h.visit(), h.excused())

    assert (found["target"], found["actual"], found["status"]) == (12, 0, "met")


def test_without_a_month_in_commission_it_is_not_assessable() -> None:
    never, next_year = h.row("hvac", h.visit()), h.row("hvac", h.visit(), h.system(since="2022-01-01"))
    until_january = h.row("hvac", h.visit(), h.system(since="2020-01-01"), h.decommissioned(on="2021-01-30"))

    for found in (never, next_year, until_january):
        assert (found["status"], found["actual"], found["deductions"]) == ("not_assessable", None, [])
        assert (found["deducted"], found["score"], found["weight"]) == (None, None, "5.00")


def test_a_system_commissioned_later_in_the_year_is_assessable_from_the_start() -> None:
    found = h.row("hvac", h.system(since="2021-12-01"), as_of="2021-01-01")

    assert (found["status"], found["actual"], found["score"]) == ("met", 0, "5.00")


def test_deducted_is_not_capped_and_the_score_never_falls_below_zero() -> None:
    found = h.march(as_of="2021-12-31")

    assert (found["deducted"], found["score"]) == ("50.00", "0.00")
