"""domain.md, Evidence: a test a sentence."""

import pytest

from services.scoring.tests import histories as h
from shared.event import Recorded


@pytest.mark.parametrize(
    ("in_time", "reason", "rests_on"),
    [([], "missed_inspection", []), ([h.performed(id_="in-time")], "missed_point", ["in-time"])],
)
def test_evidence_missed_inspection_missed_point_the_occurrence_scheduled_and_every_work_order_opened_points_inspected_and_work_performed_that_names_the_occurrence_whatever_its_date(
    in_time: list[Recorded], reason: str, rests_on: list[str]
) -> None:
    """**Evidence.** `missed_inspection`, `missed_point`: the occurrence_scheduled and every work_order_opened,
    points_inspected and work_performed that names the occurrence, whatever its date;
    """
    history = [
        h.visit(id_="scheduled", points=["P1"], recorded="2021-05-05"),
        h.opened(id_="opened", recorded="2021-11-11"),
        h.opened(id_="opened-again", recorded="2019-01-01"),
        h.inspected(id_="inspected", recorded="2021-11-11"),
        h.performed(on="2022-10-10", id_="performed-late"),
        h.excused(points=["P9"]),
        h.withdrawn(recorded="2021-05-05"),
        h.returned("wo"),
        *(h.opened("other"), h.opened(None), h.inspected("P1", of="other"), h.inspected("P1", of=None)),
        *(h.performed("other"), h.performed(None, kind="service")),
    ]

    (deduction,) = h.march(*history, *in_time)["deductions"]

    assert deduction["reason"] == reason
    assert deduction["evidence"] == sorted(
        ["scheduled", "opened", "opened-again", "inspected", "performed-late", *rests_on]
    )


def test_the_occurrence_scheduled_is_the_one_that_holds() -> None:
    """the occurrence_scheduled is the one that holds."""
    history = [h.visit(id_="again", recorded="2020-12-02"), h.visit(id_="first"), h.visit(id_="second")]

    (deduction,) = h.march(*history)["deductions"]

    assert deduction["evidence"] == ["first"]


def test_not_scheduled_the_system_registered_and_the_withdrawals_that_hold_of_that_months_inspections_of_the_system() -> (
    None
):
    """`not_scheduled`: the system_registered and the withdrawals that hold of that month's inspections of the
    system.
    """
    history = [
        h.system(id_="registered", recorded="2021-01-01"),
        h.decommissioned(on="2021-12-01"),
        h.visit("v"),
        h.withdrawn("v", id_="w1"),
        h.withdrawn("v", id_="w2"),
        h.withdrawn("v", id_="too-late", recorded="2021-04-01"),
        h.visit("u"),
        h.withdrawn("u", id_="w3"),
        h.visit("m", activity="maintenance"),
        h.withdrawn("m"),
        h.visit("a", period="2021-04"),
        h.withdrawn("a"),
        h.visit("water", of="water"),
        h.withdrawn("water"),
    ]

    (deduction,) = h.march(*history)["deductions"]

    assert (deduction["reason"], deduction["evidence"]) == ("not_scheduled", ["registered", "w1", "w2", "w3"])


def test_substandard_work_incidents_the_event_itself() -> None:
    """`substandard_work`, `incidents`: the event itself."""
    returns = [h.accepted("wo"), h.returned("wo", id_="b"), h.returned("wo", id_="a")]
    accidents = [h.incident("i", id_="i1"), h.incident("i", id_="i2", recorded="2021-07-01")]

    assert [one["evidence"] for one in h.row("quality", *returns)["deductions"]] == [["a"], ["b"]]
    assert [one["evidence"] for one in h.row("incidents", *accidents)["deductions"]] == [["i2"]]


def test_periods_without_inspection_none() -> None:
    """`periods_without_inspection`: none."""
    found = h.row("timeliness", h.system(), h.performed(kind="service"), h.performed(), as_of="2021-02-28")

    assert [one["evidence"] for one in found["deductions"]] == [[], []]


def test_cost_growth_the_baseline_and_the_costs_counted() -> None:
    """`cost_growth`: the baseline and the costs counted."""
    history = [
        h.baseline("1.00", id_="old", recorded="2020-11-11"),
        h.baseline(id_="base"),
        h.cost("c", "900.00", id_="c1", recorded="2021-05-05"),
        h.cost("c", "900.00", id_="c2", recorded="2021-05-06"),
        h.cost("d", "900.00", id_="d1"),
        h.cost("e", "1.00", category="other"),
        h.cost("f", "1.00", on="2020-12-31"),
        h.cost("g", "1.00"),
        h.cost_reversed("g"),
    ]

    (deduction,) = h.row("cost", *history)["deductions"]

    assert deduction["evidence"] == ["base", "c2", "d1"]


def test_satisfaction_rate_the_reports_counted() -> None:
    """`satisfaction_rate`: the reports counted."""
    history = [
        h.report("a", bad=1, id_="a1", recorded="2021-07-01"),
        h.report("a", bad=1, id_="a2", recorded="2021-07-02"),
        h.report("b", bad=1, id_="b1"),
        h.report("c", bad=1, end="2022-01-01"),
    ]

    (deduction,) = h.row("satisfaction", *history)["deductions"]

    assert deduction["evidence"] == ["a2", "b1"]


def test_sorted_by_id() -> None:
    """Sorted by id."""
    history = [h.visit(id_="c"), h.opened(id_="a"), h.inspected("P1", id_="b"), h.opened(id_="Z"), h.opened(id_="10")]

    (deduction,) = h.march(*history, h.opened(id_="9"))["deductions"]

    assert deduction["evidence"] == ["10", "9", "Z", "a", "b", "c"]
