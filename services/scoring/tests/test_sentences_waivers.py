"""domain.md, Waivers: a test a sentence."""

from typing import Any

import pytest

from services.scoring.tests import histories as h
from shared.errors import Invalid
from shared.event import Recorded


def waived(found: dict[str, Any]) -> list[tuple[str | None, str]]:
    """What each deduction is about, and its points."""
    return [(one["point_id"] or one["occurrence_id"] or one["period"], one["points"]) for one in found["deductions"]]


POINTS = [h.visit(points=["P1", "P2"], id_="scheduled"), h.performed(id_="performed"), h.inspected(id_="inspected")]
DEDUCTED: dict[str, tuple[str, list[Recorded], list[str]]] = {
    "missed_point": ("hvac", [*POINTS, h.opened(id_="opened")], ["scheduled", "performed", "inspected", "opened"]),
    "missed_inspection": ("hvac", [h.visit(id_="alone"), h.opened(id_="order")], ["alone", "order"]),
    "not_scheduled": ("hvac", [h.visit("w"), h.withdrawn("w", id_="gone")], ["registered", "gone"]),
    "substandard_work": ("quality", [h.returned("wo", on="2021-03-01", id_="returned")], ["returned"]),
    "cost_growth": (
        "cost",
        [h.baseline("1.00", id_="base"), h.cost("c", "2.00", "2021-01-05", id_="paid")],
        ["base", "paid"],
    ),
    "incidents": ("incidents", [h.incident(on="2021-01-05", id_="fall")], ["fall"]),
    "satisfaction_rate": ("satisfaction", [h.report(bad=1, end="2021-01-31", id_="rated")], ["rated"]),
}
"""By reason: the indicator, a history of one such deduction or two alike, and the events that these rest on."""


@pytest.mark.parametrize("reason", DEDUCTED)
def test_waivers_deduction_waived_names_an_evidence_event_any_one_of_a_deductions(reason: str) -> None:
    """**Waivers.** `deduction_waived` names an evidence event (any one of a deduction's),"""
    indicator, history, evidence = DEDUCTED[reason]
    history = [h.system(id_="registered"), *history]

    def found(*waivers: Recorded) -> dict[str, Any]:
        return h.row(indicator, *history, *waivers, as_of="2021-03-31")

    assert set(h.reasons(found())) == {reason}
    assert found()["status"] == "unmet"
    for event_id in evidence:
        assert (found(h.waiver(event_id=event_id))["deducted"], found()["status"]) == ("0.00", "unmet")
    for waiver in (h.waiver(event_id="unknown"), h.waiver(id_="itself", event_id="itself")):
        assert found(waiver) == found()


def test_or_an_occurrence_all_its_deductions() -> None:
    """or an occurrence (all its deductions),"""
    visits = [h.visit("a", points=["P1", "P2"]), h.performed("a"), h.visit("b"), h.visit("c")]

    of_points = h.march(*visits, h.waiver(occurrence_id="a"))
    of_a_miss = h.march(*visits, h.waiver(occurrence_id="b"))

    assert waived(of_points) == [("P1", "0.00"), ("P2", "0.00"), ("b", "5.00"), ("c", "5.00")]
    assert waived(of_a_miss) == [("P1", "5.00"), ("P2", "5.00"), ("b", "0.00"), ("c", "5.00")]


def test_or_an_occurrence_and_a_point() -> None:
    """or an occurrence and a point,"""
    visits = [h.visit("a", points=["P1", "P2"]), h.performed("a"), h.visit("b", points=["P2"]), h.performed("b")]

    found = h.march(*visits, h.waiver(occurrence_id="a", point_id="P2"))
    of_a_miss = h.march(h.visit(points=["P1"]), h.waiver(occurrence_id="v", point_id="P1"))

    assert [(one["occurrence_id"], one["point_id"], one["points"]) for one in found["deductions"]] == [
        ("a", "P1", "5.00"),
        ("a", "P2", "0.00"),
        ("b", "P2", "5.00"),
    ]
    assert waived(of_a_miss) == [("v", "5.00")]


def test_or_a_system_and_a_period_its_not_scheduled() -> None:
    """or a system and a period (its `not_scheduled`),"""
    waivers = [
        h.waiver(system_id="hvac", period="2021-04"),
        h.waiver(system_id="water", period="2021-05"),
        h.waiver(system_id="hvac", period="2021-06"),
    ]
    june = h.visit(period="2021-06", start="2021-06-01", end="2021-06-30")

    found = h.march(*waivers, june, as_of="2021-06-30")

    assert waived(found) == [("2021-03", "5.00"), ("2021-04", "0.00"), ("2021-05", "5.00"), ("v", "5.00")]
    assert waived(h.row("timeliness", *waivers, as_of="2021-04-30"))[-1] == ("2021-04", "10.00")


def test_or_a_period_alone_its_periods_without_inspection() -> None:
    """or a period alone (its `periods_without_inspection`),"""
    history = [h.waiver(period="2021-01"), h.system(since="2021-01-01"), h.returned("wo", on="2021-01-20")]
    history += [h.incident(on="2021-01-20")]

    def found(indicator: str, as_of: str) -> list[tuple[str | None, str]]:
        return waived(h.row(indicator, *history, as_of=as_of))

    assert found("timeliness", as_of="2021-02-28") == [("2021-01", "0.00"), ("2021-02", "10.00")]
    assert found("hvac", as_of="2021-01-31") == [("2021-01", "5.00")]
    assert found("quality", as_of="2021-01-31") == [("2021-01", "10.00")]
    assert found("incidents", as_of="2021-01-31") == [("2021-01", "15.00")]


def test_with_reason_and_approver() -> None:
    """with reason and approver:"""
    type_ = "scoring.deduction_waived.v1"
    told = {"waiver_id": "w", "event_id": "i", "reason": "不可抗力", "approved_by": "user:chen"}

    found = h.row("incidents", h.incident(id_="i"), h.in_a_file(type_, told))

    assert found["deducted"] == "0.00"
    for name in ("reason", "approved_by"):
        with pytest.raises(Invalid, match=f"data.{name}"):
            h.in_a_file(type_, {key: value for key, value in told.items() if key != name})


def test_the_deductions_that_fit_stay_listed_with_points_0_00_and_every_waiver_that_fits_added_to_their_evidence() -> (
    None
):
    """the deductions that fit stay listed, with points 0.00 and every waiver that fits added to their evidence."""
    waivers = [
        h.waiver(occurrence_id="v", id_="z-2"),
        h.waiver(event_id="m", id_="a-1"),
        h.waiver(event_id="m", id_="n-3", recorded="2022-03-03"),
        h.waiver(occurrence_id="w"),
    ]

    found = h.march(h.visit(id_="m"), h.visit("x", id_="n"), *waivers)

    assert [(one["points"], one["reason"], one["evidence"]) for one in found["deductions"]] == [
        ("0.00", "missed_inspection", ["a-1", "m", "n-3", "z-2"]),
        ("5.00", "missed_inspection", ["n"]),
    ]
    assert (found["deducted"], found["status"]) == ("5.00", "unmet")
