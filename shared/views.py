"""The views of a service: the tables that are folded from events, and from nothing else."""

from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, String, Table, select, text

from shared.checkpoints import checkpoints
from shared.database import Database
from shared.digest import digested
from shared.event import Event
from shared.ledger import Fold, events, metadata

BESIDE = frozenset(
    {
        "attachment",
        "journal",
        "rulebook",
        "result",
        "credential",
        "session",
        "one_time",
        "attempt",
        "feed",
        "feed_head",
        "webhook_secret",
        "webhook_progress",
        "delivery",
    }
)
"""Tables of services that are no views: what others sent or said, kept as it came, each under a hash of its own."""
view_version = Table(  # by which version of the fold the views were made
    "view_version",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Views:
    """What a service folds, into which tables, and by which version of its fold.

    The fold takes the service's own events and, of its sources', those that it `hears`. Both kinds go into the same
    tables, and it must not matter which come first: own events and then each source's, in order of its name, give the
    same rows as any order that was lived through. Whoever changes what the fold does raises `version`; the tables are
    then built anew (`shared/rebuild.py`).
    """

    metadata: MetaData
    fold: Fold
    version: int = 1
    hears: tuple[type[Event], ...] = ()

    @property
    def tables(self) -> list[Table]:
        """The folded tables, by name."""
        return [table for name, table in sorted(self.metadata.tables.items()) if name not in BESIDE]

    @property
    def sources(self) -> list[str]:
        """The services whose events are folded beside the own ones, by name."""
        return sorted({kind.type.partition(".")[0] for kind in self.hears})

    def heard_from(self, source: str) -> frozenset[str]:
        """The bare names of the events that are folded of a source's."""
        return frozenset(kind.event_name for kind in self.hears if kind.type.startswith(f"{source}."))


_NEW = text("INSERT INTO view_version VALUES (:id, :version, :digest) ON CONFLICT DO NOTHING")


def version_of(database: Database, views: Views) -> int:
    """By which version of their fold a service's views were made; where nothing was recorded or heard yet, it is this one."""
    kept = database.rows(select(view_version.c.version))
    if kept:
        return int(kept[0].version)
    with database.write() as connection:
        if all(connection.execute(select(table).limit(1)).first() is None for table in (events, checkpoints)):
            connection.execute(_NEW, digested({"id": 1, "version": views.version}))
            return views.version
    return 1
