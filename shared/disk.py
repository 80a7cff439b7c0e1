"""Whether a database had room for the last write: a full disk is nobody's fault, and waited out."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sqlalchemy.exc import DBAPIError

from shared.errors import Unavailable

AGAIN_SECONDS = 5.0
"""How long after a write that found no room it is worth to try one for its own sake."""
_NO_ROOM = {
    sqlite3.SQLITE_FULL: "disk full: free some, or give it more",
    sqlite3.SQLITE_READONLY: "read-only: let the database be written again",
    "53100": "disk full: free some, or give it more",
    "25006": "read-only: let the database be written again, or name the server that is",
}
"""SQLite's primary result codes, and PostgreSQL's SQLSTATE: disk_full, read_only_sql_transaction."""


class Disk:
    """What the writes to one database found; `fault` says why the last one found no room, None once there is some."""

    def __init__(self) -> None:
        self.fault: str | None = None
        self._found_at = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Whatever finds no room within the block is raised as Unavailable; nothing of it was kept."""
        try:
            yield
        except DBAPIError as raised:
            fault = _NO_ROOM.get(_code(raised))
            if fault is None:
                raise
            self.fault, self._found_at = fault, monotonic()
            raise Unavailable(f"nothing was recorded, since the database is {fault}") from raised

    @property
    def worth_a_try(self) -> bool:
        """Whether there was no room some time ago, and perhaps there is by now."""
        return self.fault is not None and monotonic() - self._found_at >= AGAIN_SECONDS

    def found_room(self) -> None:
        """Remember that something was written."""
        self.fault = None


def _code(raised: DBAPIError) -> int | str | None:
    if isinstance(raised.orig, sqlite3.Error):
        return raised.orig.sqlite_errorcode & 0xFF
    return getattr(raised.orig, "sqlstate", None)
