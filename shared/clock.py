"""Where time comes from: the machine in a real installation, the commands in a simulated one."""

from datetime import UTC, datetime
from typing import Protocol

from shared.errors import Invalid, Rejected


class Clock(Protocol):
    """The store's clock; `now()` is aware, in UTC."""

    simulated: bool

    def now(self) -> datetime:
        """The present moment."""

    def advance(self, moment: datetime) -> None:
        """Move a simulated clock on to `moment`, never back; a real clock refuses with Rejected."""


class SystemClock:
    """The machine's clock."""

    simulated = False

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    def advance(self, moment: datetime) -> None:
        """Refuse: only a simulated installation takes its time from a caller."""
        raise Rejected("a real installation keeps real time; only a simulated one takes its time from commands")


class SimulatedClock:
    """A made-up clock that stands still until a command, or an event from another service, moves it on."""

    simulated = True

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The latest moment heard of."""
        return self._now

    def advance(self, moment: datetime) -> None:
        """Move on to `moment`; an earlier one changes nothing. Raises Invalid if it is not aware."""
        if moment.tzinfo is None:
            raise Invalid({"time": ["expected a timestamp with offset (RFC 3339)"]})
        self._now = max(self._now, moment.astimezone(UTC))
