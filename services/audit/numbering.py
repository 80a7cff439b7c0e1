"""Whether the numbered sequence of each facility is what arrived: no number and no event left out, none there twice."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from sqlalchemy import Connection

from services.audit.chain import shown
from services.audit.snapshot import distinct, one, snapshot, stream, tables_of
from shared.config import FED
from shared.database import Database

KEEPER = "integration"
"""The service that numbers what all others tell, and what it tells itself."""

Told = tuple[Any, Any, str]
"""Facility, None (no position of a ledger), and what differs."""

_NUMBERED = "SELECT number, source, position, type, hash FROM feed WHERE facility = :facility ORDER BY number"
_HEADS = "SELECT facility, number FROM feed_head"
_CHECKPOINTS = "SELECT source, facility, position FROM checkpoint"
_ORIGINALS = "SELECT position, type, hash FROM event WHERE facility = :facility ORDER BY position"
_ORIGINAL = "SELECT position, type, hash FROM event WHERE facility = :facility AND position = :position"


class _Ledger:
    """One facility's events of one source: asked for in their order they are read as one stream."""

    def __init__(self, connection: Connection, facility: str) -> None:
        self._connection = connection
        self._facility = facility
        self._rows = stream(connection, _ORIGINALS, facility=facility)
        self._at = 0
        self.followed = 0
        """The position of the numbered event that was the right one last."""

    def original(self, position: Any) -> Any:
        """The event at a position, None where there is none."""
        if position == self._at + 1:
            self._at += 1
            return next(self._rows, None)
        if type(position) is not int or not 0 < position < 2**63:
            return None
        return one(self._connection, _ORIGINAL, facility=self._facility, position=position)


def numbering_faults(databases: Mapping[str, Database]) -> Iterator[Told]:
    """Every difference; of sources whose databases are not at hand nothing is said."""
    with snapshot(databases[KEEPER]) as connection:
        if not {"feed", "feed_head"} <= tables_of(connection):
            return
        heads = {row.facility: row.number for row in stream(connection, _HEADS)}
        reached = {(row.source, row.facility): row.position for row in stream(connection, _CHECKPOINTS)}
        named = {*distinct(connection, "feed", "facility"), *heads, *(facility for _, facility in reached)}
        for facility in sorted(named, key=repr):
            if isinstance(facility, str) and facility.isprintable():
                follow = _Following(databases, facility)
                yield from ((facility, None, what) for what in follow.faults(connection, heads.get(facility), reached))
            else:
                yield repr(facility), None, "table feed: there are numbers under a name that is no text"


class _Following:
    """Follows one facility's numbers."""

    def __init__(self, databases: Mapping[str, Database], facility: str) -> None:
        self._databases = databases
        self._facility = facility
        self._ledgers: dict[str, _Ledger] = {}
        self._number = 0

    def faults(self, connection: Connection, head: Any, reached: Mapping[tuple[str, Any], Any]) -> Iterator[str]:
        """What is wrong; the numbers are read first, so that they never know more than the ledgers."""
        with ExitStack() as open_:
            for source in FED:
                if source in self._databases:
                    theirs = open_.enter_context(snapshot(self._databases[source]))
                    self._ledgers[source] = _Ledger(theirs, self._facility)
            for row in stream(connection, _NUMBERED, facility=self._facility):
                yield from (
                    f"table feed, row {self._facility} {shown(row.number)}: {what}" for what in self._wrong(row)
                )
            if head != self._number:
                yield f"table feed_head, row {self._facility}: number is {shown(head)}, expected {self._number}"
            for source, ledger in self._ledgers.items():
                heard = reached.get((source, self._facility), 0)
                if ledger.followed != heard:
                    yield f"table feed: numbered are {ledger.followed} events of {source}, heard of {shown(heard)}"

    def _wrong(self, row: Any) -> Iterator[str]:
        self._number += 1
        if row.number != self._number or type(row.number) is not int:
            yield f"the number before it is missing, expected {self._number}"
            self._number = row.number if type(row.number) is int else self._number
        if row.source not in FED:
            yield f"source is {shown(row.source)}, which is none that is numbered"
        elif row.source in self._ledgers:
            yield from self._compared(row, self._ledgers[row.source])

    def _compared(self, row: Any, ledger: _Ledger) -> Iterator[str]:
        original = ledger.original(row.position)
        if original is None:
            yield f"there is no position {shown(row.position)} in the ledger of {row.source}"
            return
        if row.type != original.type:
            yield f"type is {shown(row.type)}, but in the ledger of {row.source} it is {shown(original.type)}"
        if row.hash != original.hash:
            yield f"hash is {shown(row.hash)}, but in the ledger of {row.source} it is {shown(original.hash)}"
            return
        if row.position != ledger.followed + 1:
            yield f"position is {row.position} of {row.source}, expected {ledger.followed + 1}"
        ledger.followed = row.position
