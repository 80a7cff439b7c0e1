"""The limits of readings: which are sense, and how a share of a design value is set."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asset_registry.limits import DIGITS, faults, filled, share
from shared.contracts.asset_registry import Expected

readings = st.decimals(Decimal("0.000001"), Decimal(10**12), places=6, allow_nan=False)
percents = st.decimals(Decimal("0.01"), Decimal(100), places=2, allow_nan=False)


def limits(**members: str) -> Expected:
    """Limits in MPa."""
    return Expected(**{"unit": "MPa", **{name: Decimal(value) for name, value in members.items()}})  # type: ignore[arg-type]  # decimals all


def wrong(expected: Expected) -> list[str]:
    """The fields with a fault."""
    return [field for field, _ in faults(expected)]


@pytest.mark.parametrize(
    "sense",
    [{}, {"low": "1"}, {"high": "1"}, {"low": "1", "high": "1.0"}, {"low": "-5", "high": "-4"}, {"design": "4.2"}],
)
def test_limits_need_not_be_set_and_may_meet(sense: dict[str, str]) -> None:
    assert wrong(limits(**sense)) == []
    assert filled(limits(**sense)) == limits(**sense)


def test_ninety_percent_of_the_design_pressure_is_filled_in_to_the_last_digit() -> None:
    filled_in = filled(limits(design="4.2", low_percent="90", high="5.3"))

    assert filled_in == limits(design="4.2", low_percent="90", low="3.78", high="5.3")
    assert str(filled(limits(design="420", low_percent="100")).low) == "420"


def test_a_low_limit_that_is_given_beside_its_share_must_equal_it() -> None:
    assert wrong(limits(design="4.2", low_percent="90", low="3.780")) == []
    assert wrong(limits(design="4.2", low_percent="90", low="3.8")) == ["low"]


@pytest.mark.parametrize(
    ("nonsense", "field"),
    [
        ({"low": "2", "high": "1.9"}, "high"),
        ({"low_percent": "90"}, "design"),
        ({"low_percent": "90", "design": "0"}, "design"),
        ({"low_percent": "90", "design": "-1"}, "design"),
        ({"low_percent": "0", "design": "4.2"}, "low_percent"),
        ({"low_percent": "100.1", "design": "4.2"}, "low_percent"),
        ({"low_percent": "-90", "design": "4.2"}, "low_percent"),
        ({"low_percent": "90", "design": "4.2", "high": "3.77"}, "high"),
        ({"low_percent": f"0.{29 * '0'}1", "design": f"0.{29 * '0'}1"}, "low_percent"),
        ({"low_percent": "90", "design": "1E+99"}, "low_percent"),
    ],
)
def test_limits_that_contradict_themselves_are_named(nonsense: dict[str, str], field: str) -> None:
    assert wrong(limits(**nonsense)) == [field]


@pytest.mark.parametrize("unit", ["", "  "])
def test_a_unit_is_not_blank(unit: str) -> None:
    assert wrong(Expected(unit=unit)) == ["unit"]


@given(readings, percents)
def test_a_share_is_exact(design: Decimal, percent: Decimal) -> None:
    found = share(design, percent)

    assert Fraction(found) == Fraction(design) * Fraction(percent) / 100
    exponent = int(found.as_tuple().exponent)
    assert -DIGITS <= exponent <= 0
