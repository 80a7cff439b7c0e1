"""The queue before a facility's head row: whoever comes while another writes is committed together with the others."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import Unavailable

BATCH = 200
"""How many waiting entries one transaction commits together at most."""


class Place:
    """An entry in the queue, and what became of it; `turn` opens when it is settled, or when it is its turn to lead."""

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.settled = False
        self.error: Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class CommitQueue:
    """Who waits to write to one facility: the first writes for all that came while the one before was writing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[Place] = deque()
        self.led = False

    def pass_through(self, place: Place, commit: Callable[[Sequence[Place]], None]) -> None:
        """Wait until somebody committed the place, or commit it, with those behind it, oneself."""
        with self.lock:
            self.waiting.append(place)
            leads, self.led = not self.led, True
        if not leads:
            self._wait(place)
            if place.settled:
                return
        with self.lock:
            batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), BATCH))]
        try:
            commit(batch)
        finally:
            self._hand_over(batch)

    def _wait(self, place: Place) -> None:
        """Wait for the place's turn; who is stopped while waiting leaves the queue, and passes on its turn to lead."""
        try:
            place.turn.acquire()
        except BaseException:
            with self.lock:
                if place in self.waiting:
                    self.waiting.remove(place)
                    if not place.turn.locked():
                        self._lead_on()
            raise

    def _lead_on(self) -> None:
        self.led = bool(self.waiting)
        if self.waiting:
            self.waiting[0].turn.release()

    def _hand_over(self, batch: Sequence[Place]) -> None:
        with self.lock:
            self._lead_on()
        for place in batch:
            if not place.settled:
                place.settled, place.error = True, Unavailable("the writer was stopped")
            place.turn.release()
