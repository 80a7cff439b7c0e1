"""What the tests of work orders begin with."""

from datetime import date
from decimal import Decimal

from shared.contracts.asset_registry import Expected, FacilityRegistered, Point, PointsAdded, SystemRegistered
from shared.tests.alone import Alone

PRESSURE = Expected(unit="MPa", low=Decimal("3.78"), high=Decimal("5.00"), design=Decimal("4.20"))


def assets(office: Alone, system_id: str = "hvac", points: tuple[str, ...] = ("P-1", "P-2")) -> None:
    """A system with points is registered, in a facility, and that is heard; a point whose id begins with G has a gauge."""
    if not office.ledgers["asset_registry"].stream(office.hall, "facility/hall"):
        office.tell("facility/hall", facility())
    office.tell(
        f"system/{system_id}",
        SystemRegistered(system_id=system_id, name=system_id, category="hvac", commissioned_on=date(2020, 1, 1)),
        PointsAdded(system_id=system_id, equipment="室内机", points=tuple(map(point, points))),
    )
    office.follow("asset_registry")


def facility(timezone: str = "Asia/Shanghai") -> FacilityRegistered:
    """A hall in a time zone."""
    return FacilityRegistered(
        facility_id="hall", name="政务大厅", uscc="11530121MB198972XH", region_code="530114", timezone=timezone
    )


def point(point_id: str) -> Point:
    """A point in its own room."""
    expected = PRESSURE if point_id.startswith("G") else None
    return Point(point_id=point_id, label=f"{point_id} 号", location="101", expected=expected)
