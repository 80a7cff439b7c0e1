"""The wiring of the GB 25201 forms: records of rounds and of faults, as JSON and as sheets to print."""

import base64
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from services.work_orders.answers import InspectionRecord
from services.work_orders.books import work_requests
from services.work_orders.forms.faults import Finding, Repair, faults, repair, repair_of
from services.work_orders.forms.rounds import Hall, Place, record
from services.work_orders.forms.workbook import XLSX, Sheet, fault_sheet, record_sheet, workbook
from services.work_orders.tables import findings, halls, order_points, points, systems
from services.work_orders.views import work_orders
from shared import service
from shared.errors import NotFound
from shared.service import answers, query

REPAIRS = ("corrective", "emergency")
"""The kinds of work that mend what is broken."""


class Paperwork(service.LedgerService):
    """Fills in the official records."""

    @answers(InspectionRecord)
    @query
    def record(self, facility: str, work_order_id: str) -> dict[str, Any]:
        """The 巡查记录 of an order (see `forms.record`), and whether its data is made up; raises NotFound."""
        return {**self._record(facility, work_order_id, self._hall(facility)), "simulated": self.ledger.clock.simulated}

    @query
    def record_sheet(self, facility: str, work_order_id: str) -> dict[str, str]:
        """The 巡查记录 of an order as xlsx: {media_type, body: base64, filename}; raises NotFound."""
        hall = self._hall(facility)
        sheet = record_sheet(self._record(facility, work_order_id, hall), hall)
        return self._file(sheet, f"巡查记录-{work_order_id}.xlsx")

    @query
    def fault_sheet(self, facility: str, year: int, system_id: str | None = None) -> dict[str, str]:
        """The 建筑消防设施故障维修记录 of a year, of one system or all, as xlsx: {media_type, body: base64, filename}."""
        hall = self._hall(facility)
        if system_id is not None and system_id not in hall.systems:
            raise NotFound(f"no system {system_id} in {facility}")
        of_system = [] if system_id is None else [work_orders.c.system_id == system_id]
        rows = faults(year, self._findings(facility, *of_system), self._repairs(facility, *of_system), hall)
        return self._file(fault_sheet(year, rows, hall), f"故障维修记录-{year}.xlsx")

    def _file(self, sheet: Sheet, filename: str) -> dict[str, str]:
        body = base64.b64encode(workbook(sheet, simulated=self.ledger.clock.simulated)).decode()
        return {"media_type": XLSX, "body": body, "filename": filename}

    def _record(self, facility: str, work_order_id: str, hall: Hall) -> dict[str, Any]:
        events = self.ledger.stream(facility, f"work-order/{work_order_id}")
        if not events:
            raise NotFound(f"no work order {work_order_id} in {facility}")
        found = self._findings(facility, work_orders.c.work_order_id == work_order_id)
        at = order_points.c
        about = (at.facility == facility) & at.point_id.in_([one.point_id for one in found])
        repairs = self._repairs(facility, work_orders.c.work_order_id.in_(select(at.work_order_id).where(about)))
        mended = {one.point_id: by.order.work_order_id for one in found if (by := repair_of(one, repairs))}
        return record(events, hall, mended)

    def _hall(self, facility: str) -> Hall:
        database = self.ledger.database
        known = database.rows(select(halls).where(halls.c.facility == facility))
        if not known:
            raise NotFound(f"nothing is known of facility {facility}")
        named = database.rows(select(systems.c.system_id, systems.c.name).where(systems.c.facility == facility))
        rows = database.rows(select(points).where(points.c.facility == facility))
        return Hall(
            name=known[0].name,
            zone=ZoneInfo(known[0].timezone),
            systems={row.system_id: row.name for row in named},
            places={
                row.point_id: Place(label=row.label, equipment=row.equipment, location=row.location) for row in rows
            },
        )

    def _findings(self, facility: str, *of: ColumnElement[bool]) -> list[Finding]:
        """The faults that some orders found, as their last words on points say."""
        order, found = work_orders.c, findings.c
        wanted = (
            select(findings, order.system_id)
            .join(work_orders, (order.facility == found.facility) & (order.work_order_id == found.work_order_id))
            .where(found.facility == facility, found.outcome == "fault", *of)
        )
        return [
            Finding(
                work_order_id=row.work_order_id,
                system_id=row.system_id,
                point_id=row.point_id,
                found_by=row.inspected_by or "",
                found_at=datetime.fromisoformat(row.at),
                note=row.note,
                fixed_on_site=bool(row.fixed_on_site),
            )
            for row in self.ledger.database.rows(wanted)
        ]

    def _repairs(self, facility: str, *of: ColumnElement[bool]) -> list[Repair]:
        """Some of the orders that mend something, and what became of them."""
        order, asked = work_orders.c, work_requests.c
        wanted = (
            select(order.work_order_id, asked.requested_by)
            .join(
                work_requests, (asked.facility == order.facility) & (asked.request_id == order.caused_by), isouter=True
            )
            .where(order.facility == facility, order.kind.in_(REPAIRS), *of)
        )
        rows = self.ledger.database.rows(wanted)
        return [
            repair(self.ledger.stream(facility, f"work-order/{row.work_order_id}"), row.requested_by) for row in rows
        ]
