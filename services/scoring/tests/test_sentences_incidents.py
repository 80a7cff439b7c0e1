"""domain.md, incidents: a test a sentence."""

from decimal import Decimal

from services.scoring.tests import histories as h


def test_incidents_per_incident_15() -> None:
    """**`incidents`** — `per_incident` 15."""
    (rule,) = (one.rule for one in h.CHENGGONG.indicators if one.id == "incidents")
    other = h.ruled("incidents", per_incident=Decimal(3))

    assert (rule.type, rule.parameters) == ("incidents", {"per_incident": 15})
    assert h.row("incidents", h.incident())["deducted"] == "15.00"
    assert h.row("incidents", h.incident(), rulebook=other)["deducted"] == "3.00"


def test_each_incident_confirmed_not_dismissed_with_visitors_affected_and_at_least_one_harm_life_and_property_read_as_either() -> (
    None
):
    """Each `incident_confirmed`, not dismissed, with `visitors_affected` and at least one harm (生命及财产 read as
    either).
    """
    history = [
        h.incident("a", harms=["life"], id_="a1"),
        h.incident("b", harms=["property"], id_="b1"),
        h.incident("c", harms=["life", "property"], id_="c1"),
        h.incident("d", harms=[]),
        h.incident("e", visitors=False),
        h.incident("f"),
        h.dismissed("f"),
    ]

    found = h.row("incidents", *history)

    assert [deduction["evidence"] for deduction in found["deductions"]] == [["a1"], ["b1"], ["c1"]]
    assert (found["deducted"], found["score"], found["status"]) == ("45.00", "0.00", "unmet")


def test_actual_is_their_number() -> None:
    """Actual = their number."""
    history = [h.incident("a"), h.incident("b"), h.incident("c", visitors=False), h.incident("d"), h.dismissed("d")]

    assert h.row("incidents")["actual"] == 0
    assert h.row("incidents", *history)["actual"] == 2
