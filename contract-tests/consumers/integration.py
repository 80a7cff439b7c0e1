"""What integration needs: it numbers every event of every facility and hands it on as it came; for its days it asks where."""

from kinds import TEXT, holding

from consumers import Consumer

CONSUMER = Consumer(
    "integration",
    {"asset_registry.facility_registered.v1": holding(timezone=TEXT)},
    follows_all_of=("asset_registry", "integration", "scheduling", "scoring", "work_orders"),
)
