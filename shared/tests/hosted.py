"""Two services as small as they can be, one following the other; also a program: `python -m shared.tests.hosted CONFIG`.

CONFIG is nameko's configuration as JSON; the program hosts the followed service, and with it its relay, until killed.
"""

import sys

if __name__ == "__main__":
    import warnings

    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nameko.runners import ServiceRunner
from sqlalchemy import text

from shared import embedded, service  # noqa: F401  the embedded broker is known once it is imported
from shared.contracts.work_orders import WorkOrderAssigned
from shared.event import Recorded
from shared.ledger import Ledger
from shared.provider import ledger_of
from shared.subscription import subscribe
from shared.tests.given import Job
from shared.unit import Unit


class Followed(service.LedgerService):
    """Keeps a ledger and publishes it."""

    name = "work_orders"


class Follower(service.LedgerService):
    """Takes somebody on for each who was assigned."""

    name = "scoring"

    @subscribe("work_orders", WorkOrderAssigned)
    def on_work_order_assigned(self, do: Unit, recorded: Recorded) -> None:
        """React with an event, and with a row."""
        do.find(Job, "theirs").assign(f"{recorded.event.data()['assignee']}-{recorded.position}")
        row = {"facility": recorded.facility, "position": recorded.position}
        do.execute(text("INSERT INTO effect VALUES (:facility, :position)").bindparams(**row))


def configuration(broker: str, *databases: str) -> dict[str, Any]:
    """The configuration of both, impatient as tests are."""
    return {
        "AMQP_URI": broker,
        "DATABASES": dict(zip((Followed.name, Follower.name), databases, strict=False)),
        "PARTITIONS": 2,
        "POLL_SECONDS": 0.1,
        "CATCH_UP_SECONDS": 1.0,
        "RPC_DEADLINE_SECONDS": 5.0,
        "serializer": "json",
        "max_workers": 4,
    }


@contextmanager
def hosting(config: dict[str, Any], *services: type) -> Iterator[list[Ledger]]:
    """Host services in this process; gives their ledgers. At the end they are killed: stopping takes nameko seconds."""
    runner = ServiceRunner(config)
    for one in services:
        runner.add_service(one)
    runner.start()
    ledgers = [ledger_of(container) for container in runner.containers]
    try:
        yield ledgers
    finally:
        runner.kill()
        for ledger in ledgers:
            ledger.database.close()


def main(config: dict[str, Any]) -> None:
    """Host the followed service for ever."""
    runner = ServiceRunner(config)
    runner.add_service(Followed)
    runner.start()
    runner.wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
