"""When work is said to have happened: what cannot be is refused, what is odd is flagged (docs/readings.md, Clock trust)."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shared.contracts.work_orders import ClockFlag


@dataclass(frozen=True, kw_only=True)
class Told:
    """When something happened, when a device took that down (if one did), and when it is told; all aware."""

    at: datetime
    now: datetime
    captured_at: datetime | None = None

    def faults(self, field: str) -> dict[str, list[str]]:
        """What cannot be, by field; `field` is the one that says when it happened."""
        found: dict[str, list[str]] = {}
        if self.at > self.now:
            found[field] = [_future(self.at, self.now)]
        elif self.captured_at is not None and self.at > self.captured_at:
            found[field] = [f"expected a time no later than captured_at {self.captured_at.isoformat()}"]
        if self.captured_at is not None and self.captured_at > self.now:
            found["captured_at"] = [_future(self.captured_at, self.now)]
        return found

    def flags(self, opens: date, ends: date, zone: ZoneInfo) -> tuple[ClockFlag, ...]:
        """What is odd about work with a window of local dates, both included: done outside it, or told after it."""
        done, told = self.at.astimezone(zone).date(), self.now.astimezone(zone).date()
        odd: tuple[tuple[ClockFlag, bool], ...] = (
            ("before_window", done < opens),
            ("after_window", done > ends),
            ("recorded_late", told > ends),
        )
        return tuple(flag for flag, is_so in odd if is_so)


def _future(moment: datetime, now: datetime) -> str:
    return f"{moment.isoformat()} lies in the future of {now.isoformat()}"
