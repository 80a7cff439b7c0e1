"""domain.md, Waivers and Evidence: a test a sentence."""

from typing import Any

from services.scoring.tests import histories as h


def waived(found: dict[str, Any]) -> list[tuple[str | None, str]]:
    """What each deduction is about, and its points."""
    return [(one["point_id"] or one["occurrence_id"] or one["period"], one["points"]) for one in found["deductions"]]


def test_a_waiver_may_name_any_one_event_of_the_evidence() -> None:
    visit = [h.visit(points=["P1", "P2"], id_="scheduled"), h.performed(id_="performed")]

    for event_id in ("scheduled", "performed"):
        found = h.march(*visit, h.waiver(event_id=event_id))
        assert waived(found) == [("P1", "0.00"), ("P2", "0.00")]


def test_a_waiver_that_names_an_event_of_no_evidence_is_without_effect() -> None:
    found = h.march(h.visit(), h.waiver(event_id="unknown"), h.waiver(id_="waiver", event_id="waiver"))

    assert (found["deducted"], len(found["deductions"][0]["evidence"])) == ("5.00", 1)


def test_a_waiver_may_name_an_occurrence_for_all_its_deductions() -> None:
    found = h.march(h.visit("a", points=["P1", "P2"]), h.performed("a"), h.visit("b"), h.waiver(occurrence_id="a"))

    assert waived(found) == [("P1", "0.00"), ("P2", "0.00"), ("b", "5.00")]


def test_a_waiver_may_name_an_occurrence_and_a_point() -> None:
    waiver = h.waiver(occurrence_id="a", point_id="P2")

    found = h.march(h.visit("a", points=["P1", "P2"]), h.performed("a"), h.visit("b", points=["P2"]), waiver)

    assert waived(found) == [("P1", "5.00"), ("P2", "0.00"), ("b", "5.00")]


def test_a_waiver_of_a_point_does_not_fit_the_missed_inspection() -> None:
    assert h.march(h.visit(points=["P1"]), h.waiver(occurrence_id="v", point_id="P1"))["deducted"] == "5.00"


def test_a_waiver_may_name_a_system_and_a_period_for_its_not_scheduled() -> None:
    found = h.march(
        h.waiver(system_id="hvac", period="2021-04"), h.waiver(system_id="water", period="2021-05"), as_of="2021-05-31"
    )

    assert waived(found) == [("2021-03", "5.00"), ("2021-04", "0.00"), ("2021-05", "5.00")]


def test_a_waiver_of_a_system_and_period_does_not_fit_a_missed_inspection() -> None:
    assert h.march(h.visit(), h.waiver(system_id="hvac", period="2021-03"))["deducted"] == "5.00"


def test_a_waiver_may_name_a_period_alone_for_its_month_without_inspection() -> None:
    history = [h.waiver(period="2021-01"), h.system(since="2021-01-01"), h.returned("wo", on="2021-01-20")]

    assert waived(h.row("timeliness", *history, as_of="2021-02-28")) == [("2021-01", "0.00"), ("2021-02", "10.00")]
    assert waived(h.row("hvac", *history, as_of="2021-01-31")) == [("2021-01", "5.00")]
    assert waived(h.row("quality", *history, as_of="2021-01-31")) == [("2021-01", "10.00")]


def test_waived_deductions_stay_listed_with_no_points_and_every_waiver_that_fits_as_evidence() -> None:
    waivers = [h.waiver(occurrence_id="v", id_="z-2"), h.waiver(event_id="m", id_="a-1"), h.waiver(occurrence_id="w")]

    (deduction,) = h.march(h.visit(id_="m"), *waivers)["deductions"]

    assert (deduction["points"], deduction["evidence"]) == ("0.00", ["a-1", "m", "z-2"])


def test_what_is_waived_is_not_deducted_and_the_rest_is_met() -> None:
    found = h.row("incidents", h.incident(id_="i"), h.waiver(event_id="i"))

    assert (found["actual"], found["status"], found["deducted"], found["score"]) == (1, "met", "0.00", "15.00")


def test_a_waiver_counts_whenever_it_was_told_once_seen() -> None:
    history = [h.incident(id_="i"), h.waiver(event_id="i", recorded="2022-03-03 12:00")]

    assert h.row("incidents", *history, known_at="2022-03-03 11:59")["deducted"] == "15.00"
    assert h.row("incidents", *history, known_at="2022-03-03 12:00")["deducted"] == "0.00"


def test_the_evidence_of_a_missed_inspection_is_all_that_names_the_occurrence_whatever_its_date() -> None:
    history = [
        h.opened(id_="opened"),
        h.inspected(id_="inspected", recorded="2021-11-11"),
        h.performed(on="2021-10-10", id_="performed"),
        h.visit(id_="first"),
        h.visit(id_="again", recorded="2020-12-02"),
        h.excused(points=["P1"]),
        h.withdrawn(recorded="2021-05-05"),
        h.opened("other"),
        h.opened(None),
    ]

    (deduction,) = h.march(*history)["deductions"]

    assert deduction["evidence"] == ["first", "inspected", "opened", "performed"]


def test_the_evidence_of_a_missed_point_is_the_same() -> None:
    history = [h.visit(id_="c", points=["P1"]), h.performed(id_="b"), h.opened(id_="a")]

    (deduction,) = h.march(*history)["deductions"]

    assert deduction["evidence"] == ["a", "b", "c"]


def test_the_evidence_of_not_scheduled_is_the_registration_and_the_withdrawals_that_hold() -> None:
    history = [
        h.system(id_="registered", recorded="2021-01-01"),
        h.visit("v"),
        h.withdrawn("v", id_="w1"),
        h.withdrawn("v", id_="w2"),
        h.withdrawn("v", recorded="2021-04-01"),
        h.visit("m", activity="maintenance"),
        h.withdrawn("m"),
        h.visit("a", period="2021-04"),
        h.withdrawn("a"),
    ]

    (deduction,) = h.march(*history)["deductions"]

    assert deduction["evidence"] == ["registered", "w1", "w2"]
    assert (deduction["period"], deduction["system_id"], deduction["occurrence_id"]) == ("2021-03", "hvac", None)
