"""One service without a broker: its methods are called as RPC would, its sources are ledgers that a test writes to."""

import inspect
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR

from shared.clock import SimulatedClock
from shared.database import Database
from shared.event import Event, Recorded, read
from shared.ledger import Draft, Entry, Ledger
from shared.rights import ROLES
from shared.service import LedgerService
from shared.subscription import Handler, Reader, Subscription
from shared.tests.answered import held_to_its_forms
from shared.tests.given import ledger_at

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Source:
    """Another service, as far as this one asks it: how far its ledgers are; what it recorded has arrived by then."""

    deadline = 5.0

    def __init__(self, alone: "Alone", service: str) -> None:
        self.service = service
        self._alone = alone

    def call(self, method: str, **asked: Any) -> Any:
        """Answer `heads` and `read_ledger`."""
        assert method in ("heads", "read_ledger")
        self._alone.follow()
        ledger = self._alone.ledgers[self.service]
        return ledger.tips() if method == "heads" else ledger.raw(**asked)


class Alone:
    """A service, its ledger and those of its sources, all on one simulated clock."""

    def __init__(self, service: LedgerService, ledgers: dict[str, Ledger]) -> None:
        self.service: Any = service
        self.ledgers = ledgers
        self.hall = "hall"
        self._keys, self._halls = count(1), count(1)
        service.ledger = ledgers[service.name]
        for source in service.sources():
            if hasattr(service, source):
                setattr(service, source, Source(self, source))
        self.set_time(EPOCH)

    @property
    def ledger(self) -> Ledger:
        """The service's own."""
        return self.ledgers[self.service.name]

    def set_time(self, moment: datetime) -> None:
        """Give every ledger a clock that stands there, be it back; only a test can."""
        for ledger in self.ledgers.values():
            ledger.clock = SimulatedClock(moment)

    def new_hall(self) -> str:
        """Go on with a facility that nothing is known of."""
        self.hall = f"hall-{next(self._halls)}"
        return self.hall

    def ask(
        self,
        command: str,
        /,
        actor: str = "user:chen",
        key: str | None = None,
        roles: Sequence[str] = ROLES,
        **data: Any,
    ) -> Any:
        """A command as the gateway sends it."""
        context = {
            "command_id": key or f"key-{next(self._keys)}",
            "actor": actor,
            "roles": list(roles),
            "correlation_id": "c",
            "time": None,
        }
        return getattr(self.service, command)(self.hall, orjson.loads(orjson.dumps(data, default=str)), context)

    def tell(self, stream: str, *events: Event) -> None:
        """Append events to a stream of the service that publishes them, as of now; nobody decides about them."""
        ledger = self.ledgers[events[0].type.partition(".")[0]]
        version = len(ledger.stream(self.hall, stream))
        drafts = [
            Draft(stream=stream, version=number, event=event, time=ledger.clock.now())
            for number, event in enumerate(events, start=version + 1)
        ]
        ledger.append(Entry(facility=self.hall, drafts=drafts, actor="user:li", correlation_id="c", causation_id="c"))

    def follow(self, *sources: str) -> None:
        """Let the service hear what its sources, or these of them, have recorded of the hall; that parks nothing."""
        for source in sources or self.service.sources():
            ledger = self.ledgers[source]
            heads = {facility: head for facility, head in ledger.tips().items() if facility == self.hall}
            Reader(self.ledger, source, self._handlers(source), ledger.raw).catch_up(heads)
        assert self.service.health()["parked"] == []

    def recorded(self, *kinds: type[Event]) -> list[Recorded]:
        """What the service recorded of the hall, of these kinds or of all."""
        whole = (read(text.encode()) for text in self.ledger.raw(self.hall, limit=1_000_000))
        return [one for one in whole if not kinds or isinstance(one.event, kinds)]

    def events(self, *kinds: type[Event]) -> list[Any]:
        """The events themselves."""
        return [one.event for one in self.recorded(*kinds)]

    def _handlers(self, source: str) -> list[Handler]:
        methods = inspect.getmembers(type(self.service), inspect.isfunction)
        return [
            Handler(getattr(self.service, name), entrypoint.kinds, entrypoint.before)
            for name, method in methods
            for entrypoint in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ())
            if isinstance(entrypoint, Subscription) and entrypoint.feed.source == source
        ]


@contextmanager
def alone(service: type[LedgerService], url: str, folder: Path) -> Iterator[Alone]:
    """A service on a database, its sources on files in a folder."""
    with ExitStack() as stack:
        ledgers = {
            source: stack.enter_context(ledger_at(f"sqlite:///{folder / source}.db", source))
            for source in service.sources()
        }
        fold = None if service.views is None else service.views.fold
        ledgers[service.name] = stack.enter_context(ledger_at(url, service.name, fold=fold))
        yield Alone(held_to_its_forms(service)(), ledgers)


@contextmanager
def on_each_database(kind: str, server: str, folder: Path, template: str = "template0") -> Iterator[str]:
    """The address of a fresh database for many tests, `sqlite` or `postgresql`: a hall each keeps them apart.

    On PostgreSQL it may be a copy of another.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'alone.db'}"
        return
    name = f"xunjian_test_{secrets.token_hex(6)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8' LOCALE 'C'")
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    with closing(Database(server)) as database, database.read() as connection:
        connection.exec_driver_sql(statement)
