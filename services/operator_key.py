"""The operator's key of an installation on this machine: made once in its data folder, found by the command line.

While `xunjian serve` runs, the key lies under the address that it serves in the user's own state folder, as notebook
servers do with theirs; so `xunjian load` and its like need no key to be typed. Elsewhere XUNJIAN_KEY says it.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

VARIABLE = "XUNJIAN_KEY"
NAME = "operator.key"


def kept(data: Path) -> str:
    """The key of a data folder, made at the first time; only its owner can read the file."""
    file = data / NAME
    with suppress(FileExistsError), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(f"xj_{secrets.token_urlsafe(32)}\n")
    return file.read_text().strip()


def known_for(url: str) -> str | None:
    """The key to say to an installation: XUNJIAN_KEY, or what lies here for one that is served on this machine."""
    if said := os.environ.get(VARIABLE):
        return said
    try:
        return _place(url).read_text().strip() or None
    except OSError:
        return None


@contextmanager
def laid_out(url: str, key: str) -> Iterator[None]:
    """Let this user's commands find the key while the address is served."""
    place = _place(url)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.unlink(missing_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(f"{key}\n")
    except OSError as fault:
        click.echo(f"xunjian: {place}: {fault.strerror}; other commands need {VARIABLE}=$(cat …/{NAME})", err=True)
    try:
        yield
    finally:
        if known_for(url) == key:
            with suppress(OSError):
                place.unlink()


def _place(url: str) -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    parts = urlsplit(url)
    return Path(state) / "xunjian" / f"{parts.hostname}-{parts.port or parts.scheme}.key"
