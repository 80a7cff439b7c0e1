"""Which days are workdays in China, make-up workdays (调休) included; an unknown year is said to be unknown."""

from datetime import date

import chinese_calendar

from shared.errors import Rejected


def is_workday(day: date) -> bool:
    """Whether people work on a day; raises Rejected for a year whose calendar is not published yet."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as fault:
        raise Rejected(f"no workday calendar for {day.year} yet: use workdays `ignore`, or wait for it") from fault
