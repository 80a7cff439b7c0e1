"""What may be said of points, and every fault of what may not."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.work_orders.findings import Known, faults
from shared.contracts.asset_registry import Expected
from shared.contracts.work_orders import PointResult

BOTTLE = Expected(unit="MPa", low=Decimal("3.78"), high=Decimal("5.00"))
SEEN, UNSEEN = "a" * 64, "b" * 64
KNOWN = Known(expected={"bottle": BOTTLE, "lamp": None}, missing_photos={UNSEEN})
POINTS = ("bottle", "lamp")


def said(point_id: str = "bottle", outcome: Any = "normal", **more: Any) -> PointResult:
    """What is said of a point."""
    return PointResult(point_id=point_id, outcome=outcome, **more)


def read(reading: str, unit: str | None = "MPa", outcome: str = "normal") -> PointResult:
    """What the bottle's gauge is said to show."""
    return said(outcome=outcome, reading=Decimal(reading), unit=unit)


@pytest.mark.parametrize(
    "right",
    [
        said(),
        read("3.78"),
        read("5"),
        read("3.20", outcome="fault"),
        said("lamp", reading=Decimal(220), unit="V"),
        said(outcome="not_applicable", note="现场封闭"),
        said(outcome="fault", fixed_on_site=True),
        said(fixed_on_site=False),
        said(photos=(SEEN,)),
    ],
)
def test_what_can_be_is_taken(right: PointResult) -> None:
    assert faults([right], POINTS, KNOWN) == {}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (said("P-9"), {"point_id": "P-9 is not of this work order"}),
        (read("4", None), {"unit": "expected the unit MPa, not none"}),
        (read("4", "bar"), {"unit": "expected the unit MPa, not bar"}),
        (said("lamp", reading=Decimal(220)), {"unit": "expected the unit of the reading"}),
        (said("lamp", reading=Decimal(220), unit=" "), {"unit": "expected the unit of the reading"}),
        (said(unit="MPa"), {"reading": "expected a reading beside the unit"}),
        (read("3.20"), {"outcome": "expected the outcome fault: 3.20 MPa is below 3.78"}),
        (read("5.01"), {"outcome": "expected the outcome fault: 5.01 MPa is above 5.00"}),
        (said(outcome="not_applicable"), {"note": "expected words on why the point is not applicable"}),
        (said(outcome="not_applicable", note=" "), {"note": "expected words on why the point is not applicable"}),
        (said(fixed_on_site=True), {"fixed_on_site": "expected only with the outcome fault"}),
        (said(photos=(UNSEEN,)), {"photos[0]": f"expected a photo that was uploaded before, not {UNSEEN}"}),
        (said(photos=(SEEN, SEEN)), {"photos[1]": f"{SEEN} is twice"}),
    ],
)
def test_what_cannot_be_is_named_by_its_field(wrong: PointResult, named: dict[str, str]) -> None:
    found = faults([said("lamp"), wrong] if wrong.point_id != "lamp" else [said(), wrong], POINTS, KNOWN)

    assert found == {f"results[1].{field}": [why] for field, why in named.items()}


def test_all_that_is_wrong_is_named_at_once() -> None:
    results = [read("3.20"), said("bottle", "not_applicable", photos=(UNSEEN,)), said("P-9", fixed_on_site=True)]

    assert sorted(faults(results, POINTS, KNOWN)) == [
        "results[0].outcome",
        "results[1].note",
        "results[1].photos[0]",
        "results[1].point_id",
        "results[2].fixed_on_site",
        "results[2].point_id",
    ]


@given(reading=st.decimals("0", "9", places=2), outcome=st.sampled_from(["normal", "fault"]))
def test_a_reading_is_called_normal_only_between_its_limits(reading: Decimal, outcome: str) -> None:
    taken = not faults([read(str(reading), outcome=outcome)], POINTS, KNOWN)

    assert taken == (outcome == "fault" or Decimal("3.78") <= reading <= Decimal("5.00"))
