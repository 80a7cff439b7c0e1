"""Random recurrence rules, plan items and calendars, and the Chinese one."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from services.scheduling.recurrence import CalendarFor, IsWorkday
from services.scheduling.workdays import of_library
from shared.contracts.scheduling import PlanItem

YEAR = 2021

years = st.integers(1900, 2999)
_weekdays = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])


def _many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return st.lists(values.map(str), min_size=1, max_size=3).map(",".join)


@st.composite
def _rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "DAILY"]))
    numbers = ["", "", "1", "2", "-1", "+3", "5"] if frequency in {"YEARLY", "MONTHLY"} else [""]
    weekdays = st.tuples(st.sampled_from(numbers), _weekdays).map("".join)
    parts = {
        "INTERVAL": st.integers(1, 5).map(str),
        "BYMONTH": _many(st.integers(1, 12)),
        "BYMONTHDAY": _many(st.sampled_from([1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -31])),
        "BYDAY": _many(weekdays),
        "BYWEEKNO": _many(st.sampled_from([1, 2, 26, 52, 53, -1, -53])),
        "BYYEARDAY": _many(st.sampled_from([1, 100, 365, 366, -1, -366])),
        "BYSETPOS": _many(st.sampled_from([1, 2, -1])),
        "WKST": _weekdays,
        "COUNT": st.integers(1, 40).map(str),
        "UNTIL": st.dates(date(1900, 1, 1), date(2999, 12, 31)).map("{:%Y%m%d}".format),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(parts)), max_size=3, unique=True))
    if {"COUNT", "UNTIL"} <= set(chosen):
        chosen.remove("COUNT")
    return ";".join([f"FREQ={frequency}", *(f"{name}={draw(parts[name])}" for name in chosen)])


rules = _rules()
"""Rules that are read; some of them name no day."""


def items(plan_item_id: str = "i", system_id: str = "hvac") -> st.SearchStrategy[PlanItem]:
    """Random duties of one name."""
    return st.builds(
        PlanItem,
        plan_item_id=st.just(plan_item_id),
        system_id=st.just(system_id),
        activity=st.sampled_from(["inspection", "maintenance", "service", "test"]),
        rrule=rules,
        workdays=st.sampled_from(["ignore", "skip", "move"]),
        window_days=st.none() | st.integers(1, 400) | st.just(2**53 - 1),
    )


def calendars() -> st.SearchStrategy[IsWorkday]:
    """Random opinions on which days are workdays."""
    return st.integers(0, 2**32).map(lambda seed: lambda day: hash((seed, day.toordinal())) % 3 > 0)


def by(is_workday: IsWorkday) -> CalendarFor:
    """One calendar for every date."""
    return lambda _: is_workday


def chinese(day: date) -> IsWorkday | None:
    """The calendar of a date, as far as the library knows it."""
    known = of_library(day.year)
    return known.is_workday if known else None


def item(rrule: str, workdays: Any = "ignore", window_days: int | None = None, **names: Any) -> PlanItem:
    """One duty."""
    named = {"plan_item_id": "i", "system_id": "hvac", "activity": "inspection", **names}
    return PlanItem(**named, rrule=rrule, workdays=workdays, window_days=window_days)
