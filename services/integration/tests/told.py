"""Ledgers that integration numbers, and what its webhooks are served with: real databases, no broker, a clock of one's own."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from services.integration.outbound.addresses import Outside
from services.integration.outbound.book import Book
from services.integration.outbound.calling import Calling
from services.integration.outbound.courier import Courier, Office, Time
from services.integration.outbound.dispatch import Couriers, Post
from services.integration.service import Integration
from shared.clock import SystemClock
from shared.database import Database
from shared.errors import NotFound
from shared.ledger import Ledger
from shared.rights import ROLES
from shared.subscription import Handler, Reader, Subscription
from shared.tests.given import draft, entry

HALL = "hall-1"
MORNING = datetime(2021, 3, 9, 8, tzinfo=UTC)
MOST_WAITS = 1000
QUICK_SECONDS = 0.1
"""How long a receiver may take in a test."""


class Wall:
    """A clock that goes on only while somebody waits, and chance that takes nothing away."""

    def __init__(self) -> None:
        self.at = MORNING
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        assert len(self.waits) < MOST_WAITS, "nothing happens any more"
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)

    @property
    def time(self) -> Time:
        """As couriers take it."""
        return Time(lambda: self.at, self.wait, lambda: 0.0)


class Told:
    """Work orders and integration; `follow` lets integration hear both."""

    def __init__(
        self, urls: Mapping[str, str], key_file: Path | None = None, hosts: Sequence[str] = ("127.0.0.1",)
    ) -> None:
        databases = {name: Database(url) for name, url in urls.items()}
        for name, database in databases.items():
            database.migrate(name)
        folds = {"work_orders": None, "integration": Integration.views.fold}
        self.ledgers = {name: Ledger(databases[name], name, SystemClock(), folds[name]) for name in databases}
        self.database = databases["integration"]
        self.service: Any = Integration()
        self.service.ledger = self.ledgers["integration"]
        self.outside = Outside(hosts, lambda host, port: [host])
        self.service.couriers = Post(self.outside, key_file, Book(self.database))
        self.service.couriers.calling = Calling(self.outside, QUICK_SECONDS)
        for name in ("asset_registry", "scheduling", "work_orders", "scoring"):
            setattr(self.service, name, Peer(self.ledgers.get(name)))
        self._keys = count(1)
        self._streams = count(1)

    def tell(self, number: int = 1, facility: str = HALL) -> None:
        """Let work_orders record some events."""
        for _ in range(number):
            self.ledgers["work_orders"].append(entry(draft(f"job/{next(self._streams)}"), facility=facility))

    def follow(self) -> None:
        """Let integration hear what is recorded, in the order of the services' names."""
        for source in ("work_orders", "integration"):
            self.reader(source).catch_up(self.ledgers[source].tips())

    def reader(self, source: str) -> Reader:
        """What follows one source."""
        handlers = [
            Handler(getattr(self.service, name), point.kinds, point.before)
            for name, method in inspect.getmembers(Integration, inspect.isfunction)
            for point in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
            if isinstance(point, Subscription) and point.feed.source == source and name.startswith("on_any_of")
        ]
        return Reader(self.service.ledger, source, handlers, self.ledgers[source].raw)

    def ask(self, command: str, /, key: str | None = None, **data: Any) -> Any:
        """A command as the gateway sends it."""
        context = {
            "command_id": key or f"key-{next(self._keys)}",
            "actor": "user:chen",
            "roles": list(ROLES),
            "correlation_id": "c",
            "time": None,
        }
        return getattr(self.service, command)(HALL, data, context)

    def subscribe(self, url: str, **data: Any) -> dict[str, Any]:
        """Subscribe a webhook w-1 to everything from the first event on."""
        return dict(self.ask("subscribe_webhook", url=url, **{"webhook_id": "w-1", "after": 0, **data}))

    def feed(self, **asked: Any) -> dict[str, Any]:
        """A page of the feed."""
        return dict(self.service.feed(["*"], **{"facility": HALL, **asked}))

    def numbered(self) -> list[tuple[int, dict[str, Any]]]:
        """All that is numbered."""
        return [(item["number"], orjson.loads(item["event"])) for item in self.feed(limit=1000)["items"]]

    def courier(self, wall: Wall, webhook_id: str = "w-1", post: Callable[..., Any] | None = None) -> Courier:
        """A new courier, as after a start."""
        ledgers = {name: ledger.raw for name, ledger in self.ledgers.items()}
        provider = Couriers()
        provider.ledger = self.service.ledger
        couriers = self.service.couriers
        office = Office(self.database, ledgers, couriers.sign, post or couriers.calling.post, provider._pause)
        return Courier(HALL, webhook_id, office, wall.time)

    def listed(self, webhook_id: str = "w-1") -> dict[str, Any]:
        """A webhook as the list shows it."""
        (found,) = (row for row in self.service.webhooks(HALL)["items"] if row["webhook_id"] == webhook_id)
        return dict(found)

    def close(self) -> None:
        """Give back every connection."""
        for ledger in self.ledgers.values():
            ledger.database.close()


class Peer:
    """Another service, as far as the feed asks it."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger

    def call(self, method: str, **arguments: Any) -> Any:
        """Read its ledger; of a facility that nobody has registered, say so."""
        if method == "facility":
            raise NotFound(f"no facility {arguments['facility']}")
        assert method == "read_ledger"
        assert self._ledger is not None
        return self._ledger.raw(**arguments)


@contextmanager
def told(folder: Path, **options: Any) -> Iterator[Told]:
    """Both services on fresh SQLite files."""
    urls = {name: f"sqlite:///{folder / name}.db" for name in ("work_orders", "integration")}
    here = Told(urls, **options)
    try:
        yield here
    finally:
        here.close()


def carried(courier: Courier, until: Callable[[], bool], most: int = 2000) -> None:
    """Let a courier work until something holds, with no more than so many steps."""
    for _ in range(most):
        if until():
            return
        seconds = courier.step()
        assert seconds is not None, "the courier has stopped"
        if seconds > 0:
            courier._time.wait(seconds)
    raise AssertionError(f"not after {most} steps")
