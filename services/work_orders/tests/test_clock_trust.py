"""Claimed times: what cannot be is refused, what is odd is flagged."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.work_orders.clock_trust import Told

NOON = datetime(2021, 3, 9, 4, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = (date(2021, 3, 1), date(2021, 3, 31))


def shanghai(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A local time of 2021."""
    return datetime(2021, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("at", "captured", "fields"),
    [
        (NOON, None, set()),
        (NOON, NOON, set()),
        (NOON - MOMENT, NOON, set()),
        (NOON, NOON - MOMENT, {"performed_at"}),
        (NOON + MOMENT, None, {"performed_at"}),
        (NOON, NOON + MOMENT, {"captured_at"}),
        (NOON + MOMENT, NOON + MOMENT, {"performed_at", "captured_at"}),
    ],
)
def test_it_happened_before_it_was_captured_and_that_before_it_was_told(
    at: datetime, captured: datetime | None, fields: set[str]
) -> None:
    assert set(Told(at=at, now=NOON, captured_at=captured).faults("performed_at")) == fields


@pytest.mark.parametrize(
    ("at", "now", "flags"),
    [
        (shanghai(3, 1), shanghai(3, 1), ()),
        (shanghai(3, 31, 23, 59), shanghai(3, 31, 23, 59), ()),
        (shanghai(2, 28, 23, 59), shanghai(3, 9), ("before_window",)),
        (shanghai(3, 31, 23, 59), shanghai(4, 1), ("recorded_late",)),
        (shanghai(4, 1), shanghai(4, 1), ("after_window", "recorded_late")),
        (shanghai(2, 28), shanghai(4, 1), ("before_window", "recorded_late")),
    ],
)
def test_what_lies_outside_the_window_by_local_days_is_flagged(
    at: datetime, now: datetime, flags: tuple[str, ...]
) -> None:
    in_utc = Told(at=at.astimezone(UTC), now=now.astimezone(UTC))

    assert in_utc.flags(*MARCH, SHANGHAI) == flags
