"""Installations that are lived in once and then copied: whatever a test does to its copy, the next one has another."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from services.audit.tests.installation import Installation, installation, lived_in, published, urls_of
from services.scoring.tests.histories import local
from shared.tests.alone import on_each_database

Done = tuple[Callable[[Installation], Any], ...]
"""What was done in an original before it was left."""
LIVED_IN: Done = (lived_in,)
PUBLISHED: Done = (lived_in, published)
LEFT = local("2022-01-05")
"""Where the clock stood then."""


class Originals:
    """One original for each kind of database and each of what was done, made when the first copy of it is asked for."""

    def __init__(self, server: str, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._urls: dict[tuple[Done, str], str] = {}
        self._kept = ExitStack()

    @contextmanager
    def copy(self, done: Done, kind: str, folder: Path) -> Iterator[Installation]:
        """A copy: `sqlite` in the files of a folder, or `postgresql` in a database of its own."""
        original = make_url(self._original(done, kind)).database or ""
        if kind == "sqlite":
            shutil.copytree(Path(original).parent, folder, dirs_exist_ok=True)
        with (
            on_each_database(kind, self._server, folder, template=original) as url,
            closing(Installation(urls_of(url, new=False))) as installed,
        ):
            installed.clock.advance(LEFT)
            yield installed

    def close(self) -> None:
        """Drop what was made."""
        self._kept.close()

    def _original(self, done: Done, kind: str) -> str:
        """The address of an original; nobody is connected to it."""
        if (done, kind) not in self._urls:
            folder = self._folder / str(len(self._urls))
            folder.mkdir()
            url = self._kept.enter_context(on_each_database(kind, self._server, folder))
            with installation(url) as hall:
                for do in done:
                    do(hall)
            self._urls[done, kind] = url
        return self._urls[done, kind]
