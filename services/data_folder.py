"""The data folder of an embedded installation, which one process uses at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sole_user_of(data: Path) -> Iterator[None]:
    """The data folder, made if need be, and held against a second process; raises OSError where there is one."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise OSError(f"{data} is in use by another process") from fault
        yield
