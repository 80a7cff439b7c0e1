"""The Kubernetes manifests hold by the schemas of what they are made of: Kubernetes' own, and those of its operators."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from jsonschema import Draft202012Validator

from tests.declarations import Declarations
from tests.manifests import OVERLAYS, OWN, ROOT, Thing, built, is_custom

KUBERNETES = ("1.30", "1.37")
"""The oldest that the manifests are made for, and the newest whose schemas are known."""
DECLARED = {  # kind → the files of its package, the name there, and whether it is the whole object that is declared
    "keda.sh/v1alpha1": ("kubernetes-models+keda@*/package/keda.sh/v1alpha1/*.d.ts", "I{kind}"),
    "monitoring.coreos.com/v1": (
        "kubernetes-models+prometheus-operator@*/package/monitoring.coreos.com/v1/*.d.ts",
        "I{kind}",
    ),
    "postgresql.cnpg.io/v1": ("cdk8s-kit+crds@*/package/dist/postgresql.cnpg.io.d.ts", "{kind}Spec"),
}
BY_HAND = {"Database", "ObjectStore", "RabbitmqCluster"}
"""No package declares these; docs/kubernetes.md says what they were held against."""


@cache
def declarations() -> Path:
    command = [sys.executable, str(ROOT / "infra" / "custom-resource-schemas")]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    assert fetched.returncode == 0, fetched.stderr
    return Path(fetched.stdout.strip())


@cache
def declared(api: str, kind: str) -> Draft202012Validator:
    files, name = DECLARED[api]
    read = Declarations(file.read_text() for file in sorted(declarations().glob(files)))
    return Draft202012Validator(read.schema(name.format(kind=kind)))


def faults(one: Thing) -> Iterator[str]:
    """What is wrong with an object."""
    place = f"{one['kind']} {one['metadata']['name']}"
    if not is_custom(one):
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as fault:
                yield f"{place}, {version}: {fault.json_path}: {fault.message}"
    elif one["kind"] not in BY_HAND:
        validator = declared(one["apiVersion"], one["kind"])
        whole = DECLARED[one["apiVersion"]][1].startswith("I")
        yield from (
            f"{place}: {fault.json_path}: {fault.message}"
            for fault in validator.iter_errors(one if whole else one["spec"])
        )


def of_all() -> list[Thing]:
    """The objects of all overlays; one that several have alike, but for the hash of its settings, is among them once."""
    objects = [one for overlay in (*OVERLAYS, OWN) for one in built(overlay).objects]
    return list({re.sub(r"(settings|migrator)-\w{10}", r"\1", json.dumps(one)): one for one in objects}.values())


def test_every_object_holds_by_its_schema() -> None:
    objects = of_all()

    found = [fault for one in objects for fault in faults(one)]

    assert not found
    assert {one["kind"] for one in objects if is_custom(one)} >= {*BY_HAND, "Cluster", "ScaledObject", "PrometheusRule"}


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "readOnly"), True),
        ("NetworkPolicy", ("spec", "podSelector"), "all"),
        ("PodDisruptionBudget", ("spec", "maxUnavailable"), [1]),
        ("ScaledObject", ("spec", "maxReplicas"), 4),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "value"), 500),
        ("TriggerAuthentication", ("spec", "secretTargetRef", 0, "secret"), "broker"),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "scheme"), "ftp"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "severity"), "critical"),
        ("Cluster", ("spec", "managed", "roles", 0, "password"), "secret"),
        ("Cluster", ("spec", "instances"), "three"),
        ("ScheduledBackup", ("spec", "method"), "barman"),
    ],
)
def test_the_schemas_refuse_what_is_wrong(kind: str, place: tuple[Any, ...], value: Any) -> None:
    wrong = deepcopy(next(iter(built("operators").of(kind).values())))
    within: Any = wrong
    for step in place[:-1]:
        within = within[step]

    within[place[-1]] = value

    assert list(faults(wrong))
