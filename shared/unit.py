"""A unit of work: what one command or one reaction reads and decides; its events are committed all together."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Row
from sqlalchemy.sql.base import Executable

from shared.aggregate import Aggregate
from shared.errors import NotFound, Stale
from shared.ledger import Done, Draft, Entry, Ledger

A = TypeVar("A", bound=Aggregate)


class Unit:
    """Aggregates are loaded with `edit`, created with `create`; what they record becomes one entry of the ledger.

    `actor` is who asks, `now` the store's clock at the beginning; `cause` the hashed bytes of the event that a reaction
    answers. Within somebody's transaction (`connection`), reads
    see what that transaction wrote. `expected` is a stream and the version at which its caller saw it: at another one
    its aggregate is not handed out, but Stale raised.
    """

    def __init__(
        self,
        ledger: Ledger,
        facility: str,
        *,
        actor: str,
        correlation_id: str,
        causation_id: str,
        connection: Connection | None = None,
        cause: bytes = b"",
        expected: tuple[str, int] | None = None,
    ) -> None:
        self.ledger = ledger
        self.facility = facility
        self.actor = actor
        self.cause = cause
        self.now: datetime = ledger.clock.now()
        self._correlation_id = correlation_id
        self._causation_id = causation_id
        self._connection = connection
        self._expected = expected
        self._touched: dict[str, Aggregate] = {}

    def find(self, kind: type[A], id_: str) -> A:
        """An aggregate as it stands, perhaps without any past."""
        stream = kind(id_).stream
        if stream not in self._touched:
            past = self.ledger.stream(self.facility, stream, self._connection)
            self._touched[stream] = kind.replay(id_, (recorded.event for recorded in past))
            self._must_be_as_expected(self._touched[stream])
        found = self._touched[stream]
        if not isinstance(found, kind):
            raise TypeError(f"{stream} is no {kind.__name__}")
        return found

    def _must_be_as_expected(self, aggregate: Aggregate) -> None:
        if self._expected is not None and aggregate.stream == self._expected[0]:
            found, (stream, version) = aggregate.version, self._expected
            if found != version:
                raise Stale(f"{stream} is at version {found}, not {version} any more: somebody else was there")

    def edit(self, kind: type[A], id_: str) -> A:
        """An aggregate that exists; raises NotFound otherwise."""
        found = self.find(kind, id_)
        if not found.exists:
            raise NotFound(f"no {kind.category} {id_} in {self.facility}")
        return found

    def rows(self, query: Executable) -> Sequence[Row[Any]]:
        """All rows of a query on the service's own database."""
        if self._connection is not None:
            return self._connection.execute(query).all()
        return self.ledger.database.rows(query)

    def execute(self, statement: Executable, rows: Sequence[dict[str, Any]] | None = None) -> None:
        """Change a table that is no view, in the transaction of a reaction; a command changes none itself.

        Only for what must be kept as it came, such as a journal: whatever can be folded from events is. `rows` are many
        sets of values for one statement; where there are none, nothing is executed.
        """
        if self._connection is None:
            raise TypeError("a command's only effect is its events; views are folded from them")
        if rows is None or rows:
            self._connection.execute(statement, rows)

    def forget(self) -> None:
        """Let nothing that was decided so far happen: what a dry run ends with."""
        self._touched.clear()

    def today(self, timezone: str) -> date:
        """The local date of `now`."""
        return self.now.astimezone(ZoneInfo(timezone)).date()

    def entry(self, done: Done | None = None) -> Entry:
        """Everything that was recorded, in the order of the aggregates' first use."""
        drafts = [
            Draft(stream=aggregate.stream, version=aggregate.version + number, event=event, time=at)
            for aggregate in self._touched.values()
            for number, (event, at) in enumerate(aggregate.new_events, start=1)
        ]
        return Entry(
            facility=self.facility,
            drafts=drafts,
            actor=self.actor,
            correlation_id=self._correlation_id,
            causation_id=self._causation_id,
            done=done,
        )


def fingerprint(name: str, facility: str, data: dict[str, Any]) -> str:
    """What a command asks, as a SHA-256: the same key with another fingerprint is another command."""
    return hashlib.sha256(orjson.dumps([name, facility, data], option=orjson.OPT_SORT_KEYS)).hexdigest()
