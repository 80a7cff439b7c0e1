"""Load on an installation that never ends by itself: a client for each of some halls reports numbered incidents, one by one."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.api import Api

HALLS = tuple(f"load-{number}" for number in range(6))
_HALL = {"uscc": "11530121MB198972XH", "region_code": "530114", "timezone": "Asia/Shanghai"}


class Load:
    """What was acknowledged of what the clients sent: `reported` numbers for each hall, in order."""

    def __init__(self, api: Api) -> None:
        self.reported = dict.fromkeys(HALLS, 0)
        self.faults: list[str] = []
        self._api = api
        self._over = threading.Event()

    def ids(self, hall: str) -> list[str]:
        """The incidents that must be there, each once and in this order."""
        return [f"{hall}-{number}" for number in range(self.reported[hall])]

    @property
    def repeated(self) -> int:
        """How often a client had to ask again."""
        return self._api.repeated

    def _report(self, hall: str) -> None:
        try:
            while not self._over.is_set():
                number = self.reported[hall]
                told = {
                    "incident_id": f"{hall}-{number}",
                    "occurred_at": "2020-06-05T09:00:00+08:00",
                    "description": "a fall",
                }
                self._api.post(f"/facilities/{hall}/incidents", told, key=f"{hall}:{number}", actor="user:qian")
                self.reported[hall] += 1
                self._over.wait(0.1)
        except AssertionError as fault:
            self.faults.append(str(fault))


@contextmanager
def loading(api: Api) -> Iterator[Load]:
    """Keep the load up within the block; at its end what was sent is acknowledged."""
    for hall in HALLS:
        api.post("/facilities", {"facility_id": hall, "name": hall, **_HALL}, key=hall, actor="user:qian")
    load = Load(api)
    clients: Sequence[Any] = [threading.Thread(target=load._report, args=(hall,), daemon=True) for hall in HALLS]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        load._over.set()
        for client in clients:
            client.join(120)
