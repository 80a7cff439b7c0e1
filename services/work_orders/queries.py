"""What can be asked about work orders: lists, one order, its round, its history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import orjson
from sqlalchemy import ColumnElement, and_, not_, select

from services.work_orders.aggregate import UNFINISHED, Status, WorkOrder
from services.work_orders.mending import oldest_at_each, open_faults
from services.work_orders.tables import findings, order_points, points, sortable
from services.work_orders.views import work_orders as orders
from shared.contracts.work_orders import Priority, WorkKind
from shared.errors import Invalid, NotFound
from shared.ledger import Ledger, envelope, events
from shared.pages import Page, page

SORTS = {
    "work_order_id": (orders.c.work_order_id,),
    "due_at": (orders.c.due_sort, orders.c.work_order_id),
    "opened_at": (orders.c.opened_at, orders.c.work_order_id),
}
WORDS: Mapping[str, tuple[str, ...]] = {
    "status": tuple(status.value for status in Status),
    "kind": get_args(WorkKind),
    "priority": get_args(Priority),
}
"""The filters that are one of some words."""
EQUAL = ("status", "kind", "system_id", "occurrence_id", "assignee", "priority", "caused_by")
"""The filters that name a column's value."""


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which orders of a list are wanted; what is None filters nothing.

    `due_before` is a timestamp; `overdue` is due by now and not done.
    """

    status: str | None = None
    kind: str | None = None
    system_id: str | None = None
    occurrence_id: str | None = None
    assignee: str | None = None
    priority: str | None = None
    caused_by: str | None = None
    point_id: str | None = None
    due_before: str | None = None
    overdue: bool | None = None
    sort: str | None = None
    cursor: str | None = None
    limit: int | None = None


def work_orders(ledger: Ledger, facility: str, filters: Filters) -> Page:
    """A page of orders; raises Invalid for a filter, a sort or a cursor that cannot be."""
    if faults := dict(_unknown_words(filters)):
        raise Invalid(faults)
    wanted = select(orders).where(orders.c.facility == facility, *_conditions(ledger, facility, filters))
    found = page(ledger.database, wanted, SORTS, filters.sort, filters.cursor, filters.limit)
    return Page(items=[_shown(row) for row in found["items"]], next=found["next"])


def work_order(ledger: Ledger, facility: str, work_order_id: str) -> dict[str, Any]:
    """One order, and in `caused` the ids of the orders that it caused, as they were opened."""
    order = orders.c
    found = ledger.database.mappings(
        select(orders).where(order.facility == facility, order.work_order_id == work_order_id)
    )
    if not found:
        raise NotFound(f"no work order {work_order_id} in {facility}")
    caused = (
        select(order.work_order_id)
        .where(order.facility == facility, order.caused_by == work_order_id)
        .order_by(order.opened_at, order.work_order_id)
    )
    return {**_shown(found[0]), "caused": [row.work_order_id for row in ledger.database.rows(caused)]}


def round_(ledger: Ledger, facility: str, work_order_id: str) -> dict[str, Any]:
    """The points of an order as it names them: what each is, the last result, the oldest fault that is open there.

    `unnamed` are those without a result that `perform` wants named: those of an inspection.
    """
    order = work_order(ledger, facility, work_order_id)
    ids: list[str] = order["point_ids"]
    known = {
        row["point_id"]: row
        for row in ledger.database.mappings(
            select(points).where(points.c.facility == facility, points.c.point_id.in_(ids))
        )
    }
    results = {
        row["point_id"]: {name: value for name, value in row.items() if name not in ("facility", "work_order_id")}
        for row in ledger.database.mappings(
            select(findings).where(findings.c.facility == facility, findings.c.work_order_id == work_order_id)
        )
    }
    open_now = ledger.database.rows(open_faults(facility, ids))
    faults = oldest_at_each(row for row in open_now if row.work_order_id != work_order_id)
    return {
        **{name: order[name] for name in ("work_order_id", "kind", "system_id", "occurrence_id", "status")},
        "points": [
            {
                "point_id": id_,
                **{name: known.get(id_, {}).get(name) for name in ("label", "location", "equipment", "expected")},
                "result": results.get(id_),
                "open_fault": _fault(faults.get(id_)),
            }
            for id_ in ids
        ],
        "unnamed": [id_ for id_ in ids if id_ not in results and order["kind"] == "inspection"],
    }


def history(ledger: Ledger, facility: str, work_order_id: str) -> list[dict[str, Any]]:
    """The envelopes of an order as they were recorded and hashed, oldest first."""
    stream = WorkOrder(work_order_id).stream
    rows = ledger.database.rows(
        select(events.c.body, events.c.hash)
        .where(events.c.facility == facility, events.c.stream == stream)
        .order_by(events.c.version)
    )
    if not rows:
        raise NotFound(f"no work order {work_order_id} in {facility}")
    return [orjson.loads(envelope(row.body, row.hash)) for row in rows]


def _unknown_words(filters: Filters) -> Iterator[tuple[str, list[str]]]:
    for name, words in WORDS.items():
        value = getattr(filters, name)
        if value is not None and value not in words:
            yield name, [f"expected one of {', '.join(words)}"]


def _conditions(ledger: Ledger, facility: str, filters: Filters) -> Iterator[ColumnElement[bool]]:
    order = orders.c
    for name in EQUAL:
        if (value := getattr(filters, name)) is not None:
            yield order[name] == value
    if filters.point_id is not None:
        at = order_points.c
        yield order.work_order_id.in_(
            select(at.work_order_id).where(at.facility == facility, at.point_id == filters.point_id)
        )
    if filters.due_before is not None:
        yield order.due_sort < sortable(_moment("due_before", filters.due_before))
    if filters.overdue is not None:
        undone = order.status.in_([status.value for status in UNFINISHED])
        late = and_(undone, order.due_sort <= sortable(ledger.clock.now()))
        yield late if filters.overdue else not_(late)


def _moment(field: str, words: str) -> datetime:
    expected = Invalid({field: ["expected a timestamp with offset (RFC 3339)"]})
    try:
        moment = datetime.fromisoformat(words)
    except ValueError as fault:
        raise expected from fault
    if moment.tzinfo is None:
        raise expected
    return moment


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "due_sort"}


def _fault(row: Any) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"work_order_id": row.work_order_id, "opened_at": row.opened_at, "description": row.description}
