"""What is known of a facility: a merge of its events in which neither order nor repetition matters."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from shared.contracts.asset_registry import FacilityRegistered, SystemDecommissioned, SystemRegistered
from shared.contracts.scheduling import OccurrenceExcused, OccurrenceScheduled, OccurrenceWithdrawn
from shared.contracts.scoring import DeductionWaived, SatisfactionReported
from shared.contracts.work_orders import (
    CostRecorded,
    CostReversed,
    IncidentConfirmed,
    IncidentDismissed,
    PointsInspected,
    WorkOrderOpened,
    WorkPerformed,
)
from shared.errors import Invalid
from shared.event import Event, Recorded

DEFAULT_TIMEZONE = "Asia/Shanghai"

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Fact(Generic[E]):
    """One event with what the rules ask of its envelope; `time` and `recordedat` are aware."""

    id: str
    time: datetime
    recordedat: datetime
    event: E

    @property
    def rank(self) -> tuple[datetime, str]:
        """The newest of several has the greatest rank, the first the least."""
        return self.recordedat, self.id


@dataclass(frozen=True, slots=True)
class System:
    """A building system by its newest registration and the decommissioning, if any, that came after it."""

    registered: Fact[SystemRegistered]
    decommissioned_on: date | None

    def in_commission(self, month_end: date) -> bool:
        """Whether it was in commission in the month that ends on a day: begun by then, and not over before then."""
        begun = self.registered.event.commissioned_on <= month_end
        return begun and (self.decommissioned_on is None or self.decommissioned_on >= month_end)


class Facts:
    """The events of one facility, each once. Add them in any order and as often as they come."""

    def __init__(self, facility: str = "") -> None:
        self.facility = facility
        self._recorded: dict[str, Recorded] = {}
        self._facts: dict[type[Event], list[Fact[Any]]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._recorded)

    def add(self, recorded: Recorded) -> None:
        """Take in one event; raises Invalid where it is another facility's, or its id is known with other content."""
        known = self._recorded.get(recorded.id)
        if known is not None:
            if known != recorded:
                raise Invalid(
                    {"id": [f"{recorded.id} is told twice with different content, expected the same envelope"]}
                )
            return
        self.facility = self.facility or recorded.facility
        if recorded.facility != self.facility:
            raise Invalid({"facility": [f"expected {self.facility}, one facility only, not {recorded.facility}"]})
        self._recorded[recorded.id] = recorded
        fact = Fact(recorded.id, recorded.time, recorded.recordedat, recorded.event)
        self._facts[type(recorded.event)].append(fact)

    def extend(self, history: Iterable[Recorded]) -> "Facts":
        """Take in several events, and return the facts themselves."""
        for recorded in history:
            self.add(recorded)
        return self

    def recorded(self, id_: str) -> Recorded:
        """An event in its whole envelope; raises KeyError where none has this id."""
        return self._recorded[id_]

    def history(self) -> list[Recorded]:
        """Every event by (`recordedat`, `id`), the order in which they became known."""
        return sorted(self._recorded.values(), key=lambda recorded: (recorded.recordedat, recorded.id))

    def all(self, kind: type[E]) -> list[Fact[E]]:
        """Every fact of a kind, in no order that means anything."""
        return self._facts.get(kind, [])

    def known(self, at: datetime | None = None) -> "Known":
        """What had been recorded at a moment; None for all of it."""
        return Known(self, at)


