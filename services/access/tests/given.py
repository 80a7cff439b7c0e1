"""What the tests of access begin with: a service on a database, a clock on the wall that they move, and people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from argon2 import PasswordHasher

from services.access.doors import Doors
from services.access.service import Access
from shared.errors import Rejected
from shared.rights import INSTALLATION
from shared.tests.alone import Alone, alone

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
PASSWORD = "a long walk in the hall"
OPERATOR_KEY = "operator-" + "o" * 30
HERE = "192.0.2.7"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The same algorithm with less of everything: tests sign in often."""


class Wall:
    """A clock on the wall that a test moves."""

    simulated = False

    def __init__(self, now: datetime = MORNING) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, moment: datetime) -> None:
        raise Rejected("nobody sets the clock on the wall")

    def set(self, moment: datetime) -> None:
        """Go on from another moment."""
        self._now = moment

    def wait(self, **time: float) -> None:
        """Let time go by."""
        self._now += timedelta(**time)


class Hall:
    """The service of an installation, and what a test says to it."""

    def __init__(self, alone: Alone, wall: Wall) -> None:
        self.alone = alone
        self.service: Any = alone.service
        self.wall = wall
        self.events = alone.events
        self.recorded = alone.recorded
        self._keys = count(1)
        alone.hall = INSTALLATION

    def open(self, **config: Any) -> None:
        """Configure it."""
        self.service.doors = Doors({"OPERATOR_KEY": OPERATOR_KEY, **config}, self.wall, CHEAP)

    def ask(
        self,
        command: str,
        /,
        actor: str = "service:operator",
        key: str | None = None,
        held: Sequence[str] = ("admin",),
        where: str = INSTALLATION,
        **data: Any,
    ) -> Any:
        """Give a command, as the operator unless it is said who."""
        context = {"command_id": key or f"key-{next(self._keys)}", "actor": actor, "roles": list(held)}
        told = orjson.loads(orjson.dumps(data, default=str))
        return getattr(self.service, command)(where, told, {**context, "correlation_id": "c", "time": None})

    def first(self, username: str = "chen", password: str = PASSWORD) -> dict[str, str]:
        """Open the first account."""
        code = self.service.first_link()
        return dict(self.service.first_account(code, username, "陈", password, HERE))

    def person(self, username: str, password: str = PASSWORD) -> dict[str, str]:
        """Open an account for a person, who sets the password."""
        code = self.ask("create_account", username=username, display_name=username)["code"]
        return dict(self.service.set_password(code, password, HERE))

    def sign_in(self, username: str, password: str = PASSWORD, address: str = HERE) -> dict[str, str]:
        """Sign in."""
        return dict(self.service.sign_in(username, password, address, {}))

    def identify(self, credential: str, address: str = HERE) -> dict[str, Any]:
        """Whom a credential belongs to."""
        return dict(self.service.identify(credential, address))


@contextmanager
def hall(url: str, folder: Path) -> Iterator[Hall]:
    """An installation on a database."""
    with alone(Access, url, folder) as one:
        found = Hall(one, Wall())
        found.open()
        yield found
