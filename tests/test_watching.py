"""Prometheus' files ask for what the processes tell, of every service there is."""

import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Metric

from services.hosted import HOSTED
from services.integration.outbound.gauges import GAUGES
from shared import measures, standing

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "infra" / "prometheus"


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def rules() -> list[dict[str, Any]]:
    return [rule for group in parsed(FOLDER / "alerts.yml")["groups"] for rule in group["rules"]]


def told() -> set[str]:
    """The names of all numbers that some process tells."""
    counted: list[Metric] = list(measures.REGISTRY.collect())
    asked = re.findall(
        r'"(xunjian_\w+)"', Path(standing.__file__).read_text() + (ROOT / "shared/monitor.py").read_text()
    )
    return {one.name for one in counted} | {one.name for one in GAUGES} | set(asked)


def test_every_process_of_the_compose_file_is_asked_where_it_listens() -> None:
    (scrape,) = parsed(FOLDER / "prometheus.yml")["scrape_configs"]
    (found,) = scrape["dns_sd_configs"]
    services = parsed(ROOT / "docker-compose.yml")["services"]

    listening = {name for name, one in services.items() if "XUNJIAN_MONITOR_ADDRESS" in one.get("environment", {})}

    assert set(found["names"]) == listening == set(HOSTED)
    assert {services[name]["environment"]["XUNJIAN_MONITOR_ADDRESS"] for name in HOSTED} == {f"0.0.0.0:{found['port']}"}
    assert found["type"] == "A"
    assert scrape["job_name"] == "xunjian"


def test_prometheus_finds_its_rules_and_starts_only_where_it_is_asked_for() -> None:
    service = parsed(ROOT / "docker-compose.yml")["services"]["prometheus"]
    (path,) = parsed(FOLDER / "prometheus.yml")["rule_files"]

    assert service["profiles"] == ["monitoring"]
    assert f"./{FOLDER.relative_to(ROOT)}:{Path(path).parent}:ro" in service["volumes"]
    assert (FOLDER / Path(path).name).exists()


def test_every_alert_is_whole_and_asks_for_numbers_that_are_told() -> None:
    names = told()
    for rule in rules():
        asked = set(re.findall(r"\bxunjian_\w+", rule["expr"]))

        assert asked, rule
        assert asked <= names, rule
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} <= rule["annotations"].keys()
        assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))

    assert {rule["alert"] for rule in rules()} == {"ServiceNotReady", "RelayLagging", "FacilityParked", "WebhookPaused"}


def test_a_service_that_is_gone_altogether_is_missed() -> None:
    (not_ready,) = (rule for rule in rules() if rule["alert"] == "ServiceNotReady")

    assert set(re.findall(r'absent\(xunjian_ready{service="(\w+)"}\)', not_ready["expr"])) == set(HOSTED)
