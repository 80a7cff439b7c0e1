"""What follows from the time alone: a service looks at its clock now and then, facility by facility."""

from collections.abc import Iterable

import structlog
from nameko.timer import timer

from shared import service
from shared.errors import Conflict, Unavailable

log = structlog.get_logger()

TICK_SECONDS = 60


class Clockwork(service.LedgerService):
    """A service with duties that the clock calls; a subclass says for whom, and what is to be done."""

    def facilities_that_wait(self) -> Iterable[str]:
        """The facilities in which the clock may have to decide something."""
        raise NotImplementedError

    def look_at_the_clock(self, facility: str) -> None:
        """Decide what follows from the time; whatever was slept through is caught up."""
        raise NotImplementedError

    @timer(interval=TICK_SECONDS, eager=True)
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
