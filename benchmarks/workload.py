"""What our contenders work on: work_performed events, about 750 bytes each in their envelope."""

from datetime import UTC, datetime
from uuid import uuid4

from shared.contracts.work_orders import WorkPerformed
from shared.ledger import Draft, Entry

NOON = datetime(2021, 3, 9, 12, tzinfo=UTC)


def performed(number: int) -> WorkPerformed:
    """One event, a little different each time."""
    return WorkPerformed(
        work_order_id=f"wo-{number:08}",
        kind="inspection",
        occurrence_id="gas-suppression:2021-03:1",
        system_id="gas-suppression",
        performed_at=NOON,
        performed_by="user:li",
        summary="66 of 67 points were in order",
    )


def entry(facility: str, stream: str, version: int, *, events: int = 1) -> Entry:
    """What appends `events` events to a stream from a version on."""
    drafts = [
        Draft(stream=stream, version=number, event=performed(number), time=NOON)
        for number in range(version, version + events)
    ]
    return Entry(
        facility=facility, drafts=drafts, actor="user:li", correlation_id=str(uuid4()), causation_id=str(uuid4())
    )
