"""What each alert is there for, done to a real installation, and mended again."""

import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import eventlet
import psycopg
import requests

from infra.tests.watching import Prometheus
from services.integration.tests.receivers import receiver
from tests.api import Api
from tests.processes import Platform, free_port
from tests.story import Story


class Cable:
    """The way to a server, which can be cut and mended."""

    def __init__(self, url: str) -> None:
        target = urlsplit(url)
        self._target = target.hostname, target.port
        self.port = free_port()
        self.url = url.replace(f"{target.hostname}:{target.port}", f"127.0.0.1:{self.port}")
        self._ends: set[Any] = set()
        self.mend()

    def mend(self) -> None:
        """Let through who comes."""
        self._listening = eventlet.listen(("127.0.0.1", self.port))
        self._accepting = eventlet.spawn(self._accept)

    def cut(self) -> None:
        """End all connections, and refuse others."""
        self._accepting.kill()
        self._listening.close()
        for end in self._ends:
            _shut(end)

    def _accept(self) -> None:
        while True:
            near, _ = self._listening.accept()
            eventlet.spawn(self._connect, near)

    def _connect(self, near: Any) -> None:
        with near, eventlet.connect(self._target) as far:
            self._ends |= {near, far}
            for way in (eventlet.spawn(_carry, near, far), eventlet.spawn(_carry, far, near)):
                way.wait()
            self._ends -= {near, far}


def _carry(one: Any, other: Any) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    _shut(other)


def _shut(end: Any) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@dataclass
class Scene:
    """An installation with a hall in it, and who watches it; scoring reaches its servers by cables."""

    platform: Platform
    prometheus: Prometheus
    story: Story
    broker_api: str
    vhost: str
    cables: Mapping[str, Cable]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def wait_until_well(self) -> None:
        """Wait until every service is watched and ready."""
        ready = f"count(xunjian_ready == 1) == {len(self.platform.processes)}"
        self.prometheus.wait_until(lambda: self.prometheus.query(ready), "all services are ready")

    def record(self, many: int = 1) -> None:
        """Have the asset registry record something, at once."""
        moves = [{"location": f"room {next(self._numbers)}"} for _ in range(many)]
        list(eventlet.GreenPool().imap(lambda body: self._tell("/points/water-1/relocate", body), moves))

    def started(self, process: str) -> float | None:
        """When a process was started, in Unix time; None while it does not answer."""
        return self.prometheus.value(f'process_start_time_seconds{{process="{process}"}}')

    def started_since(self, process: str, before: float | None) -> bool:
        """Whether it was started again."""
        return self.started(process) not in {None, before}

    def ask(self, path: str, many: int, key: str | None = None) -> None:
        """Ask the API, whatever it answers."""
        for number in range(many):
            api = self.platform.api if key is None else Api(self.platform.port, f"{key}{number}")
            api.once("GET", path)

    def subscribe(self, webhook_id: str, url: str) -> None:
        """Have all that happened in the hall told to somebody."""
        self._tell("/webhooks", {"url": url, "webhook_id": webhook_id, "after": 0})

    def remove(self, webhook_id: str) -> None:
        """Tell them no more."""
        self._tell(f"/webhooks/{webhook_id}/remove", {})

    def _tell(self, path: str, body: dict[str, Any]) -> None:
        key = f"provoked:{next(self._numbers)}"
        self.platform.api.post(f"/facilities/hall{path}", body, key, at=self.story.now)

    @contextmanager
    def session(self, service: str) -> Iterator[psycopg.Connection[Any]]:
        """A transaction on a service's database, rolled back at the end."""
        url = self.platform.databases[service].replace("+psycopg", "", 1)
        with psycopg.connect(url) as connection:
            yield connection
            connection.rollback()

    def change(self, service: str, statement: str) -> None:
        """Change a service's database behind its back."""
        with self.session(service) as connection:
            connection.execute(statement.encode())
            connection.commit()


@contextmanager
def killed(scene: Scene) -> Iterator[None]:
    """A process is gone."""
    scene.platform.kill("scheduling")
    yield
    scene.platform.restart("scheduling")


@contextmanager
def falling_over(scene: Scene) -> Iterator[None]:
    """A process is killed thrice, each time when it had just begun to answer."""
    for _ in range(3):
        before = scene.started("scheduling")
        scene.platform.processes["scheduling"].signal(signal.SIGKILL)
        scene.prometheus.wait_until(partial(scene.started_since, "scheduling", before), "it was started again")
    yield


@contextmanager
def cut_off(scene: Scene, server: str) -> Iterator[None]:
    """Scoring does not reach a server."""
    scene.cables[server].cut()
    yield
    scene.cables[server].mend()


