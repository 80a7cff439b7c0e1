"""Couriers as they really run: hosted, beside each other, killed, and in two processes of which one works."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic

import eventlet
import pytest

from services.audit.tests.installation import urls_of
from services.integration.service import Integration
from services.integration.tests.hosted import configuration
from services.integration.tests.receivers import Receiver, receiver
from services.integration.tests.told import Told, told
from shared import embedded
from shared.tests.hosted import Followed, hosting

ROOT = Path(__file__).parents[3]


def waited(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something to hold."""
    give_up = monotonic() + seconds
    while not holds():
        assert monotonic() < give_up, f"not within {seconds} s"
        eventlet.sleep(0.01)


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Told]:
    """Both services' databases, in files that a process may share."""
    with told(tmp_path) as here:
        yield here


def sqlite_urls(hall: Told) -> dict[str, str]:
    """Where they are."""
    return {name: str(ledger.database.url) for name, ledger in hall.ledgers.items()}


def test_a_slow_receiver_holds_nobody_else_and_new_events_wake_the_couriers(hall: Told) -> None:
    with receiver(*["slow"] * 10) as slow, receiver() as quick:
        hall.subscribe(slow.url, webhook_id="slow")
        hall.subscribe(quick.url, webhook_id="quick")
        with hosting(configuration(embedded.fresh(), sqlite_urls(hall)), Followed, Integration) as ledgers:
            waited(lambda: len(quick.calls) == 2)
            hall.ledgers = {ledger.service: ledger for ledger in ledgers}
            begun = monotonic()
            hall.tell()
            waited(lambda: len(quick.calls) == 3)
            took = monotonic() - begun

    assert took < 0.9  # nobody waits for the next look around
    assert quick.acknowledged == [1, 2, 3]
    assert slow.acknowledged == []


def _arrived(there: Receiver, wanted: int) -> bool:
    return len(there.calls) >= wanted if wanted else there.acknowledged[-1:] == [40]


def killed_and_started(config: dict[str, object], there: Receiver, kills: int, each: int) -> None:
    """Run a process, killing it whenever that many more calls have arrived."""
    for turn in range(kills + 1):
        program = [sys.executable, "-m", "services.integration.tests.hosted", json.dumps(config)]
        with subprocess.Popen(program, cwd=ROOT) as process:
            wanted = len(there.calls) + each if turn < kills else 0
            waited(partial(_arrived, there, wanted))
            process.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_killed_and_started_again_couriers_go_on_where_they_were(hall: Told) -> None:
    hall.tell(39)
    with receiver(*["ok"] * 7, "early") as there:
        hall.subscribe(there.url)

        killed_and_started(configuration("embedded://killed", sqlite_urls(hall)), there, kills=2, each=9)

    numbers = [call.number for call in there.calls]
    assert numbers == sorted(numbers)
    assert set(there.acknowledged) == set(range(1, 41))
    # A kill between a receiver's word and the book is the one case in which it is told again: at most once a kill.
    assert len(there.acknowledged) - 40 <= 2
    ids = {(call.number, call.headers["webhook-id"]) for call in there.calls}
    assert len(ids) == 40


def test_of_two_processes_one_carries_and_the_other_takes_over(postgres_url: str) -> None:
    urls = {name: url for name, url in urls_of(postgres_url).items() if name in ("work_orders", "integration")}
    here, config = Told(urls), configuration(embedded.fresh(), urls)
    with receiver() as there, hosting(config, Followed):
        here.tell(5)
        here.subscribe(there.url)
        first = hosting(config, Integration)
        first.__enter__()
        with hosting(config, Integration):
            waited(lambda: len(there.calls) == 6)
            here.tell(5)
            waited(lambda: here.listed()["delivered"] == 11)
            first.__exit__(None, None, None)

            here.tell(5)
            waited(lambda: here.listed()["delivered"] == 16)
    here.close()

    assert [call.number for call in there.calls] == list(range(1, 17))
