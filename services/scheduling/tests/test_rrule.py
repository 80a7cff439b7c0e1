"""Recurrence rules: read as RFC 5545 says within one year, refused where they would be misread, and never slow."""

from datetime import date, datetime
from time import perf_counter

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.scheduling.tests.plans import rules, years
from shared.rrule import days


@settings(max_examples=200, deadline=None)
@given(rrule=rules, year=years)
def test_the_days_of_a_year_are_those_that_dateutil_finds_from_its_first_day_on(rrule: str, year: int) -> None:
    found = days(rrule, year)

    assume(found)  # dateutil searches to the year 9999 for a rule that names no day
    first, last = datetime(year, 1, 1), datetime(year, 12, 31)  # noqa: DTZ001
    bounded = rrule if "UNTIL" in rrule or "COUNT" in rrule else f"{rrule};UNTIL={year + 40}1231"
    assert found == tuple(day.date() for day in rrulestr(bounded, dtstart=first).between(first, last, inc=True))


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=DAILY;BYSETPOS=2",
    ],
)
def test_a_rule_that_never_fires_is_found_to_name_no_day_at_once(rrule: str) -> None:
    began = perf_counter()

    assert days(rrule, 2021) == ()

    assert perf_counter() - began < 1


def test_a_rule_ends_where_it_says() -> None:
    assert days("FREQ=MONTHLY;UNTIL=20210301", 2021) == (date(2021, 1, 1), date(2021, 2, 1), date(2021, 3, 1))
    assert days("FREQ=MONTHLY;COUNT=2", 2021) == (date(2021, 1, 1), date(2021, 2, 1))
    assert days("FREQ=MONTHLY;UNTIL=20201231", 2021) == ()
    assert len(days("FREQ=MONTHLY;UNTIL=20990101", 2021)) == 12


def test_a_leap_day_is_found_in_leap_years_only() -> None:
    leaps = [year for year in range(1900, 3000) if days("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", year)]

    assert leaps == [year for year in range(1900, 3000) if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)]


def test_weeks_that_began_in_the_year_before_are_read_as_they_are_in_the_year_itself() -> None:
    for year in range(1996, 2108):
        first, last = datetime(year, 1, 1), datetime(year, 12, 31)  # noqa: DTZ001
        found = rrulestr("FREQ=YEARLY;BYWEEKNO=53", dtstart=first).between(first, last, inc=True)

        assert days("FREQ=YEARLY;BYWEEKNO=53", year) == tuple(day.date() for day in found)


@pytest.mark.parametrize(
    ("rrule", "expected"),
    [
        ("", "an RFC 5545 RRULE like"),
        ("monthly", "an RFC 5545 RRULE like"),
        ("FREQ=MONTHLY;", "an RFC 5545 RRULE like"),
        ("FREQ=MONTHLY\n", "an RFC 5545 RRULE like"),
        ("RRULE:FREQ=MONTHLY", "an RFC 5545 RRULE like"),
        ("FREQ=ＭONTHLY", "an RFC 5545 RRULE like"),
        ("BYMONTHDAY=1", "never more often than daily"),
        ("FREQ=HOURLY", "never more often than daily"),
        ("FREQ=MONTHLY;FREQ=DAILY", "each part once"),
        ("FREQ=MONTHLY;BYHOUR=9", "each part once and of"),
        ("FREQ=MONTHLY;BYEASTER=0", "each part once and of"),
        ("FREQ=DAILY;INTERVAL=0", "an INTERVAL from 1 to 9999"),
        ("FREQ=DAILY;INTERVAL=10000", "an INTERVAL from 1 to 9999"),
        ("FREQ=DAILY;COUNT=0", "a COUNT from 1 to 9999"),
        ("FREQ=DAILY;COUNT=-1", "a COUNT from 1 to 9999"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20210301", "COUNT or UNTIL, not both"),
        ("FREQ=DAILY;UNTIL=20210230", "an UNTIL that is a day"),
        ("FREQ=DAILY;UNTIL=20210301T000000Z", "an UNTIL that is a day"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "days from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,32", "days from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=,", "days from 1 to 31"),
        ("FREQ=YEARLY;BYYEARDAY=367", "days from 1 to 366"),
        ("FREQ=YEARLY;BYWEEKNO=54", "weeks from 1 to 53"),
        ("FREQ=YEARLY;BYMONTH=13", "months from 1 to 12"),
        ("FREQ=MONTHLY;BYDAY=XX", "weekdays like"),
        ("FREQ=MONTHLY;BYDAY=0MO", "weekdays like"),
        ("FREQ=MONTHLY;BYDAY=6MO", "numbers up to 5"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=6MO", "numbers up to 5"),
        ("FREQ=YEARLY;BYDAY=400MO", "weekdays like"),
        ("FREQ=WEEKLY;BYDAY=1MO", "no numbers in its BYDAY"),
        ("FREQ=MONTHLY;BYSETPOS=0", "places from 1 to 366"),
        ("FREQ=MONTHLY;WKST=MO,TU", "one weekday"),
        ("FREQ=YEARLY;BYMONTHDAY=" + "1," * 300 + "1", "at most 500 characters"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(rrule: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        days(rrule, 2021)


@given(rrule=st.text("FREQMONTHLYDAILYBYDAYCOUNTUNTILINTERVAL=;,-+0123456789\n\0年", max_size=60) | st.text())
def test_no_text_breaks_it(rrule: str) -> None:
    for text in (rrule, f"FREQ=MONTHLY;{rrule}", f"FREQ=YEARLY;BYDAY={rrule}"):
        try:
            days(text, 2021)
        except ValueError as fault:
            assert "expected" in str(fault)  # noqa: PT017
