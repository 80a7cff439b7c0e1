"""The Kubernetes manifests fit together: who may talk to whom, what scales and watches what, and where references lead.

They are built and read; no cluster runs here.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import pytest
import yaml
from kombu import Connection
from nameko.rpc import RPC_QUEUE_TEMPLATE

from services.hosted import class_of
from shared import embedded
from shared.broker import declare_queues
from shared.config import ALL, SERVICES
from tests.manifests import (
    DOCUMENT,
    OVERLAYS,
    OWN,
    ROOT,
    Endpoint,
    Manifests,
    built,
    hyphened,
    inner,
    is_custom,
    lets_through,
    pod,
)

BUILT = (*OVERLAYS, OWN)
BROKER, DATABASE = Endpoint({"app.kubernetes.io/name": "rabbitmq"}), Endpoint({"cnpg.io/cluster": "postgres"})
OUTSIDE = Endpoint(address="203.0.113.7")
METADATA = Endpoint(address="169.254.169.254")
"""Where clouds tell their machines secrets."""
INSIDE = Endpoint(address="10.1.2.3")
BASIC = frozenset({"username", "password"})

every_overlay = pytest.mark.parametrize("overlay", BUILT)


def secrets(manifests: Manifests) -> Iterator[tuple[str, str]]:
    """Every key of a Secret that something needs: by a volume, or as operators refer to them."""
    for one in (mapping for thing in manifests.objects for mapping in inner(thing)):
        if "secretName" in one:
            yield from ((one["secretName"], item["key"]) for item in one["items"])
        for name in ("passwordSecret", "secret"):
            if set(one.get(name, ())) == {"name"}:
                yield from ((one[name]["name"], key) for key in BASIC)
        if "externalSecret" in one:
            yield one["externalSecret"]["name"], "default_user.conf"
        for reference in (*one.get("secretTargetRef", ()), *one.get("s3Credentials", {}).values()):
            yield reference["name"], reference["key"]


def references(manifests: Manifests) -> Iterator[tuple[str, str]]:
    """Every object, kind and name, that another one of ours refers to."""
    for one in (mapping for thing in manifests.objects for mapping in inner(thing)):
        for key, kind in (
            ("configMapRef", "ConfigMap"),
            ("authenticationRef", "TriggerAuthentication"),
            ("cluster", "Cluster"),
        ):
            if isinstance(one.get(key), dict):
                yield kind, one[key]["name"]
        if "scaleTargetRef" in one:
            yield "Deployment", one["scaleTargetRef"]["name"]
        if "serviceAccountName" in one:
            yield "ServiceAccount", one["serviceAccountName"]
        if "barmanObjectName" in one:
            yield "ObjectStore", one["barmanObjectName"]


def documented() -> set[tuple[str, str]]:
    """The keys of Secrets that docs/kubernetes.md has somebody supply."""
    rows = re.findall(r"^\| `([a-z-]+)` \| ((?:`\S+` ?)+)\|", DOCUMENT.read_text(), re.MULTILINE)
    return {(name, key) for name, keys in rows for key in re.findall(r"`(\S+)`", keys)}


@every_overlay
def test_only_ingress_calls_the_gateway_and_only_monitoring_asks_the_others(overlay: str) -> None:
    manifests = built(overlay)
    policies = list(manifests.of("NetworkPolicy").values())
    pods = {name: pod(template) for name, template in manifests.pods().items()}
    ingress, monitoring, stranger = (Endpoint(namespace=one) for one in ("ingress-nginx", "monitoring", "default"))

    for name, one in pods.items():
        assert lets_through(policies, ingress, one, 8000) == (name == "gateway")
        assert lets_through(policies, monitoring, one, 9100) == (name != "migrate")
        for source in (stranger, OUTSIDE, *pods.values()):
            assert not [port for port in (8000, 9100) if lets_through(policies, source, one, port)]


@every_overlay
def test_only_integration_calls_out_and_access_where_people_sign_in_elsewhere(overlay: str) -> None:
    manifests = built(overlay)
    policies = list(manifests.of("NetworkPolicy").values())
    pods = {name: pod(template) for name, template in manifests.pods().items()}

    out = {name for name, one in pods.items() if lets_through(policies, one, OUTSIDE, 443)}

    assert out == {"integration", *(["access"] if overlay == OWN else [])}
    assert not [name for name, one in pods.items() if lets_through(policies, one, METADATA, 80)]
    assert not lets_through(policies, pods["integration"], INSIDE, 443)


@every_overlay
def test_every_service_reaches_the_broker_and_only_those_with_ledgers_the_databases(overlay: str) -> None:
    manifests = built(overlay)
    policies = list(manifests.of("NetworkPolicy").values())
    pods = {name: pod(template) for name, template in manifests.pods().items()}
    with_databases = {*(hyphened(service) for service in SERVICES), "migrate"}
    broker, database = BROKER, DATABASE
    if overlay != "operators":
        broker, database = Endpoint(address="192.0.2.1"), Endpoint(address="198.51.100.1")
    amqp = urlsplit(manifests.settings("settings")["XUNJIAN_AMQP_URI"])

    port = amqp.port or {"amqp": 5672, "amqps": 5671}[amqp.scheme]

    assert {name for name, one in pods.items() if lets_through(policies, one, broker, port)} == {*pods} - {"migrate"}
    assert {name for name, one in pods.items() if lets_through(policies, one, database, 5432)} == with_databases


def test_the_operators_and_the_autoscaler_reach_what_they_keep() -> None:
    policies = list(built("operators").of("NetworkPolicy").values())

    assert lets_through(policies, Endpoint(namespace="cnpg-system"), DATABASE, 8000)
    assert lets_through(policies, DATABASE, DATABASE, 5432)
    assert lets_through(policies, BROKER, BROKER, 25672)
    assert lets_through(policies, Endpoint(namespace="keda"), BROKER, 15672)
    assert not lets_through(policies, Endpoint(namespace="keda"), DATABASE, 5432)
    assert not lets_through(policies, BROKER, DATABASE, 5432)


@pytest.mark.parametrize("overlay", ["addresses", "operators"])
def test_what_scales_a_service_looks_at_just_its_queues(overlay: str) -> None:
    manifests = built(overlay)
    partitions = int(manifests.settings("settings")["XUNJIAN_PARTITIONS"])
    with Connection(embedded.fresh()) as connection:
        read = {
            service: {
                queue.name
                for one in class_of(service).sources()
                for queue in declare_queues(connection, one, service, partitions)
            }
            for service in SERVICES
        }
    calls = {service: RPC_QUEUE_TEMPLATE.format(service) for service in SERVICES}
    queues = {*calls.values(), *(name for names in read.values() for name in names)}

    for service in SERVICES:
        spec = manifests.of("ScaledObject")[hyphened(service)]["spec"]
        looked_at = {one["name"]: one["metadata"] for one in spec["triggers"]}
        assert spec["scaleTargetRef"] == {"name": hyphened(service)}
        assert spec["maxReplicaCount"] == partitions
        assert looked_at["calls"]["queueName"] == calls[service]
        assert ("events" in looked_at) == bool(read[service])
        if read[service]:
            assert looked_at["events"]["useRegex"] == "true"
            assert {name for name in queues if re.search(looked_at["events"]["queueName"], name)} == read[service]
    scaled = {*manifests.of("ScaledObject"), *manifests.of("HorizontalPodAutoscaler")}
    assert scaled == {name for name, one in manifests.of("Deployment").items() if "replicas" not in one["spec"]}
    assert scaled == set(manifests.of("Deployment"))


def test_a_small_installation_has_one_of_each_and_nothing_that_must_be_installed() -> None:
    manifests = built("small")

    assert {one["spec"]["replicas"] for one in manifests.of("Deployment").values()} == {1}
    assert not [one["kind"] for one in manifests.objects if is_custom(one)]


@pytest.mark.parametrize("overlay", ["addresses", "operators"])
def test_prometheus_asks_every_process_and_holds_the_same_rules_as_elsewhere(overlay: str) -> None:
    manifests = built(overlay)
    labels = {name: template["metadata"]["labels"] for name, template in manifests.pods().items()}
    (monitor,) = manifests.of("PodMonitor").values()
    (rules,) = manifests.of("PrometheusRule").values()
    selectors = [monitor["spec"]["selector"]["matchLabels"], manifests.of("Service")["metrics"]["spec"]["selector"]]

    for selector in selectors:
        assert {name for name, one in labels.items() if selector.items() <= one.items()} == {
            hyphened(one) for one in ALL
        }
    text = (ROOT / "infra" / "prometheus" / "alerts.yml").read_text()
    jobs = set(re.findall(r'job="(\w+)"', text))
    assert jobs == {labels[hyphened(service)][monitor["spec"]["jobLabel"]] for service in ALL}
    assert rules["spec"] == yaml.safe_load(text), "run infra/kubernetes/prometheus-rule"


@every_overlay
def test_every_reference_leads_to_an_object(overlay: str) -> None:
    manifests = built(overlay)

    referred = set(references(manifests))

    assert not [f"{kind} {name}" for kind, name in referred if name not in manifests.of(kind)]
    assert {"ConfigMap", "ServiceAccount"} <= {kind for kind, _ in referred}
    volumes = [one for template in manifests.pods().values() for one in template["spec"].get("volumes", ())]
    assert {kind for one in volumes for kind in set(one) - {"name"}} == {"secret", "emptyDir"}


def test_the_secrets_to_supply_are_just_those_that_are_documented() -> None:
    needed = {secret for overlay in BUILT for secret in secrets(built(overlay))}

    assert needed == documented()


def test_the_documented_commands_make_every_secret(tmp_path: Path) -> None:
    found = re.search(r"<!-- made -->\n((?:    .*\n|\n)+)", DOCUMENT.read_text())
    assert found is not None
    told = "kubectl() { printf '%s\\n' \"$*\"; }\nxunjian() { :; }\n"

    script = ["bash", "-euc", told + dedent(found[1])]
    said = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    made = {
        (name, key)
        for name, options in re.findall(r"create secret generic (\S+) (.*)", said)
        for key in re.findall(r"--from-(?:literal|file)=([\w.-]+)", options)
    }
    assert made == documented() - {("postgres-ca", "ca.crt")}
    assert "default_pass = " in (tmp_path / "default_user.conf").read_text()
