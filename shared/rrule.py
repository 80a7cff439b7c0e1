"""The days that a recurrence rule (RRULE, RFC 5545) names in a year: one reading for plans, files and occurrences."""

import re
from datetime import date, datetime
from functools import lru_cache

from dateutil.rrule import rrulestr

_RRULE = re.compile(r"[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*")
_PARTS = (
    "FREQ",
    "INTERVAL",
    "UNTIL",
    "COUNT",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYSETPOS",
    "WKST",
)
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")


@lru_cache(maxsize=1024)
def days(rrule: str, year: int) -> tuple[date, ...]:
    """The days of a year that an RRULE names, counted from January 1st; raises ValueError with what was expected."""
    _check_parts(rrule)
    first, last = datetime(year, 1, 1), datetime(year, 12, 31)  # noqa: DTZ001  # local days, as RRULE counts them
    try:
        return tuple(day.date() for day in rrulestr(rrule, dtstart=first).between(first, last, inc=True))
    except (ValueError, TypeError) as fault:
        raise ValueError(f"expected an RFC 5545 RRULE: {fault}") from fault


def _check_parts(rrule: str) -> None:
    """Refuse what is no RRULE, is more often than daily, or would never end (dateutil takes INTERVAL=0)."""
    if not _RRULE.fullmatch(rrule):
        raise ValueError("expected an RFC 5545 RRULE like FREQ=MONTHLY;BYMONTHDAY=1")
    pairs = [part.split("=") for part in rrule.split(";")]
    names, parts = [name for name, _ in pairs], dict(pairs)
    if len(parts) < len(names) or not set(names).issubset(_PARTS):
        raise ValueError(f"expected an RFC 5545 RRULE, each part once and of {', '.join(_PARTS)}")
    if parts.get("FREQ") not in _FREQUENCIES:
        raise ValueError(f"expected FREQ={', '.join(_FREQUENCIES)}: never more often than daily")
    if not re.fullmatch("[1-9][0-9]{0,3}", parts.get("INTERVAL", "1")):
        raise ValueError("expected an INTERVAL from 1 to 9999")
