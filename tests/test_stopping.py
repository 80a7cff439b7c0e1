"""A process that is told to stop answers what it has taken, takes nothing new, and ends; what it answered is kept."""

import http.client
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import orjson

from tests.api import SIGNED_IN
from tests.conftest import Start
from tests.processes import EVERYWHERE, Platform, embedded

CALLERS = 4
REFUSED = 0
BROKEN = -1
HALL = {"name": "Hall", "uscc": "11530121MB198972XH", "region_code": "530114", "timezone": "Asia/Shanghai"}
MADE_UP = {"X-Actor": "user:li", "X-Simulated-Time": "2021-03-01T09:00:00+08:00"}
UNLIMITED = {"requests_per_minute": "1000000"}


class Traffic:
    """Callers who register one facility after the other, each on a connection that they keep as long as it is good."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered: dict[str, int] = {}
        """Facility → status; REFUSED where nobody listened, BROKEN where the connection was lost half-way."""
        self._names = count()
        self._ended = threading.Event()
        self._callers = [threading.Thread(target=self._call) for _ in range(CALLERS)]

    def statuses(self) -> set[int]:
        """What was answered so far."""
        return set(self.answered.values())

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Until the end of the block."""
        for caller in self._callers:
            caller.start()
        try:
            yield
        finally:
            self._ended.set()
            for caller in self._callers:
                caller.join()

    def _call(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self._ended.is_set():
            name = f"hall-{next(self._names)}"
            self.answered[name] = self._status(connection, name)
            if self.answered[name] == REFUSED:
                self._ended.wait(0.02)
        connection.close()

    def _status(self, connection: http.client.HTTPConnection, name: str) -> int:
        headers = {**SIGNED_IN, **MADE_UP, "Content-Type": "application/json", "Idempotency-Key": name}
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            return REFUSED
        try:
            body = {"facility_id": name, **HALL}
            connection.request("POST", "/v1/facilities", orjson.dumps(body), headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return BROKEN
        else:
            return response.status


def kept(platform: Platform) -> set[str]:
    """The facilities that the ledger knows, once the platform answers again."""
    platform.wait_until(platform.answers, "every service answers")
    return {facility["facility_id"] for facility in platform.api.get("/facilities")}


def flows(traffic: Traffic) -> bool:
    """Whether every caller was answered a few times."""
    return list(traffic.answered.values()).count(200) > 5 * CALLERS


def stopped(platform: Platform, name: str) -> int | None:
    """The exit status of a process that was told to stop, and ended by itself."""
    process = platform.processes[name]
    process.kept = False
    process.signal(signal.SIGTERM)
    platform.wait_until(lambda: not process.running, f"{name} has ended")
    return process.wait()


def test_one_process_that_is_told_to_stop_answers_what_it_has_taken_and_keeps_it(tmp_path: Path) -> None:
    with embedded(tmp_path, **UNLIMITED) as platform:
        traffic = Traffic(platform.port)
        with traffic.flowing():
            platform.wait_until(lambda: flows(traffic), "requests flow")

            status = stopped(platform, EVERYWHERE)
            platform.wait_until(lambda: REFUSED in traffic.statuses(), "nobody listens")
        platform.restart(EVERYWHERE)
        held = kept(platform)

    assert status == 0
    assert traffic.statuses() == {200, REFUSED}
    assert held == {name for name, answered in traffic.answered.items() if answered == 200}


def test_a_gateway_and_a_service_that_are_told_to_stop_one_after_the_other_lose_nothing(
    start_distributed: Start,
) -> None:
    with start_distributed(**UNLIMITED) as platform:
        traffic = Traffic(platform.port)
        with traffic.flowing():
            platform.wait_until(lambda: flows(traffic), "requests flow")
            service = stopped(platform, "asset_registry")
            platform.restart("asset_registry")
            before = len(traffic.answered)
            platform.wait_until(lambda: len(traffic.answered) > before + 2 * CALLERS, "requests flow again")
            through_the_service = traffic.statuses()

            gateway = stopped(platform, "gateway")
            platform.wait_until(lambda: REFUSED in traffic.statuses(), "nobody listens")
        platform.restart("gateway")
        held = kept(platform)

    answered = {status: {name for name, found in traffic.answered.items() if found == status} for status in (200, 503)}
    assert (service, gateway) == (0, 0)
    assert through_the_service <= {200, 503}  # the latter where the service took longer than a deadline to come back
    assert traffic.statuses() <= {200, 503, REFUSED}
    assert answered[200] <= held <= answered[200] | answered[503]
