"""The jobs of a simulated year on site: planned visits, repairs, and the verdicts on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from services.project.simulation import Job, Simulation, weekday
from services.project.story import (
    CONTRACTORS,
    DISPATCHER,
    FAULT_RATE,
    FAULTS,
    INSPECTORS,
    MANAGER,
    NOT_APPLICABLE_RATE,
    SUPERVISOR,
    FINANCE,
    Lapse,
    Visit,
    told,
    yuan,
)

BACKFILL_DAYS = 5
"""How long after its window a visit may still be written down (rulebook chenggong-2021)."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An occurrence with the work order that was opened for it."""

    occurrence_id: str
    work_order_id: str
    system_id: str
    activity: str
    period: str
    window_start: date
    window_end: date
    point_ids: tuple[str, ...]
    lapse: Lapse | None = None

    @property
    def visit(self) -> Visit:
        """What lapses are told of."""
        return self.system_id, int(self.period[5:])


def planned_visit(simulation: Simulation, planned: Planned) -> Job:
    """One occurrence from its day to the verdict, or to nothing."""
    random = simulation.random(planned.occurrence_id)
    day = _day(planned, random)
    if planned.lapse in ("missed", "excused"):
        return _never_done(simulation, planned)
    doer = random.choice(INSPECTORS if planned.activity == "inspection" else CONTRACTORS)
    begun = simulation.at(day, random.randint(8, 10), random.randrange(60))
    minutes = 20 + random.randint(1, 3) * len(planned.point_ids) // 4
    ended = begun + timedelta(minutes=min(minutes, 420))
    if planned.lapse in ("late", "backfilled"):
        days = BACKFILL_DAYS + 3 if planned.lapse == "late" else 2
        written = simulation.at(planned.window_end + timedelta(days=days), 10)
    return _visited(...)
