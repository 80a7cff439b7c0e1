"""`xunjian audit events`: a facility's events as JSON Lines, for `xunjian score` and for whoever asks."""

from collections.abc import Iterator
from pathlib import Path

from services.audit.snapshot import Unreadable, of_config, of_folder, one, snapshot, stream
from shared.ledger import envelope

_FACILITIES = "SELECT count(*) AS number, min(facility) AS first FROM ledger"
_EVENTS = "SELECT body, hash FROM event WHERE facility = :facility ORDER BY position"


def event_lines(data: Path, config: Path | None, facility: str | None) -> Iterator[bytes]:
    """Every envelope of a facility, service by service in the order of their ledgers, as one line of JSON each.

    Without `facility` there must be just one. Raises Unreadable.
    """
    databases = of_config(config) if config is not None else of_folder(data)
    for service, database in databases.items():
        with snapshot(database) as connection:
            if facility is None:
                known = one(connection, _FACILITIES)
                if known.number != 1:
                    raise Unreadable(f"--facility: expected one of the {known.number} facilities of {service}")
                facility = known.first
            for row in stream(connection, _EVENTS, facility=facility):
                yield envelope(bytes(row.body), row.hash)
        database.close()
