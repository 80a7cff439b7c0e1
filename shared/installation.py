"""The mark of an installation, real or simulated: set when its database is created, and for ever after."""

from datetime import UTC, datetime

from sqlalchemy import Boolean, Column, Integer, String, Table, select, text, update

from shared.clock import Clock, SimulatedClock, SystemClock
from shared.database import Database
from shared.digest import digested
from shared.errors import Rejected
from shared.event import timestamp
from shared.ledger import last_recorded, metadata

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("simulated", Boolean, nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("now", String(40), nullable=False),
    Column("digest", String(64), nullable=False, server_default=text("''")),
)

SIMULATION_STARTS = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a simulated clock stands before anything moved it."""


_MARK = text("INSERT INTO installation VALUES (:id, :simulated, :created_at, :now, :digest) ON CONFLICT DO NOTHING")
_NOW = select(installation.c.now)


def clock_of(database: Database, simulated: bool | None) -> Clock:
    """The clock of an installation, marking a new one; None takes an existing one as it is marked.

    Raises Rejected if the database was created for the other kind.
    """
    with database.write() as connection:
        created = {"id": 1, "simulated": bool(simulated), "created_at": timestamp(datetime.now(UTC))}
        connection.execute(_MARK, digested({**created, "now": timestamp(SIMULATION_STARTS)}))
        mark = connection.execute(select(installation)).one()
    if simulated is not None and mark.simulated != simulated:
        kinds = ("real", "simulated")
        raise Rejected(f"this is a {kinds[mark.simulated]} installation and cannot be run as a {kinds[simulated]} one")
    if not mark.simulated:
        return SystemClock()
    start = max(datetime.fromisoformat(mark.now), last_recorded(database) or SIMULATION_STARTS)
    return SimulatedClock(start) if database.sqlite else SharedClock(database, start)


class SharedClock(SimulatedClock):
    """A simulated clock that all replicas of a service read and move: it stands in their database."""

    def __init__(self, database: Database, start: datetime) -> None:
        super().__init__(start)
        self._database = database

    def now(self) -> datetime:
        """The latest moment that any replica heard of."""
        (row,) = self._database.rows(_NOW)
        super().advance(datetime.fromisoformat(row.now))
        return super().now()

    def advance(self, moment: datetime) -> None:
        """Move on to `moment`, for all; an earlier one changes nothing. Raises Invalid if it is not aware."""
        if moment.tzinfo is not None and moment > super().now():
            remember_now(self._database, moment)  # first, or another replica could record something earlier behind it
        super().advance(moment)


def remember_now(database: Database, now: datetime) -> None:
    """Keep where the simulated clock stands, so that a restart does not turn it back; an earlier moment changes nothing."""
    with database.write() as connection:
        mark = connection.execute(select(installation).with_for_update()).mappings().one_or_none()
        if mark is not None and datetime.fromisoformat(mark["now"]) < now:
            connection.execute(update(installation).values(digested({**mark, "now": timestamp(now)})))
