"""What the asset registry needs: what stands at a point since work replaced it."""

from kinds import DATE, ID, TEXT, Maybe, holding

from consumers import Consumer

CONSUMER = Consumer(
    "asset_registry",
    {
        "work_orders.equipment_replaced.v1": holding(
            work_order_id=ID,
            point_id=ID,
            replaced_on=DATE,
            nameplate=Maybe(
                holding(
                    maker=Maybe(TEXT),
                    model=Maybe(TEXT),
                    serial=Maybe(TEXT),
                    supplier=Maybe(TEXT),
                    installed_on=Maybe(DATE),
                    warranty_until=Maybe(DATE),
                )
            ),
        )
    },
)
