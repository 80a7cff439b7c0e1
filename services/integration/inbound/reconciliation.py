"""The daily reconciliation: what arrived of a source's day, counted and summed, beside what the source says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
"""A message or a closed day, as the views keep it."""

COUNTED = ("received", "accepted", "refused", "pending", "duplicates", "contradictions")


@dataclass(kw_only=True)
class Day:
    """The messages of one source of one local day."""

    day: date
    source: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    ratings: int = 0
    amount: Decimal = Decimal("0.00")
    stated: dict[str, Any] | None = None

    def take(self, message: Row) -> None:
        """Count a message."""
        self.counts["received"] += 1
        self.counts[message["status"]] += 1
        self.counts["duplicates"] += message["repeats"]
        self.counts["contradictions"] += message["contradictions"]
        if message["status"] == "accepted":
            self.ratings += message["ratings"] or 0
            self.amount += Decimal(message["amount"] or 0)

    @property
    def agrees(self) -> bool | None:
        """Whether all that the source states of the day is what was accepted; None where it states nothing."""
        if self.stated is None:
            return None
        found = {"count": self.counts["accepted"], "ratings": self.ratings, "amount": str(self.amount)}
        return all(value is None or value == found[name] for name, value in self.stated.items())

    def as_json(self) -> dict[str, Any]:
        """As it is answered."""
        return {
            "day": self.day.isoformat(),
            "source": self.source,
            **self.counts,
            "ratings": self.ratings,
            "amount": str(self.amount),
            "stated": self.stated,
            "agrees": self.agrees,
        }


def reconciled(messages: Iterable[Row], closed: Iterable[Row], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The days of each source, by day and source.

    The day of a message is the local one of the time that it bears, else of its receipt. Messages that close a day are
    not counted themselves.
    """
    days: dict[tuple[date, str], Day] = {}
    for message in messages:
        day = datetime.fromisoformat(message["happened_at"]).astimezone(zone).date()
        if message["fact"] != "day_closed":
            _of(days, day, message["source"]).take(message)
    for stated in closed:
        said = {name: stated[name] for name in ("count", "ratings", "amount")}
        _of(days, date.fromisoformat(stated["day"]), stated["source"]).stated = said
    return [days[key].as_json() for key in sorted(days)]


def _of(days: dict[tuple[date, str], Day], day: date, source: str) -> Day:
    return days.setdefault((day, source), Day(day=day, source=source))
