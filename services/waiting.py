"""A process that is not there yet: it waits for its database and its broker, and says so to whoever asks."""

import logging
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from types import TracebackType
from typing import Any, Self

import eventlet

from services.needs import missing_broker, missing_database
from shared.config import SERVICES, setting
from shared.errors import Unavailable
from shared.monitor import listener_at
from shared.provider import open_ledger
from shared.standing import Sample, Standing

WAIT_SECONDS = 1.0
REMIND_SECONDS = 30.0
"""How often the log says again what is waited for."""

log = logging.getLogger(__name__)


class Waiting(Standing):
    """How a service stands before it is hosted, as `/readyz` on MONITOR_ADDRESS tells it; raises OSError if that is taken."""

    def __init__(self, config: Mapping[str, Any], service: str) -> None:
        self.service = service
        self._config = config
        self._lacking: dict[str, str] = {"process": "is starting"}
        address = setting(config, "MONITOR_ADDRESS")
        self._listener = None if address is None else listener_at(address)

    def __enter__(self) -> Self:
        """Answer from now on."""
        if self._listener is not None:
            self._listener.standings.append(self)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Answer no more; the listener stays for the service that is hosted next."""
        if self._listener is not None:
            self._listener.standings.remove(self)

    def missing(self) -> dict[str, str]:
        """What is waited for."""
        return self._lacking

    def samples(self) -> list[Sample]:
        """Nothing can be counted yet."""
        return []

    def wait(self) -> None:
        """Wait until all is there, saying now and then for what; raises Refused where waiting is of no use."""
        remind_at, said = 0.0, None
        while lacking := dict(self._look()):
            self._lacking = lacking
            if lacking != said or monotonic() >= remind_at:
                log.warning("waiting for %s", "; ".join(f"{part}: {why}" for part, why in lacking.items()))
                remind_at, said = monotonic() + REMIND_SECONDS, lacking
            eventlet.sleep(WAIT_SECONDS)

    def _look(self) -> Iterator[tuple[str, str]]:
        """What is not there yet; the schema comes last, since whoever looks at it may write."""
        keeps = self.service in SERVICES
        asked: list[tuple[str, Callable[[], str | None]]] = [
            *([("database", lambda: missing_database(self._config, self.service))] if keeps else []),
            ("broker", lambda: missing_broker(self._config)),
        ]
        lacking = [(part, why) for part, ask in asked if (why := ask()) is not None]
        yield from lacking
        if keeps and not lacking:
            try:
                open_ledger(self._config, self.service).database.close()
            except Unavailable as fault:
                yield "database", str(fault)
