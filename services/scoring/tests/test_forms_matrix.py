"""The matrix of inspections says of each month what the rule of missed inspections says of its visits."""

from collections import Counter
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.facts import Facts
from services.scoring.finding import Span
from services.scoring.missed import missed_inspections
from services.scoring.questions.matrix import Cell, Row, inspection_matrix
from services.scoring.tests import histories as h
from services.scoring.tests.strategies import DAYS, histories
from shared.event import Recorded


def matrix(*history: Recorded, as_of: str = "2021-04-30") -> list[Row]:
    """All rows by the default rulebook."""
    return inspection_matrix(Facts().extend(history).known(), Span(2021, date.fromisoformat(as_of)), h.CHENGGONG)


def march(*history: Recorded, as_of: str = "2021-04-30") -> Cell:
    """The cell of March of hvac, which is in commission from then on."""
    (row,) = matrix(h.system(), *history, as_of=as_of)
    return row.cells[2]


def test_a_visit_made_and_told_within_its_window_is_done() -> None:
    cell = march(h.visit(points=["P1"]), h.performed(), h.inspected("P1"))

    assert cell == Cell(period="2021-03", status="done", visits=1, performed=1)


def test_a_visit_told_after_its_window_within_the_backfill_limit_is_backfilled() -> None:
    assert march(h.visit(), h.performed(recorded="2021-04-05")).status == "backfilled"


def test_points_told_only_within_the_backfill_limit_make_a_visit_backfilled() -> None:
    cell = march(h.visit(points=["P1"]), h.performed(), h.inspected("P1", recorded="2021-04-05"))

    assert cell.status == "backfilled"


def test_a_visit_told_after_the_backfill_limit_is_late_and_a_miss() -> None:
    cell = march(h.visit(), h.performed(recorded="2021-04-06"))

    assert (cell.status, cell.performed, cell.missed_inspections) == ("late", 0, 1)


def test_a_visit_that_nobody_made_by_the_day_is_missed() -> None:
    assert march(h.visit(), h.performed(on="2021-04-20"), as_of="2021-04-19").status == "missed"
    assert march(h.visit(), h.performed(on="2021-04-20"), as_of="2021-04-20").status == "late"


def test_a_visit_with_points_left_out_is_incomplete() -> None:
    cell = march(h.visit(points=["P1", "P2", "P3"]), h.performed(), h.inspected("P1"))

    assert cell == Cell(period="2021-03", status="incomplete", visits=1, performed=1, missed_points=2)


def test_an_excuse_of_the_whole_visit_shows_only_where_something_is_amiss() -> None:
    assert march(h.visit(), h.excused()).status == "excused"
    assert march(h.visit(), h.excused(), h.performed()).status == "done"


def test_a_month_that_is_over_without_a_visit_is_not_scheduled() -> None:
    assert march(as_of="2021-03-31") == Cell(period="2021-03", status="not_scheduled", missed_inspections=1)
    assert march(h.visit(), h.withdrawn(), as_of="2021-03-31").status == "not_scheduled"
    assert march(as_of="2021-03-30").status == "open"


def test_a_visit_whose_window_is_not_over_is_open_until_it_is_complete_by_the_day() -> None:
    history = (h.visit(), h.performed(on="2021-03-09"))

    assert march(*history, as_of="2021-03-08").status == "open"
    assert march(*history, as_of="2021-03-09") == Cell(period="2021-03", status="done", visits=1)


def test_of_several_visits_the_worst_is_shown() -> None:
    cell = march(h.visit("v"), h.performed("v"), h.visit("w"))

    assert cell == Cell(period="2021-03", status="missed", visits=2, performed=1, missed_inspections=1)


def test_months_out_of_commission_say_nothing() -> None:
    (row,) = matrix(h.system(), h.decommissioned(on="2021-03-31"))

    assert [cell.period for cell in row.cells if cell.status is not None] == ["2021-03"]


def test_scored_systems_come_first_in_the_order_of_the_rulebook_then_others_that_are_inspected() -> None:
    others = (h.system("alarm"), h.visit("a", of="alarm"), h.system("garden"))

    rows = matrix(*others, h.system("water"), h.system("hvac"))

    assert [row.system_id for row in rows] == ["hvac", "water", "alarm"]


@settings(max_examples=200, deadline=None)
@given(histories(), st.sampled_from(DAYS))
def test_what_the_matrix_counts_is_what_the_rule_deducts(history: list[Recorded], as_of: str) -> None:
    known, span = Facts().extend(history).known(), Span(2021, date.fromisoformat(as_of))

    for row in inspection_matrix(known, span, h.CHENGGONG):
        found = missed_inspections(known, span, systems=[row.system_id], backfill_days=row.backfill_days)
        assert found is not None
        deducted = Counter(deduction.reason for deduction in found.deductions)
        counted = {name: sum(getattr(cell, name) for cell in row.cells) for name in COUNTED}
        assert counted == {
            "performed": found.actual,
            "missed_inspections": deducted["missed_inspection"] + deducted["not_scheduled"],
            "missed_points": deducted["missed_point"],
        }
        for cell in row.cells:
            costs = {"missed", "late", "incomplete", "not_scheduled"}
            assert (cell.status in costs) == bool(cell.missed_inspections or cell.missed_points)


COUNTED = ("performed", "missed_inspections", "missed_points")
