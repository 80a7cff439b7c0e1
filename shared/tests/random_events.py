"""Random events: strategies derived from the annotations of the published language."""

import types
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from zoneinfo import available_timezones

from hypothesis import strategies as st

from shared.contracts.asset_registry import FacilityRegistered
from shared.contracts.scheduling import OccurrenceScheduled, WorkdayCalendarAdopted
from shared.contracts.scoring import AssessmentOpened, DeductionWaived, SatisfactionReported
from shared.contracts.work_orders import ServiceLevelsAdopted, Shift, WorkPerformed
from shared.event import Event
from shared.schema import Id, Period, Sha256

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
_MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001  the strategy adds the zone
    datetime(2199, 12, 31),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
_DECIMALS = st.decimals(-(10**12), 10**12, places=2)
_KINDS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(-(2**53) + 1, 2**53 - 1),
    date: st.dates(date(1900, 1, 1), date(2999, 12, 31)),
    datetime: _MOMENTS,
    "money": _DECIMALS,
    "reading": _DECIMALS | st.decimals(-1000, 1000, places=5),
    "text": TEXT.filter(lambda words: words.strip() != ""),
    Id: st.text("AZaz09._:-", min_size=1, max_size=80),
    Sha256: st.binary(min_size=32, max_size=32).map(bytes.hex),
    Period: st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31)).map("{:%Y-%m}".format),
}
ZONES = sorted(available_timezones())


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Random values of an annotation of the published language."""
    if hint in _KINDS:
        return _KINDS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([st.none() if kind is types.NoneType else values_of(kind) for kind in arguments])
    if origin is Annotated:
        return _annotated(*arguments[:2])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text("az_", min_size=1, max_size=9), values_of(arguments[1]), max_size=3)
    return instances_of(hint)


def _annotated(base: Any, mark: Any) -> st.SearchStrategy[Any]:
    if isinstance(mark, str):
        return _KINDS[mark]
    if mark.pattern is not None:
        return st.from_regex(mark.pattern, fullmatch=True)
    return _KINDS[base] if mark.ge is None else st.integers(mark.ge, 2**53 - 1 if mark.le is None else mark.le)


def instances_of(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Random instances of a dataclass, by its annotations alone."""
    hints = get_type_hints(cls, include_extras=True)
    return st.builds(cls, **{f.name: values_of(hints[f.name]) for f in fields(cls)})


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    """Random events of a class, mended where their fields contradict each other."""
    mend: Callable[[Any], Event] = _MENDED.get(cls, lambda event: event)
    return instances_of(cls).map(mend).filter(lambda event: not list(event.faults()))


def _with_zone(event: FacilityRegistered) -> Event:
    return replace(event, timezone=ZONES[len(event.name) % len(ZONES)])


def _within_a_year(event: OccurrenceScheduled) -> Event:
    days = [day.replace(year=int(event.period[:4]), day=1) for day in (event.window_start, event.window_end)]
    return replace(event, window_start=min(days), window_end=max(days))


def _with_parts(event: SatisfactionReported) -> Event:
    first, last = sorted((event.period_start, event.period_end))
    defaulted = min(event.defaulted, event.basically_satisfied)
    overturned = min(event.overturned, event.dissatisfied)
    return replace(event, period_start=first, period_end=last, defaulted=defaulted, overturned=overturned)


def _with_official(event: AssessmentOpened) -> Event:
    if not event.rulebooks:
        return event
    return replace(event, official=event.rulebooks[0].rulebook_id)


def _of_one_thing(event: DeductionWaived) -> Event:
    if event.event_id is not None:
        return replace(event, occurrence_id=None, point_id=None, period=None, system_id=None)
    if event.occurrence_id is not None:
        return replace(event, period=None, system_id=None)
    return replace(event, point_id=None, period=event.period or "2021-03")


def _of_an_occurrence(event: WorkPerformed) -> Event:
    return replace(event, occurrence_id=event.occurrence_id or "occ-1")


def _in_hours(event: ServiceLevelsAdopted) -> Event:
    hours = {name: 1 + getattr(event, name) % 2000 for name in ("low", "normal", "high", "urgent")}
    shifts = tuple(Shift(opens=f"{n:02}:00", closes=f"{n:02}:45") for n in range(1 + len(event.shifts)))
    return replace(event, **hours, shifts=shifts)


def _on_days_of_the_year(event: WorkdayCalendarAdopted) -> Event:
    days = {day.replace(year=event.year, day=1) for day in (*event.holidays, *event.make_up_workdays)}
    weekend = {day for day in days if day.weekday() >= 5}
    return replace(event, holidays=tuple(sorted(days - weekend)), make_up_workdays=tuple(sorted(weekend)))


_MENDED: dict[type[Event], Callable[[Any], Event]] = {
    FacilityRegistered: _with_zone,
    OccurrenceScheduled: _within_a_year,
    SatisfactionReported: _with_parts,
    AssessmentOpened: _with_official,
    DeductionWaived: _of_one_thing,
    WorkPerformed: _of_an_occurrence,
    ServiceLevelsAdopted: _in_hours,
    WorkdayCalendarAdopted: _on_days_of_the_year,
}
