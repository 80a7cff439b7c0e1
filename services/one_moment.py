"""Several SQLite files copied as they were at one moment, while others write to them.

Each of them is taken for writing, all at once and without waiting, so that nobody is half-way anywhere; at that moment a
reader begins in each, and the files are let go. What the readers see does not change any more, however long the copying
takes.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.config import SERVICES
from shared.errors import Unavailable
from shared.event import timestamp

PATIENCE_SECONDS = 30.0
"""How long we try to find nobody writing."""
PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Taken:
    """A copy: where it lies until it is whole, of which moment it is, and what is in it."""

    folder: Path
    at: str
    events: Mapping[str, int]
    keys: tuple[str, ...]


@contextmanager
def copied_at_one_moment(data: Path, to: Path, keys: Iterable[str]) -> Iterator[Taken]:
    """A copy of a data folder with its keys, at `to` after the block, and nowhere if the block raises.

    Raises Unavailable where somebody writes all the time, OSError where the copy cannot be written.
    """
    making = to.with_name(f"{to.name}.making")
    shutil.rmtree(making, ignore_errors=True)  # of one that was broken off
    making.mkdir(parents=True, mode=0o700)
    try:
        with ExitStack() as open_:
            readers = {service: open_.enter_context(_connected(data / f"{service}.db")) for service in SERVICES}
            at = _begun_together(readers.values(), [data / f"{service}.db" for service in SERVICES])
            events = {service: _copy(reader, making / f"{service}.db") for service, reader in readers.items()}
        with_it = tuple(key for key in keys if _copy_key(data / key, making / key))
        yield Taken(making, timestamp(at), events, with_it)
        for file in making.iterdir():
            _to_disk(file)
        _to_disk(making)
        with suppress(FileNotFoundError):
            to.rmdir()  # an empty one
        making.rename(to)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _begun_together(readers: Iterable[sqlite3.Connection], files: Iterable[Path]) -> datetime:
    """Begin all readers while nobody writes anywhere; returns when that was.

    Nobody is waited for while anything is held: who is waited for could itself wait for what we hold.
    """
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        with ExitStack() as held:
            try:
                for file in files:
                    held.enter_context(_connected(file)).execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as fault:
                if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise Unavailable(f"{file}: {fault}") from fault
                if time.monotonic() > give_up:
                    raise Unavailable(f"{file}: somebody has been writing for {PATIENCE_SECONDS:.0f} s") from fault
            else:
                for reader in readers:
                    reader.execute("BEGIN").close()
                    reader.execute("SELECT count(*) FROM ledger").fetchall()  # a reader begins when it first reads
                return datetime.now(UTC)
        time.sleep(PAUSE_SECONDS)


@contextmanager
def _connected(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()  # which ends its transaction


def _copy(reader: sqlite3.Connection, file: Path) -> int:
    """Copy what a reader sees; returns the number of its events. Raises OSError where it cannot be written."""
    file.touch(mode=0o600)
    try:
        with _connected(file) as copy:
            reader.backup(copy)
            return int(copy.execute("SELECT count(*) FROM event").fetchone()[0])
    except sqlite3.Error as fault:
        raise OSError(f"{file}: {fault}") from fault


def _copy_key(file: Path, copy: Path) -> bool:
    """Copy a key, for its owner only; whether there is one."""
    if not file.is_file():
        return False
    copy.touch(mode=0o600)
    copy.write_bytes(file.read_bytes())
    return True


def _to_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
