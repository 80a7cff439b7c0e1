"""Whether what events name beside the ledger is still kept: the commands that they were recorded for, and files."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from services.audit.chain import Chain, Found, shown
from shared.contracts.asset_registry import EquipmentDescribed
from shared.contracts.integration import MessageContradicted, MessageReceived
from shared.contracts.work_orders import PointsInspected
from shared.event import Event

MANY = 500
"""How many are looked up at once."""
_COMMANDS = "SELECT command_id FROM command WHERE command_id IN"
_FILES = "SELECT sha256 FROM attachment WHERE facility = :facility AND sha256 IN"


class Named:
    """Follows one facility's events, and looks up what they name, many at a time."""

    def __init__(self, service: str, facility: Any, connection: Connection) -> None:
        self._service = service
        self._facility = facility
        self._connection = connection
        self._commands: list[tuple[int, str]] = []
        self._files: list[tuple[int, str]] = []

    def lost(self, chain: Chain) -> list[Found]:
        """Take in the event that was followed last; returns what is no longer kept, of those looked up by now."""
        if chain.members.get("actor") != f"service:{self._service}":  # a reaction, or the clock, answers nobody
            self._commands.append((chain.position, str(chain.members.get("causationid"))))
        if chain.recorded is not None and chain.recorded.event.type.startswith(f"{self._service}."):
            self._files.extend((chain.position, file) for file in files_of(chain.recorded.event))
        return self.rest() if len(self._commands) + len(self._files) >= MANY else []

    def rest(self) -> list[Found]:
        """Look up what was not yet."""
        commands = self._missing(_COMMANDS, self._commands)
        files = self._missing(_FILES, self._files, facility=self._facility) if self._files else []
        self._commands, self._files = [], []
        return [
            *((at, f"the command {shown(id_)} is not remembered") for at, id_ in commands),
            *((at, f"the file {shown(id_)} is not kept") for at, id_ in files),
        ]

    def _missing(self, query: str, named: list[tuple[int, str]], **where: Any) -> list[tuple[int, str]]:
        ids = {f"id{number}": id_ for number, id_ in enumerate({id_ for _, id_ in named if id_.isprintable()})}
        if not ids:
            return named
        kept = set(self._connection.execute(text(f"{query} (:{', :'.join(ids)})"), {**ids, **where}).scalars())
        return [(at, id_) for at, id_ in named if id_ not in kept]


def files_of(event: Event) -> Iterator[str]:
    """The SHA-256 of each file that an event names."""
    match event:
        case PointsInspected():
            for result in event.results:
                yield from result.photos or ()
        case EquipmentDescribed():
            for document in event.documents:
                yield document.sha256
        case MessageReceived():
            yield event.sha256
        case MessageContradicted():
            yield event.other_sha256