class Known:
    """The facts recorded up to a moment, chosen as domain.md (What counts) says; a snapshot for one evaluation."""

    def __init__(self, facts: Facts, at: datetime | None) -> None:
        self._facts = facts
        self._at = at

    def all(self, kind: type[E]) -> list[Fact[E]]:
        """Every fact of a kind seen by then, in no order that means anything."""
        return [fact for fact in self._facts.all(kind) if self._at is None or fact.recordedat <= self._at]

    def by(self, kind: type[E], key: Callable[[E], str | None]) -> dict[str, list[Fact[E]]]:
        """The facts of a kind gathered by what they name; those that name nothing are left out."""
        found: dict[str, list[Fact[E]]] = defaultdict(list)
        for fact in self.all(kind):
            name = key(fact.event)
            if name is not None:
                found[name].append(fact)
        return dict(found)

    def newest(self, kind: type[E], key: Callable[[E], str]) -> dict[str, Fact[E]]:
        """One thing is told anew: the newest telling holds."""
        return {name: max(tellings, key=_rank) for name, tellings in self.by(kind, key).items()}

    def first(self, kind: type[E], key: Callable[[E], str]) -> dict[str, Fact[E]]:
        """One thing is told again: the first telling holds."""
        return {name: min(tellings, key=_rank) for name, tellings in self.by(kind, key).items()}

    def day(self, moment: datetime) -> date:
        """The local date of a timestamp."""
        try:
            return moment.astimezone(self.timezone).date()
        except OverflowError:  # within a day of the calendar's first or last moment
            return date.min if moment.year == date.min.year else date.max

    @cached_property
    def timezone(self) -> ZoneInfo:
        """The facility's, by its newest registration."""
        registrations = self.all(FacilityRegistered)
        return ZoneInfo(max(registrations, key=_rank).event.timezone if registrations else DEFAULT_TIMEZONE)

    @cached_property
    def systems(self) -> dict[str, System]:
        """By system; a decommissioning told before the newest registration is void."""
        ends = self.newest(SystemDecommissioned, lambda event: event.system_id)
        systems = {}
        for name, registered in self.newest(SystemRegistered, lambda event: event.system_id).items():
            end = ends.get(name)
            stands = end is not None and end.rank > registered.rank
            systems[name] = System(registered, end.event.decommissioned_on if end and stands else None)
        return systems

    @cached_property
    def inspections(self) -> dict[tuple[str, str], list[Fact[OccurrenceScheduled]]]:
        """The visits of activity inspection by (system, period), the withdrawn ones among them."""
        found: dict[tuple[str, str], list[Fact[OccurrenceScheduled]]] = defaultdict(list)
        for visit in self.first(OccurrenceScheduled, lambda event: event.occurrence_id).values():
            if visit.event.activity == "inspection":
                found[visit.event.system_id, visit.event.period].append(visit)
        return dict(found)

    def withdrawals(self, visit: Fact[OccurrenceScheduled]) -> list[Fact[OccurrenceWithdrawn]]:
        """Those that hold: recorded while the visit's window was not yet over."""
        told = self._withdrawals.get(visit.event.occurrence_id, [])
        return [withdrawal for withdrawal in told if self.day(withdrawal.recordedat) <= visit.event.window_end]

    @cached_property
    def _withdrawals(self) -> dict[str, list[Fact[OccurrenceWithdrawn]]]:
        return self.by(OccurrenceWithdrawn, lambda event: event.occurrence_id)

    @cached_property
    def excuses(self) -> dict[str, list[Fact[OccurrenceExcused]]]:
        """By occurrence."""
        return self.by(OccurrenceExcused, lambda event: event.occurrence_id)

    @cached_property
    def opened(self) -> dict[str, list[Fact[WorkOrderOpened]]]:
        """Work orders by the occurrence that they name."""
        return self.by(WorkOrderOpened, lambda event: event.occurrence_id)

    @cached_property
    def inspected(self) -> dict[str, list[Fact[PointsInspected]]]:
        """Results by the occurrence that they name."""
        return self.by(PointsInspected, lambda event: event.occurrence_id)

    @cached_property
    def performed(self) -> dict[str, list[Fact[WorkPerformed]]]:
        """Work done by the occurrence that it names."""
        return self.by(WorkPerformed, lambda event: event.occurrence_id)

    @cached_property
    def costs(self) -> list[Fact[CostRecorded]]:
        """The newest recording of each cost, less those ever reversed."""
        reversed_ = self.by(CostReversed, lambda event: event.cost_id)
        newest = self.newest(CostRecorded, lambda event: event.cost_id)
        return [cost for name, cost in newest.items() if name not in reversed_]

    @cached_property
    def incidents(self) -> list[Fact[IncidentConfirmed]]:
        """The newest confirmation of each incident, less those ever dismissed."""
        dismissed = self.by(IncidentDismissed, lambda event: event.incident_id)
        newest = self.newest(IncidentConfirmed, lambda event: event.incident_id)
        return [incident for name, incident in newest.items() if name not in dismissed]

    @cached_property
    def satisfaction(self) -> list[Fact[SatisfactionReported]]:
        """The newest telling of each report."""
        return list(self.newest(SatisfactionReported, lambda event: event.report_id).values())

    @cached_property
    def waivers(self) -> list[Fact[DeductionWaived]]:
        """All of them, whenever told."""
        return self.all(DeductionWaived)


def _rank(fact: Fact[Any]) -> tuple[datetime, str]:
    return fact.rank
