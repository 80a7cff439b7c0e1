"""The asset registry's wiring."""

from functools import partial
from typing import Any

from sqlalchemy import select

from services.asset_registry import answers as forms
from services.asset_registry import commands, exchange, lists, registered, views
from services.asset_registry.aggregate import Facility, System
from services.asset_registry.days import asked_day
from services.asset_registry.history import history
from services.asset_registry.labels import print_labels
from shared import service
from shared.answers import KeptFile
from shared.attachments import Attachments, content_of, document_type
from shared.contracts.asset_registry import (
    EquipmentDescribed,
    FacilityRegistered,
    Nameplate,
    PointReplaced,
    SystemRegistered,
)
from shared.contracts.work_orders import EquipmentReplaced
from shared.errors import Invalid, NotFound, Rejected
from shared.event import Recorded
from shared.pages import Page, page
from shared.rights import INSTALLATION
from shared.service import answers, command, query
from shared.subscription import subscribe
from shared.unit import Unit

MOST_BYTES = 20 * 2**20
"""How large a document is at most."""


class AssetRegistry(service.LedgerService):
    """Keeps facilities, their systems and their points."""

    name = "asset_registry"
    views = views.VIEWS

    @command(commands.RegisterFacility)
    def register_facility(self, do: Unit, asked: commands.RegisterFacility) -> None:
        """Register a facility."""
        if asked.facility_id == INSTALLATION:
            raise Invalid({"facility_id": [f"expected another id than {INSTALLATION}, which stands for no facility"]})
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
        taken = [row for wanted in lists.where_points_are(do.facility, ids) for row in do.rows(wanted)]
        if taken:
            raise Rejected("point ids taken: " + ", ".join(f"{row.point_id} ({row.system_id})" for row in taken))

    @command(commands.RetirePoints)
    def retire_points(self, do: Unit, asked: commands.RetirePoints) -> None:
        """Retire points."""
        do.edit(System, asked.system_id).retire_points(asked.point_ids, asked.reason, do.now)

    @command(commands.RelocatePoint)
    def relocate_point(self, do: Unit, asked: commands.RelocatePoint) -> None:
        """Relocate a point."""
        self._system_with(do, asked.point_id).relocate_point(asked.point_id, asked.location, do.now)

    @command(commands.DescribeEquipment)
    def describe_equipment(self, do: Unit, asked: commands.DescribeEquipment) -> None:
        """Say what equipment is; its documents were kept before."""
        do.edit(System, asked.system_id).describe_equipment(EquipmentDescribed(**vars(asked)), do.now)
        missing = self._attachments.missing(do.facility, {document.sha256 for document in asked.documents})
        unkept = {
            f"documents[{number}].sha256": ["expected a file that was sent before"]
            for number, document in enumerate(asked.documents)
            if document.sha256 in missing
        }
        if unkept:
            raise Invalid(unkept)

    @command(commands.ReplaceEquipment)
    def replace_equipment(self, do: Unit, asked: commands.ReplaceEquipment) -> None:
        """Say that other equipment stands at a point, where no work order says so."""
        nameplate = asked.nameplate or Nameplate()
        replaced = PointReplaced(point_id=asked.point_id, replaced_on=asked.replaced_on, nameplate=nameplate)
        self._system_with(do, asked.point_id).replace(replaced, do.now)

    @answers(forms.ImportedAssets)
    @command(commands.ImportAssets)
    def import_assets(self, do: Unit, asked: commands.ImportAssets) -> dict[str, Any]:
        """Add what a sheet lists, all of it or nothing; answers {dry_run, systems, equipment, points, unchanged}."""
        do.edit(Facility, do.facility)
        known = registered.registry(do.rows, do.facility)
        found = exchange.read_form(content_of(asked.file), asked.media_type, known, do.now)
        exchange.record(do, found)
        if asked.dry_run:
            do.forget()
        return {"dry_run": asked.dry_run, **found.counts}

    @answers(KeptFile)
    @command(commands.KeepDocument)
    def keep_document(self, do: Unit, asked: commands.KeepDocument) -> dict[str, Any]:
        """Keep a PDF document or a picture of at most 20 MiB; answers {sha256, media_type, size}."""
        do.edit(Facility, do.facility)
        content = content_of(asked.file)
        if len(content) > MOST_BYTES:
            raise Invalid({"file": [f"expected at most {MOST_BYTES} bytes"]})
        return self._attachments.keep(do.facility, content, document_type(content))

    @subscribe("work_orders", EquipmentReplaced)
    def on_equipment_replaced(self, do: Unit, recorded: Recorded) -> None:
        """Know what stands at a point since work replaced its equipment; a point that is not in use is passed over."""
        event = recorded.event
        system_id = _system_of(do, event.point_id) if isinstance(event, EquipmentReplaced) else None
        if isinstance(event, EquipmentReplaced) and system_id is not None:
            replaced = PointReplaced(
                point_id=event.point_id,
                replaced_on=event.replaced_on,
                nameplate=event.nameplate or Nameplate(),
                work_order_id=event.work_order_id,
            )
            do.edit(System, system_id).follow_replacement(replaced, recorded.time)

    def _system_with(self, do: Unit, point_id: str) -> System:
        system_id = _system_of(do, point_id)
        if system_id is None:
            raise NotFound(f"no point {point_id} in {do.facility}")
        return do.edit(System, system_id)

    @answers(forms.RegisteredFacility)
    @query
    def facilities(
        self,
        *,
        q: str | None = None,
        facilities: list[str] | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """The facilities that the caller may see, of those given by id; EVERYWHERE, or None, stands for all."""
        return page(self.ledger.database, *lists.facilities(q, facilities), sort, cursor, limit)

    @answers(forms.RegisteredFacility)
    @query
    def facility(self, facility: str) -> dict[str, Any]:
        """One facility; raises NotFound."""
        table = views.facilities
        found = self.ledger.database.mappings(select(table).where(table.c.facility_id == facility))
        if not found:
            raise NotFound(f"no facility {facility}")
        return found[0]

    @answers(forms.RegisteredSystem)
    @query
    def systems(
        self,
        facility: str,
        *,
        as_of: str | None = None,
        category: str | None = None,
        q: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """The systems of a facility; on a day, those that had come into commission by then, as they were."""
        listing = lists.systems(facility, asked_day(as_of), category=category, q=q)
        return page(self.ledger.database, *listing, sort, cursor, limit)

    @answers(forms.RegisteredPoint)
    @query
    def points(
        self,
        facility: str,
        *,
        system_id: str | None = None,
        equipment: str | None = None,
        q: str | None = None,
        location: str | None = None,
        retired: bool | None = None,
        warranty_before: str | None = None,
        as_of: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """Points with their nameplates, those of their own or of their groups; retired ones are marked."""
        if warranty_before is not None:
            asked_day(warranty_before, "warranty_before")
        listing = lists.points(
            facility,
            asked_day(as_of),
            q=q,
            location=location,
            warranty_before=warranty_before,
            system_id=system_id,
            equipment=equipment,
            retired=retired,
        )
        found = page(self.ledger.database, *listing, sort, cursor, limit)
        return Page(items=[lists.with_limits(point) for point in found["items"]], next=found["next"])

    @answers(forms.PointWithHistory)
    @query
    def point(self, facility: str, point_id: str, as_of: str | None = None) -> dict[str, Any]:
        """One point, its documents [{sha256, title}], and its history (`history`); raises NotFound."""
        day = asked_day(as_of)
        rows = self.ledger.database.mappings(lists.point(facility, day, point_id))
        if not rows:
            raise NotFound(f"no point {point_id} in {facility}")
        (found,) = rows
        past = self.ledger.stream(facility, System(found["system_id"]).stream)
        with self.ledger.database.read() as connection:
            zone = views.timezone(connection, facility)
        told = list(history(past, point_id, found["equipment"], day_of=partial(views.day_of, zone=zone), until=day))
        return {**lists.with_limits(found), "documents": found["documents"] or [], "history": told}

    @answers(forms.EquipmentGroup)
    @query
    def equipment(
        self,
        facility: str,
        *,
        system_id: str | None = None,
        q: str | None = None,
        as_of: str | None = None,
        sort: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page:
        """Groups of like equipment: how many points of each are in use, nameplate and documents of the whole group."""
        listing = lists.equipment(facility, asked_day(as_of), system_id=system_id, q=q)
        found = page(self.ledger.database, *listing, sort, cursor, limit)
        items = [{**group, "documents": group["documents"] or []} for group in found["items"]]
        return Page(items=items, next=found["next"])

    @query
    def document(self, facility: str, sha256: str) -> dict[str, str]:
        """A document as a download; raises NotFound."""
        return self._attachments.read(facility, sha256)

    @query
    def export_assets(
        self,
        facility: str,
        format: str | None = None,  # noqa: A002  the word of the API
        as_of: str | None = None,
    ) -> dict[str, str]:
        """Systems in commission and points in use as a download, in the form that an import reads: xlsx or csv."""
        self.facility(facility)
        simulated = self.ledger.clock.simulated
        return exchange.write_form(
            self.ledger.database.rows, facility, format or "xlsx", asked_day(as_of), simulated=simulated
        )

    @query
    def labels(
        self, facility: str, system_id: str | None = None, equipment: str | None = None, base: str | None = None
    ) -> dict[str, str]:
        """A page of labels to print, for the points in use: HTML as a download."""
        hall, ask = self.facility(facility), self.ledger.database.rows
        return print_labels(
            hall, registered.labelled(ask, facility, system_id, equipment), base, simulated=self.ledger.clock.simulated
        )

    @property
    def _attachments(self) -> Attachments:
        return Attachments(self.ledger.database, views.attachments)


def _system_of(do: Unit, point_id: str) -> str | None:
    """The system that has a point, in use or retired."""
    (wanted,) = lists.where_points_are(do.facility, [point_id])
    rows = do.rows(wanted)
    return str(rows[0].system_id) if rows else None
