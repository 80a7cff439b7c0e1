"""The course of a simulated year: jobs that wait for their hour, and the commands that they send at it.

A job is a generator that yields the moment at which it goes on. Jobs run in the order of (moment, name), and each draws
from a random source of its own name; so nothing depends on how fast the installation answers. Every command has an
idempotency key: a simulation that was broken off is run again, and goes on where it stopped.
"""

import heapq
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from services.project.client import Client
from services.project.load import settle
from services.project.story import ROLES

Job = Iterator[datetime]


class Simulation:
    """One facility's year under way; `now` is the moment that commands carry and never goes back."""

    def __init__(self, client: Client, facility: str, zone: ZoneInfo, year: int, seed: int) -> None:
        self.client = client
        self.home = f"/facilities/{facility}"
        self.zone = zone
        self.year = year
        self.seed = seed
        self.now = datetime(year, 1, 1, tzinfo=zone)
        self.facility = facility
        self._clock = datetime.fromisoformat(client.get("/installation")["now"])
        self._costs: dict[str, tuple[date, Decimal]] = {}
        self._waiting: list[tuple[datetime, str, Job]] = []

    def random(self, name: str) -> Random:
        """The random source of a name: the same for a seed, whatever was drawn elsewhere."""
        return Random(f"{self.seed}:{name}")  # noqa: S311  # a story, not a secret

    def at(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        """A local moment."""
        return datetime.combine(day, clock_time(hour, minute), self.zone)

    def later(self, random: Random, low: int, high: int) -> datetime:
        """A moment in office hours `low` to `high` days from now, on a weekday."""
        return self.at(weekday(self.now.date() + timedelta(days=random.randint(low, high))), random.randint(9, 15))

    def begin(self, name: str, job: Job) -> None:
        """Let a job wait for its first moment."""
        self._wait(name, job)

    def run(self, until: datetime) -> Iterator[datetime]:
        """Run every job up to a moment, yielding each moment that is reached; what would come later is left undone."""
        while self._waiting and self._waiting[0][0] <= until:
            moment, name, job = heapq.heappop(self._waiting)
            self.now = max(self.now, moment)
            yield self.now
            self._wait(name, job)
        self.now = until

    def ask(self, path: str, **query: str | None) -> Any:
        """Ask about the facility."""
        return self.client.get(f"{self.home}{path}", **query)

    def tell(self, what: str, path: str, body: dict[str, Any], actor: str, *, seeded: bool = True) -> Any:
        """Send a command about the facility, now; `what` names it within the year, `seeded` within this seed's year."""
        key = f"sim:{self.facility}:{self.seed if seeded else self.year}:{what}"
        return self.client.send(f"{self.home}{path}", body, key=key, actor=actor, role=ROLES[actor], at=self.now)

    def pay(self, cost: dict[str, Any], actor: str) -> None:
        """Book a cost of today."""
        incurred = self.now.date()
        self.tell(cost["cost_id"], "/costs", {**cost, "incurred_on": str(incurred)}, actor)
        self._costs[cost["cost_id"]] = (incurred, Decimal(cost["amount"]))

    def take_back(self, cost_id: str, reason: str, actor: str) -> None:
        """Reverse a cost."""
        self.tell(f"{cost_id}:reverse", f"/costs/{cost_id}/reverse", {"reason": reason}, actor)
        del self._costs[cost_id]

    def spent_by(self, day: date) -> Decimal:
        """What was spent in all up to a day, in CNY."""
        return sum((amount for incurred, amount in self._costs.values() if incurred <= day), Decimal(0))

    def move_clock(self) -> None:
        """Move every service's clock to now, and wait until what follows from it has happened.

        A clock only judges when all that was done before has arrived, so that is waited for first.
        """
        if self.now > self._clock:
            settle(self.client, self.facility)
            now = self.now.isoformat()
            self.client.send("/simulation/clock", {"now": now}, key=f"clock:{now}", actor="user:sim")
            self._clock = self.now
        settle(self.client, self.facility)

    def _wait(self, name: str, job: Job) -> None:
        if (moment := next(job, None)) is not None:
            heapq.heappush(self._waiting, (max(moment, self.now), name, job))


def weekday(day: date) -> date:
    """The day, or the Monday after it."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
