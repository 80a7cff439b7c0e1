"""What the tests of the spine begin with: ledgers on fresh databases and a small aggregate."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from shared.aggregate import Aggregate
from shared.clock import Clock, SystemClock
from shared.contracts.work_orders import WorkOrderAssigned
from shared.database import Database
from shared.errors import Rejected
from shared.event import Event
from shared.ledger import GENESIS, Done, Draft, Entry, Fold, Ledger, chained, stripped

NOON = datetime(2021, 3, 9, 12, tzinfo=timezone(timedelta(hours=8)))


class Job(Aggregate):
    """The smallest aggregate: something that people are put on, and each person only once."""

    category = "job"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.assignees: list[str] = []

    def assign(self, assignee: str, at: datetime = NOON) -> None:
        """Put somebody on it; raises Rejected if they are on it already."""
        if assignee in self.assignees:
            raise Rejected(f"{assignee} is on it already")
        self.record(assigned(self.id, assignee), at)

    def apply(self, event: Event) -> None:
        """Remember who is on it."""
        if isinstance(event, WorkOrderAssigned):
            self.assignees.append(event.assignee)


@contextmanager
def ledger_at(
    url: str, service: str = "work_orders", clock: Clock | None = None, fold: Fold | None = None
) -> Iterator[Ledger]:
    """A ledger in a migrated database, closed afterwards."""
    database = Database(url)
    try:
        database.migrate(service)
        yield Ledger(database, service, clock or SystemClock(), fold)
    finally:
        database.close()


def assigned(work_order_id: str = "wo-1", assignee: str = "li") -> WorkOrderAssigned:
    """An event like any other."""
    return WorkOrderAssigned(work_order_id=work_order_id, assignee=assignee)


def draft(stream: str = "job/1", version: int = 1, event: Event | None = None, time: datetime = NOON) -> Draft:
    """An event that wants a place in a stream."""
    return Draft(stream=stream, version=version, event=event or assigned(), time=time)


def entry(*drafts: Draft, facility: str = "hall-1", done: Done | None = None) -> Entry:
    """What one command adds."""
    return Entry(facility=facility, drafts=drafts, actor="user:li", correlation_id="c-1", causation_id="c-1", done=done)


def history(ledger: Ledger, count: int, facility: str = "hall-1") -> None:
    """A facility's first events, a stream each."""
    ledger.append(entry(*(draft(f"job/{n}", 1, assigned(f"wo-{n}")) for n in range(1, count + 1)), facility=facility))


def assert_chain(ledger: Ledger, facility: str) -> list[dict[str, Any]]:
    """Positions 1, 2, 3 … and every hash recomputed, up to the head; returns the envelopes."""
    envelopes, hash_ = [], GENESIS
    for number, whole in enumerate(ledger.raw(facility, limit=1_000_000), start=1):
        body, claimed = stripped(whole.encode())
        found = orjson.loads(body)
        assert (found["position"], found["prevhash"], found["facility"]) == (number, hash_, facility)
        hash_ = chained(hash_, body)
        assert hash_ == claimed
        envelopes.append(found)
    assert ledger.tips().get(facility, {"position": 0, "hash": GENESIS}) == {"position": len(envelopes), "hash": hash_}
    return envelopes


def envelope_of(event: Event, **attributes: Any) -> dict[str, Any]:
    """An envelope as a stranger would send it."""
    return {
        "specversion": "1.0",
        "id": "0193-1",
        "source": f"/{event.type.partition('.')[0]}",
        "type": event.type,
        "time": "2021-03-09T12:00:00+08:00",
        "recordedat": "2021-03-09T04:00:00Z",
        "facility": "hall-1",
        "data": event.data(),
        **attributes,
    }
