"""Service levels (响应时限): within how many working hours jobs are due, by priority, and when people work."""

from datetime import datetime, time

from shared.aggregate import Aggregate
from shared.contracts.work_orders import Priority, ServiceLevelsAdopted, Shift
from shared.errors import Invalid
from shared.event import Event

DEFAULT = ServiceLevelsAdopted(
    urgent=2,
    high=8,
    normal=24,
    low=80,
    shifts=(Shift(opens="09:00", closes="12:00"), Shift(opens="13:00", closes="17:00")),
)
"""What holds until an office adopts its own; ours, no standard's (docs/readings.md)."""

SHORTEST_DAY = 60
"""How many minutes the shifts of a day have at least, so that any number of hours ends."""


class ServiceLevels(Aggregate):
    """The service levels of a facility; its id is the facility's."""

    category = "service-levels"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.adopted: ServiceLevelsAdopted | None = None

    @property
    def in_force(self) -> ServiceLevelsAdopted:
        """What holds for jobs opened now."""
        return self.adopted or DEFAULT

    def adopt(self, levels: ServiceLevelsAdopted, at: datetime) -> None:
        """Let these hold for jobs opened from now on."""
        if faults := {field: [why] for field, why in levels.faults()}:
            raise Invalid(faults)
        if sum(minutes(shift) for shift in levels.shifts) < SHORTEST_DAY:
            raise Invalid({"shifts": ["expected at least one hour a day in all"]})
        self.record(levels, at)

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, ServiceLevelsAdopted):
            self.adopted = event


def hours_of(levels: ServiceLevelsAdopted, priority: Priority) -> int:
    """Within how many working hours a job of this priority is due."""
    hours: int = getattr(levels, priority)
    return hours


def minutes(shift: Shift) -> int:
    """How long a shift is by the clock on the wall."""
    opens, closes = time.fromisoformat(shift.opens), time.fromisoformat(shift.closes)
    return (closes.hour - opens.hour) * 60 + closes.minute - opens.minute
