"""Of several replicas of a service one does a thing: on PostgreSQL the holder of an advisory lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text

from shared.database import Database

_TAKE = text("SELECT pg_try_advisory_lock(hashtext(:task), hashtext(current_schema()))")
_STILL_THERE = text("SELECT 1")


@contextmanager
def sole(database: Database, task: str) -> Iterator[Callable[[], None] | None]:
    """None where another process does the task; else a function that raises DBAPIError once the lock is lost.

    An embedded database has no second process.
    """
    if database.sqlite:
        yield lambda: None
        return
    with database.read() as connection:
        # Out of the pool: it is closed with the block, and the lock goes with it, whatever happened meanwhile.
        connection.detach()
        if not connection.execute(_TAKE, {"task": f"xunjian {task}"}).scalar_one():
            yield None
            return
        yield lambda: connection.execute(_STILL_THERE).close()
