"""The asset registry's wiring."""

from typing import Any

from sqlalchemy import select

from services.asset_registry import commands, views
from services.asset_registry.aggregate import Facility, System
from shared import service
from shared.contracts.asset_registry import FacilityRegistered, SystemRegistered
from shared.errors import NotFound, Rejected
from shared.service import command, query
from shared.unit import Unit


class AssetRegistry(service.LedgerService):
    """Keeps facilities, their systems and their points."""

    name = "asset_registry"
    fold = staticmethod(views.fold)

    @command(commands.RegisterFacility)
    def register_facility(self, do: Unit, asked: commands.RegisterFacility) -> None:
        """Register a facility."""
        do.find(Facility, asked.facility_id).register(FacilityRegistered(**vars(asked)), do.now)

    @command(commands.RegisterSystem)
    def register_system(self, do: Unit, asked: commands.RegisterSystem) -> None:
        """Put a system of a registered facility in commission."""
        do.edit(Facility, do.facility)
        do.find(System, asked.system_id).register(SystemRegistered(**vars(asked)), do.now)

    @command(commands.DecommissionSystem)
    def decommission_system(self, do: Unit, asked: commands.DecommissionSystem) -> None:
        """Take a system out of commission."""
        do.edit(System, asked.system_id).decommission(asked.decommissioned_on, asked.reason, do.now)

    @command(commands.AddPoints)
    def add_points(self, do: Unit, asked: commands.AddPoints) -> None:
        """Add points whose ids are new in the whole facility."""
        do.edit(System, asked.system_id).add_points(asked.equipment, asked.points, do.now)
        ids = [point.point_id for point in asked.points]
        taken = do.rows(
            select(views.points.c.point_id, views.points.c.system_id).where(
                views.points.c.facility == do.facility, views.points.c.point_id.in_(ids)
            )
        )
        if taken:
            raise Rejected("point ids taken: " + ", ".join(f"{row.point_id} ({row.system_id})" for row in taken))

    @command(commands.RetirePoints)
    def retire_points(self, do: Unit, asked: commands.RetirePoints) -> None:
        """Retire points."""
        do.edit(System, asked.system_id).retire_points(asked.point_ids, asked.reason, do.now)

    @command(commands.RelocatePoint)
    def relocate_point(self, do: Unit, asked: commands.RelocatePoint) -> None:
        """Relocate a point."""
        rows = do.rows(
            select(views.points.c.system_id).where(
                views.points.c.facility == do.facility, views.points.c.point_id == asked.point_id
            )
        )
        if not rows:
            raise NotFound(f"no point {asked.point_id} in {do.facility}")
        do.edit(System, rows[0].system_id).relocate_point(asked.point_id, asked.location, do.now)

    @query
    def facilities(self) -> list[dict[str, Any]]:
        """All facilities."""
        return self.ledger.database.mappings(select(views.facilities).order_by(views.facilities.c.facility_id))

    @query
    def facility(self, facility: str) -> dict[str, Any]:
        """One facility; raises NotFound."""
        table = views.facilities
        found = self.ledger.database.mappings(select(table).where(table.c.facility_id == facility))
        if not found:
            raise NotFound(f"no facility {facility}")
        return found[0]

    @query
    def systems(self, facility: str) -> list[dict[str, Any]]:
        """The systems of a facility."""
        table = views.systems
        wanted = select(table).where(table.c.facility == facility)
        return self.ledger.database.mappings(wanted.order_by(table.c.system_id))

    @query
    def points(self, facility: str, system_id: str) -> list[dict[str, Any]]:
        """The points of a system, retired ones marked."""
        table = views.points
        wanted = select(table).where(table.c.facility == facility, table.c.system_id == system_id)
        return self.ledger.database.mappings(wanted.order_by(table.c.point_id))
