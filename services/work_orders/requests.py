"""Requests (报修申请): what they may name, and the order that grants one."""

from sqlalchemy import select

from services.work_orders.commands import ApproveWorkRequest, OpenWorkOrder, RequestWork
from services.work_orders.tables import points, systems
from shared.contracts.work_orders import WorkRequested
from shared.unit import Unit


def faults(do: Unit, asked: RequestWork) -> dict[str, list[str]]:
    """What a request names that is not known, by field; what is retired may still be asked about."""
    found: dict[str, list[str]] = {}
    system, point = systems.c, points.c
    known = select(system.system_id).where(system.facility == do.facility, system.system_id == asked.system_id)
    if asked.system_id is not None and not do.rows(known):
        found["system_id"] = [f"expected a registered system, not {asked.system_id}"]
    if asked.point_id is not None:
        there = do.rows(select(point.system_id).where(point.facility == do.facility, point.point_id == asked.point_id))
        if not there:
            found["point_id"] = [f"expected a registered point, not {asked.point_id}"]
        elif asked.system_id not in (None, there[0].system_id):
            found["point_id"] = [
                f"expected a point of system {asked.system_id}; {asked.point_id} is of {there[0].system_id}"
            ]
    return found


def order_for(asked: ApproveWorkRequest, request: WorkRequested) -> OpenWorkOrder:
    """The order that grants a request, in the approver's words or else the requester's."""
    return OpenWorkOrder(
        kind=asked.kind,
        system_id=asked.system_id,
        point_ids=asked.point_ids,
        priority=asked.priority,
        work_order_id=asked.work_order_id,
        description=asked.description or request.description,
        caused_by=asked.request_id,
    )
