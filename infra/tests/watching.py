"""A real Prometheus with the shipped rules, on processes of this machine, for which time passes more quickly."""

import http.client
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import yaml

from tests.processes import ROOT, free_port

SHIPPED = ROOT / "infra" / "prometheus"
HASTE = 15
"""By this factor everything is shortened that the shipped files say in minutes and seconds, and nothing else is changed."""
PATIENCE_SECONDS = 120
"""A watchdog, not a measure."""
_MILLISECONDS = {"s": 1000, "m": 60_000}
_DURATION = re.compile(r"(for: |offset |interval: |\[)(\d+)([sm])\b")


def hastened(text: str) -> str:
    """Rules or settings with every duration divided by HASTE: `for: 1m`, `offset 2m`, `[5m]`, `… _seconds) > 60`."""
    text = _DURATION.sub(lambda said: f"{said[1]}{int(said[2]) * _MILLISECONDS[said[3]] // HASTE}ms", text)
    return re.sub(r"(_seconds\) > )(\d+)", lambda said: f"{said[1]}{int(said[2]) / HASTE:g}", text)


class Prometheus:
    """One server; asked over its own API."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port

    def alerts(self, *states: str) -> list[dict[str, Any]]:
        """The alerts that stand at this moment; of all states, or of some."""
        found: list[dict[str, Any]] = self._get("/alerts")["alerts"]
        return [one for one in found if not states or one["state"] in states]

    def firing(self, name: str, **labels: str) -> list[dict[str, Any]]:
        """Those of a name that fire, and carry these labels."""
        return [
            one
            for one in self.alerts("firing")
            if one["labels"]["alertname"] == name and labels.items() <= one["labels"].items()
        ]

    def wait_for(self, name: str, **labels: str) -> None:
        """Wait until an alert of this name fires, with these labels."""
        self.wait_until(lambda: self.firing(name, **labels), f"{name} fires")

    def wait_for_end_of(self, name: str) -> None:
        """Wait until no alert of this name fires."""
        self.wait_until(lambda: not self.firing(name), f"{name} ends")

    def value(self, expression: str) -> float | None:
        """The one number that an expression has now; None where there is none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an expression answers now."""
        return list(self._get("/query", query=expression)["result"])

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """What an expression answered in a span of Unix time, every `step` seconds."""
        return list(self._get("/query_range", query=expression, start=start, end=end, step=step)["result"])

    def wait_until(self, holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for a condition; fails with the alerts that stand."""
        give_up = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < give_up, f"waited {seconds:.0f} s until {what}\n{self.told()}"
            time.sleep(0.1)

    def told(self) -> str:
        """What it says of its targets and of the alerts, for whoever looks into a failure."""
        standing = [(one["state"], one["labels"], one["annotations"].get("summary")) for one in self.alerts()]
        down = [one["metric"] for one in self.query("up == 0")]
        log = (self._folder / "prometheus.log").read_text()[-2000:]
        return "\n".join([*map(str, standing), f"down: {down}", log])

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            self._get("/alerts")
        except (OSError, orjson.JSONDecodeError):  # nobody listens, or somebody who says so in plain words
            return False
        return True

    def _get(self, path: str, **query: object) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", f"/api/v1{path}?{urlencode(query)}")
            answer = orjson.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def watching(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Prometheus, which asks each process (name → host:port) where it listens, until the end of the block."""
    folder.mkdir(exist_ok=True)
    (folder / "alerts.yml").write_text(hastened((SHIPPED / "alerts.yml").read_text()))
    settings = yaml.safe_load(hastened((SHIPPED / "prometheus.yml").read_text()))
    settings["rule_files"] = ["alerts.yml"]
    (scrape,) = settings["scrape_configs"]
    del scrape["dns_sd_configs"], scrape["relabel_configs"]  # there are no names of containers here
    scrape["static_configs"] = [
        {"targets": [address], "labels": {"process": process}} for process, address in targets.items()
    ]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    port = free_port()
    command = [
        str(tools() / "prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--query.lookback-delta={300 // HASTE}s",
        "--log.level=warn",
    ]
    found = Prometheus(folder, port)
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            give_up = time.monotonic() + PATIENCE_SECONDS
            while not found.answers():
                assert process.poll() is None, (folder / "prometheus.log").read_text()
                assert time.monotonic() < give_up, "Prometheus does not answer"
                time.sleep(0.1)
            yield found
        finally:
            process.kill()


def tools() -> Path:
    """The folder with prometheus and promtool."""
    command = [sys.executable, str(ROOT / "infra" / "prometheus-tools")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return Path(finished.stdout.strip())
