"""What the replicas of a service share out: tasks that one of them does, and partitions that are dealt to all.

On PostgreSQL a claim is an advisory lock of one session of each process. It ends with the session, so a process that is
killed loses its claims at once; one that stands still loses them after SILENT_SECONDS, when the server ends a session
from which it has heard nothing. Whoever goes on without knowing that it lost a claim does no harm: what is appended and
applied is guarded by the rows that it moves, and the relay repeats. An embedded database has no second process.
"""

import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import structlog
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from shared.database import Database
from shared.errors import Unavailable

log = structlog.get_logger()

BEAT_SECONDS = 1.5
SILENT_SECONDS = 6
"""After so long without a sign of life the server ends the session, and others take over."""

_OPEN = text(f"SET idle_session_timeout = '{SILENT_SECONDS}s'")
_KEY = "hashtext(:claim), hashtext(current_schema())"
_TAKE = text(f"SELECT pg_try_advisory_lock({_KEY})")
_LEAVE = text(f"SELECT pg_advisory_unlock({_KEY})")
_LEAVE_ALL = text("SELECT pg_advisory_unlock_all()")
_JOIN = text(f"SELECT pg_try_advisory_lock_shared({_KEY})")
_QUIT = text(f"SELECT pg_advisory_unlock_shared({_KEY})")
_PLACE = text(
    "SELECT count(*) FILTER (WHERE pid < pg_backend_pid()) AS before, count(*) AS members FROM pg_locks"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = hashtext(:claim)::oid AND objid = hashtext(current_schema())::oid"
)
_BEAT = text("SELECT 1")


class Claims:
    """The claims of one process on its service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._alone = database.sqlite
        self._one_at_a_time = threading.Lock()
        self._open = ExitStack()
        self._session: Connection | None = None
        self._ended = False
        self._held: set[str] = set()
        self._joined: set[str] = set()

    def take(self, task: str) -> bool:
        """Whether a task is ours, which it becomes where nobody holds it; raises DBAPIError if the database is away, Unavailable at the end."""
        if task not in self._held and (self._alone or self._ask(_TAKE, task)[0]):
            self._held.add(task)
        return task in self._held

    def holds(self, task: str) -> bool:
        """Whether a task is ours, as far as we know."""
        return task in self._held

    def held(self) -> frozenset[str]:
        """All that is ours, as far as we know."""
        return frozenset(self._held)

    def leave(self, task: str) -> None:
        """Let others have a task."""
        if task in self._held:
            self._held.discard(task)
            self._let_go(_LEAVE, task)

    def share(self, what: str, parts: int) -> frozenset[int]:
        """Which of the parts 0 … `parts` - 1 are to be ours; as many for each replica that asks, within one.

        Free ones are taken; what is ours beyond the share stays ours until `leave(part_of(what, number))`.
        """
        if what not in self._joined and (self._alone or self._ask(_JOIN, what)[0]):
            self._joined.add(what)
        before, members = (0, 1) if self._alone else tuple(self._ask(_PLACE, what))
        most = parts // members + (before < parts % members)
        ours = [number for number in range(parts) if self.holds(part_of(what, number))][:most]
        for number in range(parts):
            if len(ours) < most and number not in ours and self.take(part_of(what, number)):
                ours.append(number)
        return frozenset(ours)

    def give_up(self, what: str, parts: int) -> None:
        """Take no share any more."""
        for number in range(parts):
            self.leave(part_of(what, number))
        if what in self._joined:
            self._joined.discard(what)
            self._let_go(_QUIT, what)

    def keep(self) -> None:
        """Give signs of life for ever."""
        pause = threading.Event()
        while True:
            pause.wait(BEAT_SECONDS)
            if self._session is not None:
                with suppress(DBAPIError):  # which is noted, and the claims are gone with the session
                    self._ask(_BEAT)

    def close(self) -> None:
        """Leave everything to the others, for good."""
        with self._one_at_a_time:
            self._ended = True
            if self._session is not None:
                with suppress(DBAPIError):  # at once: the server takes its time to notice that a connection is closed
                    self._session.execute(_LEAVE_ALL)
            self._drop()

    def _ask(self, statement: Any, claim: str | None = None) -> Row[Any]:
        parameters: Mapping[str, str] = {} if claim is None else {"claim": f"xunjian {claim}"}
        with self._one_at_a_time:
            if self._ended:
                raise Unavailable("this process ends and claims nothing any more")
            try:
                if self._session is None:
                    self._session = self._open.enter_context(self._database.session())
                    self._session.execute(_OPEN)
                return self._session.execute(statement, parameters).one()
            except BaseException as fault:  # also a greenlet's end in the middle: nobody may use this session again
                if isinstance(fault, DBAPIError):
                    log.warning("claims lost", claims=sorted(self._held), fault=repr(fault.orig))
                self._drop()
                raise

    def _let_go(self, statement: Any, claim: str) -> None:
        if self._session is not None:
            with suppress(DBAPIError, Unavailable):
                self._ask(statement, claim)

    def _drop(self) -> None:
        self._session = None
        self._held.clear()
        self._joined.clear()
        with suppress(DBAPIError):
            self._open.close()


def part_of(what: str, number: int) -> str:
    """How a part is called as a task."""
    return f"{what} {number}"
