"""Which days of a year are workdays in China, make-up workdays (调休) included: as a library says, or as an office amended.

What a calendar once said about a date stays so for the visits of that date: a later version holds for later dates only.
"""

from datetime import date, datetime, timedelta
from functools import cache
from importlib.metadata import version

import chinese_calendar

from services.scheduling.recurrence import IsWorkday
from shared.aggregate import Aggregate
from shared.contracts.scheduling import WorkdayCalendarAdopted
from shared.errors import Invalid
from shared.event import Event

LIBRARY = "chinesecalendar"


class WorkdayCalendar(Aggregate):
    """The workdays of one year in one facility, version by version."""

    category = "workdays"

    def __init__(self, id_: str) -> None:
        super().__init__(id_)
        self.versions: list[WorkdayCalendarAdopted] = []

    def adopt(self, adopted: WorkdayCalendarAdopted, at: datetime) -> None:
        """Let it hold; every fault of its days is named."""
        if faults := {field: [why] for field, why in adopted.faults()}:
            raise Invalid(faults)
        self.record(adopted, at)

    def for_date(self, day: date) -> IsWorkday | None:
        """The calendar by which visits of a nominal date are read; None where none holds for it."""
        for adopted in reversed(self.versions):
            if adopted.effective_on is None or adopted.effective_on <= day:
                return adopted.is_workday
        return None

    def apply(self, event: Event) -> None:
        """Fold one event."""
        if isinstance(event, WorkdayCalendarAdopted):
            self.versions.append(event)


@cache
def of_library(year: int) -> WorkdayCalendarAdopted | None:
    """What the library says of a year; None where it does not know it."""
    first = date(year, 1, 1)
    every_day = [first + timedelta(days=number) for number in range((date(year, 12, 31) - first).days + 1)]
    try:
        unusual = [day for day in every_day if bool(chinese_calendar.is_workday(day)) != (day.weekday() < 5)]
    except NotImplementedError:
        return None
    return WorkdayCalendarAdopted(
        year=year,
        source=f"{LIBRARY} {version(LIBRARY)}",
        holidays=tuple(day for day in unusual if day.weekday() < 5),
        make_up_workdays=tuple(day for day in unusual if day.weekday() >= 5),
    )
