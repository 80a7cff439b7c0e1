"""What the folders of infra/kubernetes build, and what Kubernetes would let through between its pods."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address, ip_network
from os.path import relpath
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "infra" / "kubernetes"
DOCUMENT = ROOT / "docs" / "kubernetes.md"
OVERLAYS = tuple(sorted(folder.name for folder in (FOLDER / "overlays").iterdir()))
OWN = "own"
"""The overlay that docs/kubernetes.md has operators write outside of the repository, here with components/openid."""

Thing = dict[str, Any]


@dataclass(frozen=True)
class Manifests:
    """All objects of one overlay."""

    objects: tuple[Thing, ...]

    def of(self, kind: str) -> dict[str, Thing]:
        """The objects of a kind, by name."""
        return {one["metadata"]["name"]: one for one in self.objects if one["kind"] == kind}

    def pods(self) -> dict[str, Thing]:
        """The templates of all pods that we describe ourselves, by the name of their Deployment or Job."""
        return {name: one["spec"]["template"] for kind in ("Deployment", "Job") for name, one in self.of(kind).items()}

    def settings(self, name: str) -> dict[str, str]:
        """The one ConfigMap of a name, whose hash is left out."""
        (found,) = (one["data"] for full, one in self.of("ConfigMap").items() if full.rpartition("-")[0] == name)
        return dict(found)


@cache
def built(overlay: str) -> Manifests:
    """What an overlay builds; raises AssertionError with the sentence of infra/kustomize."""
    if overlay != OWN:
        return _built(FOLDER / "overlays" / overlay)
    with TemporaryDirectory() as folder:
        here = Path(folder).resolve()
        found = re.search(r"`kustomization\.yaml`:\n\n((?:    .*\n)+)", DOCUMENT.read_text())
        assert found is not None
        own = yaml.safe_load(dedent(found[1]).replace("../xunjian", relpath(ROOT, here)))
        own["components"] = [relpath(FOLDER / "components" / "openid", here)]
        (here / "kustomization.yaml").write_text(yaml.safe_dump(own))
        for name in ("settings.env", "migrator.env", "network-policies.yaml"):
            (here / name).write_text((FOLDER / "components" / "addresses" / name).read_text())
        return _built(here)


def _built(folder: Path) -> Manifests:
    command = [sys.executable, str(ROOT / "infra" / "kustomize"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Manifests(tuple(yaml.load_all(done.stdout, yaml.CSafeLoader)))


def is_custom(one: Thing) -> bool:
    """Whether an object is none of Kubernetes' own: their groups end in k8s.io, or have no dot."""
    group = one["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def hyphened(service: str) -> str:
    """What a service is called in Kubernetes, where names have no underscores."""
    return service.replace("_", "-")


def the_container(template: Thing) -> Thing:
    """The only container of a pod."""
    (found,) = template["spec"]["containers"]
    return dict(found)


def inner(value: Any) -> Iterator[Thing]:
    """Every mapping within a value, itself included."""
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inner(one)


@dataclass(frozen=True)
class Endpoint:
    """Who sends or receives: a pod by its labels, in some namespace, or an address outside of the cluster."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "xunjian"
    address: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    """What the pod's own ports are called."""


def pod(template: Thing) -> Endpoint:
    """A pod of ours."""
    ports = {
        port["name"]: port["containerPort"] for one in template["spec"]["containers"] for port in one.get("ports", ())
    }
    return Endpoint(template["metadata"]["labels"], ports=ports)


def lets_through(policies: Iterable[Thing], source: Endpoint, target: Endpoint, port: int) -> bool:
    """Whether network policies let a connection through, at both of its ends (TCP)."""
    specs = [one["spec"] for one in policies]
    return all(_open(specs, way, source, target, port) for way in ("Egress", "Ingress"))


def _open(specs: list[Thing], way: str, source: Endpoint, target: Endpoint, port: int) -> bool:
    """Whether one end lets it through; an end that no policy concerns, or that is elsewhere, does."""
    end, other, peers = (source, target, "to") if way == "Egress" else (target, source, "from")
    if end.address is not None or end.namespace != "xunjian":
        return True
    concerned = [one for one in specs if way in one["policyTypes"] and _selects(one["podSelector"], end.labels)]
    rules = [rule for one in concerned for rule in one.get(way.lower(), ())]
    return not concerned or any(
        any(_is(peer, other) for peer in rule[peers]) and any(_includes(one, target, port) for one in rule["ports"])
        for rule in rules
    )


def _selects(selector: Thing, labels: Mapping[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, f"these tests read no {set(selector)}"
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


def _is(peer: Thing, other: Endpoint) -> bool:
    if block := peer.get("ipBlock"):
        if other.address is None:
            return False
        address = ip_address(other.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(one) for one in block.get("except", ())
        )
    if other.address is not None:
        return False
    there = {"kubernetes.io/metadata.name": other.namespace}
    of_namespace = (
        _selects(peer["namespaceSelector"], there) if "namespaceSelector" in peer else other.namespace == "xunjian"
    )
    return of_namespace and _selects(peer.get("podSelector", {}), other.labels)


def _includes(one: Thing, target: Endpoint, port: int) -> bool:
    first = target.ports.get(one["port"], 0) if isinstance(one["port"], str) else int(one["port"])
    return one["protocol"] == "TCP" and first <= port <= one.get("endPort", first)
