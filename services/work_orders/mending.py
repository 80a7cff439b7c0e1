"""Faults and the orders that mend them: which are open at a point, and the order that a new one opens."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select

from services.work_orders.aggregate import UNFINISHED, WorkOrder
from services.work_orders.tables import order_points
from services.work_orders.views import work_orders
from shared.contracts.work_orders import PointResult, WorkOrderOpened
from shared.unit import Unit

MENDING = "mend:"
"""How the ids of orders begin that faults opened, and no other."""


def open_faults(facility: str, point_ids: Sequence[str]) -> Select[Any]:
    """The corrective orders at points that somebody still has to work on, oldest first, a row per point and order."""
    order, at = work_orders.c, order_points.c
    return (
        select(at.point_id, order.work_order_id, order.opened_at, order.description)
        .join(work_orders, (order.facility == at.facility) & (order.work_order_id == at.work_order_id))
        .where(at.facility == facility, at.point_id.in_(point_ids))
        .where(order.kind == "corrective", order.status.in_([status.value for status in UNFINISHED]))
        .order_by(order.opened_at, order.work_order_id)
    )


def oldest_at_each(rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    """The oldest open fault of each point."""
    oldest: dict[str, Row[Any]] = {}
    for row in rows:
        oldest.setdefault(row.point_id, row)
    return oldest


def mend(
    do: Unit, found_by: WorkOrder, results: Sequence[PointResult], open_order: Callable[[Unit, WorkOrderOpened], None]
) -> dict[str, list[str]]:
    """Have every fault mended that was not fixed on site: {opened: new orders, known: those that were open already}."""
    answer: dict[str, list[str]] = {"opened": [], "known": []}
    faults = {result.point_id: result for result in results if result.outcome == "fault" and not result.fixed_on_site}
    known = oldest_at_each(do.rows(open_faults(do.facility, list(faults)))) if faults else {}
    for point_id, fault in faults.items():
        if point_id in known:
            answer["known"].append(known[point_id].work_order_id)
            continue
        corrective = do.find(WorkOrder, corrective_of(point_id, _mended(do, point_id) + 1))
        if corrective.exists:  # opened by somebody else since we looked
            answer["known"].append(corrective.id)
            continue
        open_order(do, _order(corrective.id, found_by, fault))
        answer["opened"].append(corrective.id)
    return {name: list(dict.fromkeys(ids)) for name, ids in answer.items()}


def corrective_of(point_id: str, number: int) -> str:
    """The id of the order that mends a point for the `number`th time; hashed, as the point's may be too long."""
    return f"{MENDING}{point_id[:42]}:{short_hash(point_id, str(number))}"


def short_hash(*parts: str) -> str:
    """32 hexadecimal digits that stand for some ids, which hold no blank."""
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _mended(do: Unit, point_id: str) -> int:
    """How many orders faults at a point have opened so far."""
    at = order_points.c
    opened = (at.facility == do.facility) & (at.point_id == point_id) & at.work_order_id.like(f"{MENDING}%")
    return int(do.rows(select(func.count()).select_from(order_points).where(opened))[0][0])


def _order(id_: str, found_by: WorkOrder, fault: PointResult) -> WorkOrderOpened:
    return WorkOrderOpened(
        work_order_id=id_,
        kind="corrective",
        system_id=found_by.order.system_id,
        point_ids=(fault.point_id,),
        priority="high",
        description=fault.note,
        caused_by=found_by.id,
    )
