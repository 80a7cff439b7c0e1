"""What scheduling needs: the systems and points that it plans for, and the work that tells which visits were performed."""

from kinds import DATE, ID, TEXT, TIMESTAMP, Maybe, holding, many

from consumers import Consumer

CONSUMER = Consumer(
    "scheduling",
    {
        "asset_registry.facility_registered.v1": holding(name=TEXT, timezone=TEXT),
        "asset_registry.system_registered.v1": holding(system_id=ID, name=TEXT, category=TEXT, commissioned_on=DATE),
        "asset_registry.system_decommissioned.v1": holding(system_id=ID, decommissioned_on=DATE),
        "asset_registry.points_added.v1": holding(system_id=ID, points=many(holding(point_id=ID))),
        "asset_registry.points_retired.v1": holding(point_ids=many(ID)),
        "work_orders.work_order_opened.v1": holding(work_order_id=ID, occurrence_id=Maybe(ID)),
        "work_orders.work_order_assigned.v1": holding(work_order_id=ID, assignee=TEXT),
        "work_orders.work_performed.v1": holding(
            work_order_id=ID, occurrence_id=Maybe(ID), performed_at=TIMESTAMP, performed_by=TEXT
        ),
    },
)