@contextmanager
def without_views(scene: Scene) -> Iterator[None]:
    """Nobody knows of which version the views of a service are."""
    with scene.session("scheduling") as connection:
        (row,) = connection.execute("SELECT * FROM view_version").fetchall()
    scene.change("scheduling", "DELETE FROM view_version")
    yield
    with scene.session("scheduling") as connection:
        marks = ", ".join(["%s"] * len(row))
        connection.execute(f"INSERT INTO view_version VALUES ({marks})".encode(), row)
        connection.commit()


@contextmanager
def held_up(scene: Scene) -> Iterator[None]:
    """Somebody else holds for seconds what the asset registry writes to."""
    with scene.session("asset_registry") as connection:
        connection.execute("SELECT * FROM ledger FOR UPDATE")
        recording = eventlet.spawn(scene.record, 8)
        eventlet.sleep(3.5)
    recording.wait()
    yield


@contextmanager
def refused_by_the_broker(scene: Scene) -> Iterator[None]:
    """The broker takes nothing more from a relay: somebody has made its exchange anew, as an internal one."""
    exchange = f"{scene.broker_api}/api/exchanges/{scene.vhost}/asset_registry.events"
    meddled = {"type": "topic", "durable": True, "internal": True}
    requests.delete(exchange, timeout=10).raise_for_status()
    requests.put(exchange, json=meddled, timeout=10).raise_for_status()
    scene.record()
    yield
    requests.delete(exchange, timeout=10).raise_for_status()


@contextmanager
def standing_still(scene: Scene) -> Iterator[None]:
    """A reader cannot move its checkpoints, since somebody holds them."""
    with scene.session("scoring") as connection:
        connection.execute("LOCK TABLE checkpoint IN EXCLUSIVE MODE")
        scene.record()
        yield


@contextmanager
def parked(scene: Scene) -> Iterator[None]:
    """Scoring's database refuses what it would keep of the hall's events."""
    scene.change("scoring", "ALTER TABLE journal ADD CONSTRAINT nothing_more CHECK (false) NOT VALID")
    scene.record()
    yield
    scene.change("scoring", "ALTER TABLE journal DROP CONSTRAINT nothing_more")


@contextmanager
def broken(scene: Scene) -> Iterator[None]:
    """A service breaks on what it is asked, since a table of its has another name."""
    asked = "/facilities/hall/work-orders"
    scene.ask(asked, many=1)  # a rise is only seen of what was there before
    told = (
        'count(xunjian_rpc_calls_total{caller="gateway",service="work_orders",method="work_orders",outcome="failed"})'
    )
    scene.prometheus.wait_until(lambda: scene.prometheus.query(told), "the calls are counted")
    scene.change("work_orders", "ALTER TABLE work_order RENAME TO away")
    scene.ask(asked, many=60)  # readers, impatient here, ask the service many things besides
    yield
    scene.change("work_orders", "ALTER TABLE away RENAME TO work_order")


@contextmanager
def strangers(scene: Scene) -> Iterator[None]:
    """Somebody tries one key after another."""
    scene.ask("/session", many=20, key="xj_" + 38 * "x")
    yield


@contextmanager
def failing_receiver(scene: Scene) -> Iterator[None]:
    """A receiver answers no call well."""
    with receiver(*["error"] * 1000) as there:
        scene.subscribe("fails", there.url)
        yield
        scene.remove("fails")


@contextmanager
def gone_receiver(scene: Scene) -> Iterator[None]:
    """A receiver says that it is gone for ever."""
    with receiver("gone") as there:
        scene.subscribe("gone", there.url)
        yield
        scene.remove("gone")


Provocation = Callable[[Scene], AbstractContextManager[None]]

PROVOCATIONS: Mapping[Provocation, Mapping[str, dict[str, str]]] = {
    killed: {"ServiceGone": {"process": "scheduling"}},
    falling_over: {"ServiceRestarting": {"process": "scheduling"}},
    partial(cut_off, server="database"): {"DatabaseAway": {"service": "scoring"}},
    partial(cut_off, server="broker"): {"BrokerAway": {"service": "scoring"}},
    without_views: {"ServiceNotReady": {"service": "scheduling"}},
    held_up: {"AppendsSlow": {"service": "asset_registry"}, "RequestsSlow": {}},
    refused_by_the_broker: {"RelayLagging": {"service": "asset_registry"}},
    standing_still: {"SubscriptionLagging": {"service": "scoring", "source": "asset_registry"}},
    parked: {"FacilityParked": {"service": "scoring", "source": "asset_registry"}},
    broken: {"CallsFailing": {"service": "work_orders"}, "RequestsFailing": {}},
    strangers: {"SignInsRefused": {}},
    gone_receiver: {"WebhookPaused": {"service": "integration"}},
}
"""What is done, and which alerts it makes fire, with which labels."""

SLOWEST: tuple[Provocation, Mapping[str, dict[str, str]]] = (
    failing_receiver,
    {"WebhookLagging": {"service": "integration"}},
)
"""What takes so long to be an alert that all else is done meanwhile."""
