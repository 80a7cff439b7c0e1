"""Whose turn it is: of all workers of all replicas, one at a time hands over the messages of a facility."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sqlalchemy import Connection, text

from shared.database import Database

_RETRY_SECONDS = 0.05
_TAKE = text("SELECT pg_try_advisory_lock(hashtext('xunjian hand over'), hashtext(:facility))")
_STANDSTILL = text("SET idle_session_timeout = '30s'")  # a process that stands still loses its turn

_here: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
"""Who has the turn in this process, by database and facility."""


@contextmanager
def turn(database: Database, facility: str, seconds: float) -> Iterator[bool]:
    """Wait up to some seconds for the turn, which lasts as long as the block; gives whether it was had."""
    give_up = monotonic() + seconds
    lock = _here[database.url.render_as_string(), facility]
    if not lock.acquire(timeout=max(seconds, 0.001)):
        yield False
        return
    try:
        if database.sqlite:
            yield True
            return
        with database.session() as connection:  # the lock goes with it
            connection.execute(_STANDSTILL)
            yield _taken(connection, facility, give_up)
    finally:
        lock.release()


def _taken(connection: Connection, facility: str, give_up: float) -> bool:
    pause = threading.Event()
    while not connection.execute(_TAKE, {"facility": facility}).scalar_one():
        if monotonic() > give_up:
            return False
        pause.wait(_RETRY_SECONDS)
    return True
