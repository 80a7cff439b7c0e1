"""A real Prometheus asks the processes of a real installation: every alert fires for what it is there for, and ends when
that is mended; and every panel of the dashboards has something to show.

What the shipped rules say in minutes is shortened, all of it by one factor (`watching.HASTE`); nothing else of them is
changed. `make compose-test` runs this; it takes about three minutes and needs PostgreSQL, RabbitMQ and Prometheus, but no
container.
"""

import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.tests.provoking import PROVOCATIONS, SLOWEST, Cable, Scene
from infra.tests.watching import HASTE, SHIPPED, Prometheus, watching
from services.hosted import HOSTED
from tests.conftest import service_databases  # noqa: F401  a fixture
from tests.processes import ROOT, distributed, free_port
from tests.story import Story

DASHBOARDS = sorted((ROOT / "infra/grafana/dashboards").glob("*.json"))
RATE = f"{4 * 15 / HASTE:g}s"
"""What Grafana takes for $__rate_interval: four times the time between two looks."""


@pytest.fixture
def scene(
    tmp_path: Path,
    amqp_url: str,
    test_servers: Mapping[str, str],
    service_databases: dict[str, str],  # noqa: F811
) -> Iterator[Scene]:
    """A hall with its systems and its plan, watched; nothing has happened to it yet."""
    cables = {"broker": Cable(amqp_url), "database": Cable(service_databases["scoring"])}
    targets = {service: f"127.0.0.1:{free_port()}" for service in HOSTED}
    each = {service: {"XUNJIAN_MONITOR_ADDRESS": address} for service, address in targets.items()}
    each["scoring"] |= {"XUNJIAN_AMQP_URI": cables["broker"].url, "XUNJIAN_DATABASE_SCORING": cables["database"].url}
    ours = '["127.0.0.1"]'
    with (
        distributed(
            tmp_path, amqp_url, service_databases, each=each, from_nothing=True, webhook_hosts=ours
        ) as platform,
        watching(tmp_path / "prometheus", targets) as prometheus,
    ):
        story = Story(platform)
        story.begin()
        vhost = amqp_url.rpartition("/")[2]
        found = Scene(platform, prometheus, story, test_servers["XUNJIAN_TEST_RABBITMQ_API"], vhost, cables)
        found.record()  # Prometheus sees a number rise once it has seen it before
        found.wait_until_well()
        yield found


def test_each_alert_fires_when_its_condition_is_there_and_ends_when_it_is_mended(scene: Scene) -> None:
    rules = [
        rule for group in yaml.safe_load((SHIPPED / "alerts.yml").read_text())["groups"] for rule in group["rules"]
    ]
    prometheus, fired = scene.prometheus, dict[str, list[str]]()
    prometheus.wait_until(lambda: not prometheus.alerts("firing"), "no alert fires to begin with")

    def wait_for(expected: Mapping[str, dict[str, str]]) -> None:
        for name, labels in expected.items():
            prometheus.wait_for(name, **labels)
            fired[name] = [text for alert in prometheus.firing(name) for text in alert["annotations"].values()]

    provoke_slowest, slowest = SLOWEST
    with provoke_slowest(scene):
        for provoke, expected in PROVOCATIONS.items():
            scene.wait_until_well()
            for name in expected:
                prometheus.wait_for_end_of(name)
            with provoke(scene):
                wait_for(expected)
        wait_for(slowest)

    prometheus.wait_until(lambda: not prometheus.alerts("firing"), "no alert fires any more", seconds=120)
    assert fired.keys() == {rule["alert"] for rule in rules}
    assert [text for told in fired.values() for text in told if re.search("<no value>|error|%!", text)] == []


def test_each_panel_of_the_dashboards_shows_something_after_a_quarter_of_work(scene: Scene) -> None:
    began = time.time()

    for month in (1, 2, 3):
        scene.story.month(month)
    scene.story.end()
    time.sleep(2)

    nothing = [
        f"{path.stem}: {panel['title']}: {target['expr']}"
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
        if not shown(scene.prometheus, target, began) and "noValue" not in panel["fieldConfig"]["defaults"]
    ]
    assert nothing == []


def shown(prometheus: Prometheus, target: Mapping[str, Any], began: float) -> bool:
    """Whether a panel's question was answered by numbers since `began`, with all labels that its legend names."""
    asked = target["expr"].replace("$__rate_interval", RATE).replace("$__range", "60s").replace("$service", ".*")
    lines = prometheus.query_range(asked, began, time.time(), 1)
    named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    for line in lines:
        assert named <= line["metric"].keys(), f"{asked}: {line['metric']}"
    return any(math.isfinite(float(value)) for line in lines for _, value in line["values"])
