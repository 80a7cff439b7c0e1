"""`xunjian audit events`: a facility's events as JSON Lines, for `xunjian score` and for whoever asks."""

from collections.abc import Iterator, Mapping

from services.audit.snapshot import one, snapshot, stream
from services.audit.verify import HEAD, LEDGER
from shared.database import Database
from shared.ledger import envelope


def last_positions(databases: Mapping[str, Database], facility: str) -> Mapping[str, int]:
    """How far each service's ledger of a facility goes; those that have none are left out."""
    found: dict[str, int] = {}
    for service, database in databases.items():
        with snapshot(database) as connection:
            head = one(connection, HEAD, facility=facility)
        if head is not None:
            found[service] = head.position
    return found


def event_lines(databases: Mapping[str, Database], facility: str, lasts: Mapping[str, int]) -> Iterator[bytes]:
    """Every envelope of a facility up to these positions, service by service in their order, as one line of JSON each."""
    for service, last in lasts.items():
        with snapshot(databases[service]) as connection:
            for row in stream(connection, LEDGER, facility=facility, last=last):
                yield envelope(bytes(row.body), row.hash)
