"""Prometheus' files and Grafana's ask for what the processes tell, of every service there is."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from services.gateway.routes import ROUTES
from services.hosted import HOSTED
from services.integration.outbound.gauges import GAUGES
from shared import measures, standing

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "infra" / "prometheus"
GRAFANA = ROOT / "infra" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


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
    names = {f"{one.name}{ending}" for one in counted for ending in ENDINGS.get(one.type, ("",))}
    return names | {one.name for one in GAUGES} | set(asked)


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
        asked = set(re.findall(r"\b(?:xunjian|process)_\w+", rule["expr"]))

        assert asked, rule
        assert asked <= names, rule
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/runbooks.md").read_text(), flags=re.MULTILINE)

    assert sections == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{rule['alert'].lower()}"


def test_each_alert_fires_at_its_edge_and_not_before() -> None:
    promtool = Path(said_by(sys.executable, ROOT / "infra/prometheus-tools")) / "promtool"

    said_by(promtool, "check", "config", "--syntax-only", FOLDER / "prometheus.yml")
    said_by(promtool, "test", "rules", FOLDER / "alerts.test.yml")

    asked = (FOLDER / "alerts.test.yml").read_text()
    assert [rule["alert"] for rule in rules() if not re.search(rf"\b{rule['alert']}\b.*firing", asked)] == []


def test_a_service_that_is_gone_altogether_is_missed() -> None:
    (gone,) = (rule for rule in rules() if rule["alert"] == "ServiceGone")

    assert set(re.findall(r'absent\(xunjian_ready{service="(\w+)"}\)', gone["expr"])) == set(HOSTED)


def test_who_waits_by_choice_does_not_count_as_slow() -> None:
    (slow,) = (rule for rule in rules() if rule["alert"] == "RequestsSlow")

    waiting = {route.path for route in ROUTES if route.kind == "feed"}

    assert set(re.findall(r'route!="([^"]+)"', slow["expr"])) == waiting


def test_grafana_finds_its_files_and_its_password_and_starts_only_where_it_is_asked_for() -> None:
    composed = parsed(ROOT / "docker-compose.yml")
    service = composed["services"]["grafana"]
    mounted = dict(volume.split(":")[:2] for volume in service["volumes"])
    (source,) = parsed(GRAFANA / "provisioning/datasources/prometheus.yaml")["datasources"]
    (provider,) = parsed(GRAFANA / "provisioning/dashboards/xunjian.yaml")["providers"]

    assert service["profiles"] == ["monitoring"]
    assert mounted["./infra/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounted["./infra/grafana/dashboards"] == provider["options"]["path"]
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == parsed(FOLDER / "prometheus.yml")["global"]["scrape_interval"]
    assert service["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    assert "grafana_password" in composed["secrets"]
    home = Path(service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home.name in {path.name for path in DASHBOARDS}


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_whole_and_asks_for_numbers_that_are_told(path: Path) -> None:
    board = json.loads(path.read_text())
    (source,) = parsed(GRAFANA / "provisioning/datasources/prometheus.yaml")["datasources"]
    names = told()

    assert board["uid"] == path.stem
    assert bilingual(board["title"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert overlapping(board["panels"]) == []
    for panel in board["panels"]:
        defaults = panel["fieldConfig"]["defaults"]
        assert bilingual(panel["title"]), panel["title"]
        assert bilingual(panel["description"]), panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": source["type"], "uid": source["uid"]}
            assert set(re.findall(r"\b(?:xunjian|process)_\w+", target["expr"])) <= names, target["expr"]
            assert panel["type"] != "timeseries" or target["legendFormat"], panel["title"]


def test_the_dashboards_draw_their_lines_where_the_alerts_begin() -> None:
    lines = {
        panel["title"].partition(" / ")[0]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
    }
    begins = {rule["alert"]: rule["expr"] for rule in rules()}

    assert f'le="{lines["记录用时（95%）"]:.1f}"' in begins["AppendsSlow"]
    assert f"> {lines['等待发布的时间']}" in begins["RelayLagging"]
    assert f"> {lines['失败的请求']}" in begins["RequestsFailing"]
    assert f'le="{lines["请求用时"]}"' in begins["RequestsSlow"]
    assert f"> {lines['被拒绝的登录']}" in begins["SignInsRefused"]


def test_the_dashboard_knows_how_many_services_there_are() -> None:
    overview = json.loads((GRAFANA / "dashboards/xunjian-overview.json").read_text())

    (missed,) = (panel for panel in overview["panels"] if panel["title"].startswith("未就绪的服务"))

    assert set(re.findall(r"\b\d+\b", missed["targets"][0]["expr"])) == {"1", str(len(HOSTED))}


def bilingual(text: str) -> bool:
    """Whether it is Chinese first, then English."""
    return re.match(r"[^/]*[\u4e00-\u9fff][^/]* / [A-Za-z]", text) is not None


def overlapping(panels: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Panels that lie upon each other, or beyond the 24 columns that there are."""
    spots = [(panel["title"], panel["gridPos"]) for panel in panels]
    beyond = [(title, "") for title, at in spots if at["x"] + at["w"] > 24]
    return beyond + [
        (one, other)
        for number, (one, here) in enumerate(spots)
        for other, there in spots[:number]
        if here["x"] < there["x"] + there["w"]
        and there["x"] < here["x"] + here["w"]
        and here["y"] < there["y"] + there["h"]
        and there["y"] < here["y"] + here["h"]
    ]


def said_by(*command: str | Path) -> str:
    """What a program says on its way to success."""
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout.strip()
