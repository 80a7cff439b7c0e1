"""The days that a recurrence rule (RRULE, RFC 5545) names in a year: one reading for plans, files and occurrences."""

import re
from calendar import isleap
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache

from dateutil.rrule import rrulestr

LONGEST = 500
"""How many characters a rule may have."""

_RRULE = re.compile(r"[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*")
_WEEKDAY = "(MO|TU|WE|TH|FR|SA|SU)"
_TO_53, _TO_366 = "([1-9]|[1-4][0-9]|5[0-3])", "([1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
_PARTS = {
    "FREQ": ("YEARLY|MONTHLY|WEEKLY|DAILY", "FREQ=YEARLY, MONTHLY, WEEKLY, DAILY: never more often than daily"),
    "INTERVAL": ("[1-9][0-9]{0,3}", "an INTERVAL from 1 to 9999"),
    "UNTIL": ("[0-9]{8}", "an UNTIL that is a day like 20211231"),
    "COUNT": ("[1-9][0-9]{0,3}", "a COUNT from 1 to 9999"),
    "BYMONTH": ("0?[1-9]|1[0-2]", "months from 1 to 12 in BYMONTH"),
    "BYWEEKNO": (f"[+-]?0?{_TO_53}", "weeks from 1 to 53, or -53 to -1, in BYWEEKNO"),
    "BYYEARDAY": (f"[+-]?0*{_TO_366}", "days from 1 to 366, or -366 to -1, in BYYEARDAY"),
    "BYMONTHDAY": ("[+-]?(0?[1-9]|[12][0-9]|3[01])", "days from 1 to 31, or -31 to -1, in BYMONTHDAY"),
    "BYDAY": (f"([+-]?0?{_TO_53})?{_WEEKDAY}", "weekdays like MO, 1MO or -1FR in BYDAY"),
    "BYSETPOS": (f"[+-]?0*{_TO_366}", "places from 1 to 366, or -366 to -1, in BYSETPOS"),
    "WKST": (_WEEKDAY, "one weekday like MO in WKST"),
}
"""What each value of a part looks like, and that in words."""


@lru_cache(maxsize=1024)
def days(rrule: str, year: int) -> tuple[date, ...]:
    """The days of a year that an RRULE names, counted from January 1st; raises ValueError with what was expected."""
    parts = _parts(rrule)
    until = _day(parts.pop("UNTIL", f"{year}1231"))
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    twin = _late_twin(year)
    first, last = datetime(twin, 1, 1), datetime(twin, 12, 31)  # noqa: DTZ001  # local days, as RRULE counts them
    try:
        named = rrulestr(rule, dtstart=first).between(first, last, inc=True)
    except (ValueError, TypeError) as fault:
        raise ValueError(f"expected an RFC 5545 RRULE: {fault}") from fault
    return tuple(day for moment in named if (day := moment.date().replace(year=year)) <= until)


def _late_twin(year: int) -> int:
    """The last year but a few that has the same calendar and the same weeks.

    dateutil looks for a day until the year 9999, five seconds long where a rule names none; a twin has not far to go.
    """
    return next(late for late in range(9990, 0, -1) if _calendar(late) == _calendar(year))


def _calendar(year: int) -> tuple[int, bool, bool]:
    return date(year, 1, 1).weekday(), isleap(year), isleap(year - 1)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a local day
    except ValueError as fault:
        raise ValueError(f"expected {_PARTS['UNTIL'][1]}, not {text}") from fault


def _parts(rrule: str) -> dict[str, str]:
    """A rule by its parts; raises ValueError for what is no RRULE, or would be misread or never end (INTERVAL=0)."""
    if len(rrule) > LONGEST:
        raise ValueError(f"expected an RRULE of at most {LONGEST} characters")
    if not _RRULE.fullmatch(rrule):
        raise ValueError("expected an RFC 5545 RRULE like FREQ=MONTHLY;BYMONTHDAY=1")
    pairs = [part.split("=") for part in rrule.split(";")]
    names, parts = [name for name, _ in pairs], dict(pairs)
    if len(parts) < len(names) or not set(names).issubset(_PARTS):
        raise ValueError(f"expected an RFC 5545 RRULE, each part once and of {', '.join(_PARTS)}")
    if faults := [*_faults(parts)]:
        raise ValueError(f"expected an RFC 5545 RRULE with {faults[0]}")
    return parts


def _faults(parts: Mapping[str, str]) -> Iterator[str]:
    for name, value in {"FREQ": "", **parts}.items():
        pattern, expected = _PARTS[name]
        values = value.split(",") if name.startswith("BY") else [value]
        if not all(re.fullmatch(pattern, one) for one in values):
            yield expected
    if "COUNT" in parts and "UNTIL" in parts:
        yield "COUNT or UNTIL, not both"
    most = 0 if parts.get("FREQ") in {"WEEKLY", "DAILY"} else 53
    most = 5 if parts.get("FREQ") == "MONTHLY" or (most and "BYMONTH" in parts) else most
    if any(int(number) > most for number in re.findall("[0-9]+", parts.get("BYDAY", ""))):
        yield f"numbers up to {most} in its BYDAY" if most else "no numbers in its BYDAY, as it is weekly or daily"
