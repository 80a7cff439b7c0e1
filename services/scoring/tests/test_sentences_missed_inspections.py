"""domain.md, missed_inspections: a test a sentence."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded

QUANTITY = ["gas-suppression", "hvac", "fire-shutters", "lighting", "water"]
KINDS = ["inspection", "maintenance", "corrective", "emergency", "service"]


def test_missed_inspections_parameters_systems_per_missed_inspection_5_per_missed_point_5_backfill_days_5() -> None:
    """**`missed_inspections`** — parameters `systems`, `per_missed_inspection` 5, `per_missed_point` 5,
    `backfill_days` 5.
    """
    rules = {one.id: one.rule for one in h.CHENGGONG.indicators}
    one_of_each = [h.visit("a"), h.visit("b", points=["P1"]), h.performed("b", recorded="2021-04-05")]
    other = {"per_missed_inspection": Decimal(3), "per_missed_point": Decimal(2), "backfill_days": 5}

    def points(**parameters: Any) -> list[str]:
        found = h.march(*one_of_each, rulebook=h.ruled("hvac", **parameters))
        return [deduction["points"] for deduction in found["deductions"]]

    for name in QUANTITY:
        assert rules[name].type == "missed_inspections"
        assert rules[name].parameters == {
            "systems": [name],
            "per_missed_inspection": 5,
            "per_missed_point": 5,
            "backfill_days": 5,
        }
    assert points() == ["5.00", "5.00"]
    assert points(**other) == ["3.00", "2.00"]
    assert points(**{**other, "backfill_days": 4}) == ["3.00", "3.00"]  # then b was recorded a day late


def test_for_each_system_and_each_calendar_month_of_y_that_the_system_was_in_commission_commissioned_on_at_most_the_months_last_day_never_decommissioned_or_decommissioned_on_or_after_the_months_last_day() -> (
    None
):
    """For each system and each calendar month of Y that the system was in commission (`commissioned_on` ≤ the
    month's last day; never decommissioned, or decommissioned on or after the month's last day):
    """
    two = h.ruled("hvac", systems=["hvac", "water"])
    leap = replace(h.CHENGGONG, year=2024)

    def months(*history: Any, **question: Any) -> list[tuple[str, str]]:
        found = h.row("hvac", *history, **question)
        return [(deduction["system_id"], deduction["period"]) for deduction in found["deductions"]]

    begun = [months(h.system(since=day), as_of="2021-11-30") for day in ("2021-11-30", "2021-12-01")]
    ended = [months(h.system(since="2021-01-01"), h.decommissioned(on=day)) for day in ("2021-01-30", "2021-01-31")]
    of_both = months(h.system(since="2021-11-01"), h.system("water", since="2021-12-01"), rulebook=two)
    leap_day = months(h.system(since="2024-02-29"), rulebook=leap, as_of="2024-02-29")

    assert begun == [[("hvac", "2021-11")], []]
    assert ended == [[], [("hvac", "2021-01")]]
    assert months(h.system(since="2021-02-28"), as_of="2021-02-28") == [("hvac", "2021-02")]
    assert of_both == [("hvac", "2021-11"), ("hvac", "2021-12"), ("water", "2021-12")]
    assert leap_day == [("hvac", "2024-02")]
    assert len(months(h.system(since="2001-01-01"))) == 12


def test_its_occurrences_occurrence_scheduled_with_activity_inspection_that_system_and_period_is_that_month_not_withdrawn() -> (
    None
):
    """- its occurrences: `occurrence_scheduled` with activity `inspection`, that system and `period` = that month,
    not withdrawn;
    """
    none_of_them = [
        h.visit("a", of="water"),
        *(h.visit(name, activity=name) for name in ("maintenance", "service", "test")),
        h.visit("c", period="2021-04", start="2021-03-01", end="2021-03-31"),
        h.visit("d"),
        h.withdrawn("d"),
    ]

    def missed(*more: Recorded) -> list[tuple[str, str, str | None]]:
        found = h.march(*none_of_them, *more)["deductions"]
        return [(one["reason"], one["period"], one["occurrence_id"]) for one in found]

    assert missed() == [("not_scheduled", "2021-03", None), ("missed_inspection", "2021-04", "c")]
    assert missed(h.visit("e")) == [("missed_inspection", "2021-03", "e"), ("missed_inspection", "2021-04", "c")]


@pytest.mark.parametrize(
    ("recorded", "reason"), [("2021-03-20 23:59", "not_scheduled"), ("2021-03-21 00:00", "missed_inspection")]
)
def test_a_withdrawal_holds_only_if_the_date_of_its_recordedat_at_most_window_end(recorded: str, reason: str) -> None:
    """a withdrawal holds only if the date of its `recordedat` ≤ `window_end`;"""
    found = h.march(h.visit(end="2021-03-20"), h.withdrawn(recorded=recorded, happened="2021-03-02"))

    assert h.reasons(found) == [reason]


def test_no_occurrence_at_all_one_missed_inspection_reason_not_scheduled_due_when_the_months_last_day_at_most_as_of() -> (
    None
):
    """- no occurrence at all: one missed inspection, reason `not_scheduled`, due when the month's last day ≤
    `as_of`;
    """
    the_day_before, on_the_day = h.march(as_of="2021-03-30"), h.march(as_of="2021-03-31")

    assert (the_day_before["status"], the_day_before["deductions"]) == ("met", [])
    assert (on_the_day["deducted"], h.reasons(on_the_day)) == ("5.00", ["not_scheduled"])
    assert h.march(h.visit(), h.performed(), as_of="2021-03-31")["deductions"] == []


def test_otherwise_each_occurrence_with_window_end_at_most_as_of_is_judged_alone() -> None:
    """- otherwise each occurrence with `window_end` ≤ `as_of` is *judged*, alone:"""
    early = h.visit(end="2021-03-15")
    several = [h.visit(name, end="2021-03-15") for name in "abc"] + [h.visit("d", end="2021-03-16")]

    alone = h.march(*several, h.performed("b"), h.withdrawn("c"), as_of="2021-03-15")

    assert h.reasons(h.march(early, as_of="2021-03-14")) == []
    assert h.reasons(h.march(early, as_of="2021-03-15")) == ["missed_inspection"]
    assert (alone["actual"], [deduction["occurrence_id"] for deduction in alone["deductions"]]) == (1, ["a"])


@pytest.mark.parametrize("points", [{"point_ids": None}, {}, {"point_ids": []}], ids=["null", "absent", "empty"])
def test_an_occurrence_excused_naming_no_points_null_absent_or_empty_excuses_it_whole(points: dict[str, Any]) -> None:
    """an `occurrence_excused` naming no points (null, absent or empty) excuses it whole;"""
    whole = {"occurrence_id": "v", "reason": "停电", "approved_by": "user:chen", **points}
    excused = h.in_a_file("scheduling.occurrence_excused.v1", whole)

    missed = h.march(h.visit(), excused)
    forgotten = h.march(h.visit(points=["P1"]), h.performed(), excused)

    assert (missed["status"], missed["actual"], missed["deductions"]) == ("met", 0, [])
    assert (forgotten["status"], forgotten["actual"], forgotten["deductions"]) == ("met", 1, [])
    assert h.reasons(h.march(h.visit("w"), excused)) == ["missed_inspection"]


@pytest.mark.parametrize(
    ("on", "actual"),
    [("2021-03-01 23:59", 0), ("2021-03-02 00:00", 1), ("2021-03-20 23:59", 1), ("2021-03-21 00:00", 0)],
)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_performed_if_a_work_performed_of_any_kind_names_it_with_window_start_at_most_date_of_performed_at_at_most_window_end(
    kind: str, on: str, actual: int
) -> None:
    """it is *performed* if a `work_performed` of any kind names it with `window_start` ≤ date of `performed_at` ≤
    `window_end`
    """
    visit = h.visit(start="2021-03-02", end="2021-03-20")

    assert h.march(visit, h.performed(on=on, kind=kind))["actual"] == actual
    assert h.march(visit, h.performed("other", on=on, kind=kind))["actual"] == 0
    assert h.march(visit, h.performed(None, on=on, kind="service"))["actual"] == 0


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [("2021-03-20", 1), ("2021-03-25 00:00", 1), ("2021-03-25 23:59", 1), ("2021-03-26 00:00", 0)],
)
def test_and_date_of_recordedat_at_most_window_end_plus_backfill_days_a_later_return_does_not_undo_it(
    recorded: str, actual: int
) -> None:
    """**and** date of `recordedat` ≤ `window_end` + `backfill_days` (a later return does not undo it);"""
    work = h.performed(on="2021-03-09", recorded=recorded, happened="2021-04-09")

    found = h.march(h.visit(end="2021-03-20"), work, h.returned("wo", on="2021-03-27"))

    assert found["actual"] == actual


def test_not_performed_is_one_missed_inspection_reason_missed_inspection() -> None:
    """not performed is one missed inspection, reason `missed_inspection`;"""
    found = h.march(h.visit())

    (deduction,) = found["deductions"]
    assert (found["actual"], found["deducted"], found["score"], found["status"]) == (0, "5.00", "0.00", "unmet")
    assert (deduction["reason"], deduction["points"], deduction["occurrence_id"]) == ("missed_inspection", "5.00", "v")


def test_performed_each_of_its_point_ids_that_no_points_inspected_result_naming_that_occurrence_covers() -> None:
    """performed, each of its `point_ids` that no `points_inspected` result naming that occurrence covers"""
    visit = [h.visit(points=["P1", "P2", "P3"]), h.performed()]
    results = [h.inspected("P2", "P9"), h.inspected("P1", of="w"), h.inspected("P1", of=None)]

    found = h.march(*visit, *results)

    assert [deduction["point_id"] for deduction in found["deductions"]] == ["P1", "P3"]
    assert (found["actual"], found["deducted"]) == (1, "10.00")
    assert h.march(*visit, *results, h.inspected("P1"), h.inspected("P3"))["deductions"] == []


@pytest.mark.parametrize(
    ("outcome", "note", "covers"),
    [
        ("normal", None, True),
        ("fault", None, True),
        ("not_applicable", "柜门锁闭", True),
        ("not_applicable", None, False),
        ("not_applicable", "", False),
        ("not_applicable", " \t\u3000\n", False),
    ],
)
def test_outcome_normal_fault_or_not_applicable_with_a_note_that_is_not_blank(
    outcome: str, note: str | None, covers: bool
) -> None:
    """(outcome `normal`, `fault`, or `not_applicable` with a note that is not blank;"""
    found = h.march(h.visit(points=["P1"]), h.performed(), h.inspected("P1", outcome=outcome, note=note))

    assert h.reasons(found) == ([] if covers else ["missed_point"])


@pytest.mark.parametrize("happened", ["2019-01-01", "2021-03-09", "2021-12-01"])
@pytest.mark.parametrize(("recorded", "covers"), [("2021-03-25 23:59", True), ("2021-03-26 00:00", False)])
def test_recorded_within_the_same_backfill_limit_whatever_its_time(recorded: str, covers: bool, happened: str) -> None:
    """recorded within the same backfill limit, whatever its time)"""
    result = h.inspected("P1", recorded=recorded, happened=happened)

    found = h.march(h.visit(end="2021-03-20", points=["P1"]), h.performed(), result)

    assert h.reasons(found) == ([] if covers else ["missed_point"])


def test_and_no_excuse_names_is_one_missed_point_reason_missed_point() -> None:
    """and no excuse names is one missed point, reason `missed_point`;"""
    visit = [h.visit(points=["P1", "P2", "P3"]), h.performed()]
    excuses = [h.excused(points=["P1"]), h.excused(points=["P3"]), h.excused("w", points=["P2"])]

    (deduction,) = h.march(*visit, *excuses)["deductions"]

    assert (deduction["reason"], deduction["point_id"], deduction["points"]) == ("missed_point", "P2", "5.00")
    assert (deduction["occurrence_id"], deduction["system_id"], deduction["period"]) == ("v", "hvac", "2021-03")


def test_a_whole_missed_inspection_never_also_counts_its_points() -> None:
    """- a whole missed inspection never also counts its points."""
    found = h.march(h.visit(points=["P1", "P2"]), h.inspected("P1"))

    assert (h.reasons(found), found["deducted"]) == (["missed_inspection"], "5.00")


def test_late_work_never_erases_a_miss() -> None:
    """Late work never erases a miss;"""
    after_the_window = h.performed(on="2021-04-01")
    recorded_too_late = h.performed(on="2021-03-31", recorded="2021-04-06")
    point_too_late = [h.performed(), h.inspected("P1", recorded="2021-04-06")]

    assert h.reasons(h.march(h.visit(points=["P1"]), after_the_window)) == ["missed_inspection"]
    assert h.reasons(h.march(h.visit(points=["P1"]), recorded_too_late)) == ["missed_inspection"]
    assert h.reasons(h.march(h.visit(points=["P1"]), *point_too_late)) == ["missed_point"]


def test_only_an_excuse_does() -> None:
    """only an excuse does."""
    late = [h.visit(), h.performed(on="2021-04-01"), h.accepted("wo", on="2021-04-02")]
    pointless = [h.visit(points=["P1"]), h.performed(), h.inspected("P1", recorded="2021-04-06")]

    assert h.reasons(h.march(*late)) == ["missed_inspection"]
    assert h.reasons(h.march(*late, h.excused())) == []
    assert h.reasons(h.march(*pointless)) == ["missed_point"]
    assert h.reasons(h.march(*pointless, h.excused(points=["P1"]))) == []


def test_actual_is_number_of_judged_occurrences_that_were_performed_excused_or_not() -> None:
    """- actual = number of judged occurrences that were performed, excused or not."""
    history = [h.visit(name, end="2021-03-20") for name in "abcdf"] + [h.visit("e", end="2021-04-20")]
    history += [h.performed(name) for name in "abefx"] + [h.excused("b"), h.excused("c"), h.withdrawn("f")]

    found = h.march(*history)

    # a and b were performed; c was excused but not performed, d missed; e is not due yet, f withdrawn, x never scheduled
    assert (found["actual"], h.reasons(found)) == (2, ["missed_inspection"])


def test_met_when_nothing_is_deducted_an_excused_month_is_not_held_against_the_target() -> None:
    """`met` when nothing is deducted (an excused month is not held against the target)."""
    excused, missed = h.march(h.visit(), h.excused()), h.march(h.visit())

    assert (excused["target"], excused["actual"], excused["status"]) == (12, 0, "met")
    assert (excused["deducted"], excused["score"], missed["status"]) == ("0.00", "5.00", "unmet")


def test_no_month_of_y_in_which_one_of_its_systems_was_in_commission_nothing_registered_say_not_assessable() -> None:
    """No month of Y in which one of its systems was in commission (nothing registered, say): `not_assessable`."""
    two = h.ruled("hvac", systems=["hvac", "water"])
    nothing_registered = h.row("hvac", h.visit())
    begun_next_year = h.row("hvac", h.visit(), h.system(since="2022-01-01"))
    over_in_january = h.row("hvac", h.visit(), h.system(since="2020-01-01"), h.decommissioned(on="2021-01-30"))
    one_month = h.row("hvac", h.system(since="2020-01-01"), h.decommissioned(on="2021-01-31"))
    one_of_its_systems = h.row("hvac", h.system("water", since="2021-12-31"), rulebook=two)

    for found in (nothing_registered, begun_next_year, over_in_january):
        assert (found["status"], found["actual"], found["deductions"]) == ("not_assessable", None, [])
    assert (one_month["status"], one_of_its_systems["status"]) == ("unmet", "unmet")
