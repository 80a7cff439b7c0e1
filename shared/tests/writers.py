"""Twenty writers on five facilities, as a program of its own: `python -m shared.tests.writers URL threads|greenlets`.

Every writer adds events to a stream of its own, and fights for a stream that all writers of its facility share; a
third of the events carry a fold. Prints how many events were committed, as JSON.
"""

import sys

if sys.argv[2] == "greenlets":
    import warnings

    warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()

import json
import threading
from contextlib import ExitStack
from uuid import uuid4

from sqlalchemy import Connection, text

from shared.errors import Conflict
from shared.event import Recorded
from shared.ledger import Ledger
from shared.tests.given import draft, entry, ledger_at

FACILITIES = 5
OWN = 6
SHARED = 3


def fold(connection: Connection, recorded: Recorded) -> None:
    """A view: the positions of each facility, in the order in which they were folded."""
    row = {"facility": recorded.facility, "position": recorded.position}
    connection.execute(text("INSERT INTO seen VALUES (:facility, :position)"), row)


def write(ledger: Ledger, facility: str) -> None:
    """What one writer does."""
    own = f"job/{uuid4()}"
    for version in range(1, OWN + 1):
        ledger.append(entry(draft(own, version), facility=facility))
    done = 0
    while done < SHARED:
        version = len(ledger.stream(facility, "job/shared")) + 1
        try:
            ledger.append(entry(draft("job/shared", version), draft(own, OWN + done + 1), facility=facility))
        except Conflict:
            continue
        done += 1


def main(url: str, kind: str, writers: int = 20) -> None:
    """Let them write, on two ledgers: one with views, one without, like two services' code on the same tables."""
    with ExitStack() as stack:
        ledgers = [stack.enter_context(ledger_at(url, fold=view)) for view in (fold, None)]
        jobs = [
            threading.Thread(target=write, args=(ledgers[number % 3 == 0], f"hall-{number % FACILITIES}"))
            for number in range(writers)
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    sys.stdout.write(json.dumps({"events": writers * (OWN + 2 * SHARED)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20)
