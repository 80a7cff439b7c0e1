"""What follows from the time alone: a service looks at its clock now and then, facility by facility."""

from collections.abc import Iterable
from time import monotonic

import structlog
from nameko.timer import Timer
from sqlalchemy.exc import DBAPIError

from shared import service
from shared.errors import Conflict, Unavailable
from shared.provider import claims_of

log = structlog.get_logger()

TICK_SECONDS = 60
TAKE_OVER_SECONDS = 2
"""How often a replica asks whether the clock has become its task."""
TASK = "clock"


class Tick(Timer):
    """Fires in the one replica that holds the clock, and at once in the one that takes it over."""

    def __init__(self) -> None:
        super().__init__(interval=TAKE_OVER_SECONDS, eager=True)
        self._due_at = 0.0

    def handle_timer_tick(self) -> None:
        """Fire if it is our task, and time."""
        if not self._is_ours():
            self._due_at = 0.0
        elif monotonic() >= self._due_at:
            self._due_at = monotonic() + TICK_SECONDS
            super().handle_timer_tick()
            return
        self.worker_complete.send()

    def _is_ours(self) -> bool:
        try:
            return claims_of(self.container).take(TASK)
        except (DBAPIError, Unavailable) as fault:
            log.warning("the clock is nobody's while the database is away", fault=repr(fault))
            return False


on_tick = Tick.decorator


class Clockwork(service.LedgerService):
    """A service with duties that the clock calls; a subclass says for whom, and what is to be done."""

    def facilities_that_wait(self) -> Iterable[str]:
        """The facilities in which the clock may have to decide something."""
        raise NotImplementedError

    def look_at_the_clock(self, facility: str) -> None:
        """Decide what follows from the time; whatever was slept through is caught up."""
        raise NotImplementedError

    @on_tick
    def tick(self) -> None:
        """Look at the clock now and then; in a simulated installation it is moved by `set_clock` instead."""
        if not self.ledger.clock.simulated:
            self.on_clock()

    def on_clock(self) -> None:
        """Look at the clock for each facility; one that fails holds no other back, and is looked at again."""
        faults: list[Exception] = []
        for facility in self.facilities_that_wait():
            try:
                self.look_at_the_clock(facility)
            except (Conflict, Unavailable) as fault:
                log.info("the clock is looked at again soon", facility=facility, fault=str(fault))
                faults.append(fault)
            except Exception as fault:
                log.exception("the clock was not looked at", facility=facility)
                faults.append(fault)
        if faults and self.ledger.clock.simulated:
            raise faults[0]
