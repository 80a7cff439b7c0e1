"""domain.md, substandard_work: a test a sentence."""

from decimal import Decimal

import pytest

from services.scoring.tests import histories as h

KINDS = ["inspection", "maintenance", "corrective", "emergency"]


def test_substandard_work_per_return_10_kinds_inspection_maintenance_corrective_emergency_the_seed_says_safety_inspection_and_repair_and_maintenance_guarding_and_greening_are_service() -> (
    None
):
    """**`substandard_work`** — `per_return` 10, `kinds` inspection, maintenance, corrective, emergency (the seed
    says 安全检查及维修维护; guarding and greening are `service`).
    """
    (rule,) = (one.rule for one in h.CHENGGONG.indicators if one.id == "quality")
    other = h.ruled("quality", per_return=Decimal(3), kinds=["service"])
    history = [h.returned(kind, kind=kind) for kind in (*KINDS, "service")]

    assert (rule.type, rule.parameters) == ("substandard_work", {"per_return": 10, "kinds": KINDS})
    assert h.row("quality", *history)["deducted"] == "40.00"
    assert h.row("quality", *history, rulebook=other)["deducted"] == "3.00"


@pytest.mark.parametrize("kind", [*KINDS, "service"])
def test_only_verdicts_of_those_kinds_count(kind: str) -> None:
    """Only verdicts of those kinds count."""
    history = [h.returned("a", kind=kind), h.accepted("b", kind=kind), h.accepted("a", on="2021-03-11")]

    found = h.row("quality", *history)

    # Of service, the return of a and the acceptance of b are not seen: a was accepted at once.
    expected = ("100.00", "met", "0.00") if kind == "service" else ("50.00", "unmet", "10.00")
    assert (found["actual"], found["status"], found["deducted"]) == expected


def test_each_work_returned_is_one_deduction() -> None:
    """Each `work_returned` is one deduction."""
    history = [h.returned("a"), h.accepted("a", on="2021-03-11"), h.returned("a", on="2021-03-12"), h.returned("b")]

    found = h.row("quality", *history)

    assert (found["deducted"], found["score"], found["status"]) == ("30.00", "0.00", "unmet")
    assert [deduction["points"] for deduction in found["deductions"]] == ["10.00"] * 3


def test_actual_is_work_orders_whose_first_verdict_that_counts_is_work_accepted_divided_by_work_orders_with_a_verdict_in_percent_null_without_verdicts_then_met() -> (
    None
):
    """Actual = work orders whose first verdict that counts is `work_accepted` ÷ work orders with a verdict, in
    percent (null without verdicts; then `met`).
    """
    verdicts = [
        h.accepted("a"),
        h.returned("a", on="2021-03-11"),
        h.returned("b"),
        h.accepted("b", on="2021-03-11"),
        h.accepted("c"),
        h.opened(),
    ]
    first_by_recordedat = [
        h.accepted("a", on="2021-03-01", recorded="2021-05-02"),
        h.returned("a", on="2021-04-01", recorded="2021-05-01"),
    ]
    first_by_id = [h.returned("a", id_="a"), h.accepted("a", id_="b")]
    first_that_counts = [h.returned("a", on="2020-12-31"), h.accepted("a", on="2021-01-02")]
    nothing = h.row("quality")

    # a and c of a, b and c: 2 ÷ 3 = 66.666… %
    assert (h.row("quality", *verdicts)["actual"], h.row("quality", *verdicts)["deducted"]) == ("66.67", "20.00")
    assert h.row("quality", *first_by_recordedat)["actual"] == "0.00"
    assert h.row("quality", *first_by_id)["actual"] == "0.00"
    assert h.row("quality", *first_that_counts)["actual"] == "100.00"
    assert (nothing["actual"], nothing["status"], nothing["score"]) == (None, "met", "10.00")
