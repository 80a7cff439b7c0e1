"""Every service is in the Kubernetes manifests: there, confined, asked how it is, and configured as it expects to be.

They are built and read; no cluster runs here.
"""

import re
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from sqlalchemy import make_url

from shared.config import ALL, DEFAULTS, SERVICES, SETTINGS, database_url, database_variable, runtime_role
from shared.configuring import configured
from tests.manifests import OVERLAYS, OWN, ROOT, Manifests, Thing, built, hyphened, inner, pod, the_container
from tests.restricted import violations

CONFIG = ROOT / "infra" / "config.yaml"
BUILT = (*OVERLAYS, OWN)
PASSWORD = "of-at-least-32-characters-as-an-operators-key"
OF_LIBRARIES = {"MPLCONFIGDIR"}
"""Variables that are no settings of ours."""

every_overlay = pytest.mark.parametrize("overlay", BUILT)


def deployment(manifests: Manifests, service: str) -> Thing:
    return manifests.of("Deployment")[hyphened(service)]


def environment(manifests: Manifests, template: Thing, folder: Path) -> dict[str, str]:
    """What a container finds in its environment, with the files that are mounted beneath a folder of the test's."""
    one = the_container(template)
    volumes = {volume["name"]: volume for volume in template["spec"].get("volumes", ())}
    for mount in one.get("volumeMounts", ()):
        there = folder / mount["mountPath"].lstrip("/")
        there.mkdir(parents=True)
        for item in volumes[mount["name"]].get("secret", {}).get("items", ()):
            (there / item["path"]).write_text(f"{PASSWORD}\n")
    maps = [manifests.of("ConfigMap")[source["configMapRef"]["name"]]["data"] for source in one["envFrom"]]
    said = {name: value for source in maps for name, value in source.items()}
    said |= {variable["name"]: variable["value"] for variable in one["env"]}
    return {name: value.replace("/run/secrets", f"{folder}/run/secrets") for name, value in said.items()}


@every_overlay
def test_every_service_has_a_deployment_an_account_without_a_token_and_a_budget(overlay: str) -> None:
    manifests = built(overlay)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]

    for service in ALL:
        name = hyphened(service)
        spec = deployment(manifests, service)["spec"]
        template, budget = spec["template"], manifests.of("PodDisruptionBudget")[name]["spec"]
        assert the_container(template)["args"] == [compose[service]["command"]]
        assert spec["selector"]["matchLabels"] == {"app.kubernetes.io/name": name} == budget["selector"]["matchLabels"]
        assert budget["maxUnavailable"] == 1
        assert template["metadata"]["labels"]["app.kubernetes.io/name"] == name
        assert template["spec"]["serviceAccountName"] == name
        assert template["spec"]["automountServiceAccountToken"] is False
        assert manifests.of("ServiceAccount")[name]["automountServiceAccountToken"] is False
    assert {hyphened(service) for service in ALL} == set(manifests.of("Deployment"))


@every_overlay
def test_every_pod_is_restricted_and_runs_as_the_image_does(overlay: str) -> None:
    manifests = built(overlay)
    found = re.search(r"useradd --uid (\d+)", (ROOT / "infra" / "Dockerfile").read_text())
    assert found is not None

    pods = {name: template["spec"] for name, template in manifests.pods().items()}

    assert {name: broken for name, spec in pods.items() if (broken := violations(spec))} == {}
    assert {spec["securityContext"]["runAsUser"] for spec in pods.values()} == {int(found[1])}
    for spec in pods.values():
        assert all(one["securityContext"]["readOnlyRootFilesystem"] for one in spec["containers"])
        assert all(set(one["resources"]) == {"requests", "limits"} for one in spec["containers"])
    (namespace,) = manifests.of("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {one["metadata"]["namespace"] for one in manifests.objects if one is not namespace} == {"xunjian"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("hostNetwork",), True),
        (("securityContext", "runAsNonRoot"), False),
        (("securityContext", "seccompProfile", "type"), "Unconfined"),
        (("volumes", 0), {"name": "broker", "hostPath": {"path": "/"}}),
        (("containers", 0, "securityContext", "privileged"), True),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), True),
        (("containers", 0, "securityContext", "capabilities"), {"drop": ["NET_RAW"]}),
        (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"]),
        (("containers", 0, "securityContext", "runAsUser"), 0),
        (("containers", 0, "ports", 0, "hostPort"), 9100),
        (("containers", 0, "livenessProbe", "httpGet", "host"), "10.0.0.1"),
    ],
)
def test_a_pod_that_may_more_is_seen(place: tuple[Any, ...], value: Any) -> None:
    spec = deepcopy(built("small").pods()["gateway"]["spec"])
    within = spec
    for step in place[:-1]:
        within = within[step]

    within[place[-1]] = value

    assert violations(spec)


@every_overlay
def test_every_service_takes_its_environment_and_finds_its_secrets(overlay: str, tmp_path: Path) -> None:
    manifests = built(overlay)

    for service in ALL:
        said = environment(manifests, deployment(manifests, service)["spec"]["template"], tmp_path / service)
        ours = {name: value for name, value in said.items() if name not in OF_LIBRARIES}
        config = configured(CONFIG, ours, service)  # which refuses what is no setting, and a file that is not there

        assert all(name.startswith("XUNJIAN_") for name in ours)
        assert urlsplit(config["AMQP_URI"]).password == PASSWORD
        if service in SERVICES:
            database = make_url(database_url(config, service))
            assert (database.username, database.password, database.database) == (service, PASSWORD, service)
            assert Path(str(database.query.get("sslrootcert", CONFIG))).exists()
    scoring, integration = (tmp_path / one / "run/secrets" for one in ("scoring", "integration"))
    assert (scoring / "seal-key/seal.pem").exists()
    assert (integration / "webhook-key/webhook.pem").exists()


@every_overlay
def test_who_migrates_reaches_the_same_databases_as_their_owner(overlay: str, tmp_path: Path) -> None:
    manifests = built(overlay)
    template = manifests.pods()["migrate"]

    config = configured(CONFIG, environment(manifests, template, tmp_path))

    as_with_compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["migrate"]
    assert the_container(template)["command"] == as_with_compose["entrypoint"]
    assert the_container(template)["args"] == as_with_compose["command"]
    for service in SERVICES:
        url, of_service = (
            make_url(manifests.settings(one)[database_variable(service)]) for one in ("migrator", "settings")
        )
        assert url.set(username=service) == of_service
        assert make_url(database_url(config, service)).password == PASSWORD
        assert (url.username, runtime_role(config, service)) == ("migrator", service)


@every_overlay
def test_no_secret_is_in_the_manifests(overlay: str) -> None:
    manifests = built(overlay)
    secret = {one.variable for one in SETTINGS if one.secret}

    variables = [
        one["name"] for thing in manifests.objects for mapping in inner(thing) for one in mapping.get("env", ())
    ]
    settings = [item for one in manifests.of("ConfigMap").values() for item in one["data"].items()]

    assert not manifests.of("Secret")
    assert not secret & {*variables, *(name for name, _ in settings)}
    assert not [name for name, value in settings if re.search(r"://[^/@]*:[^/@]*@", value)]


@every_overlay
def test_every_image_is_pinned_and_ours_is_of_this_version(overlay: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    images = {
        str(one[key])
        for thing in built(overlay).objects
        for one in inner(thing)
        for key in ("image", "imageName")
        if key in one
    }

    tags = {image.rpartition("/")[2].partition(":")[0]: image.rpartition(":")[2] for image in images}
    assert tags["xunjian"] == version
    assert not [image for image in images if ":" not in image.rpartition("/")[2] or image.endswith(":latest")]


@every_overlay
def test_every_process_is_asked_where_it_answers(overlay: str) -> None:
    manifests = built(overlay)
    settings = manifests.settings("settings")

    for service in ALL:
        template = deployment(manifests, service)["spec"]["template"]
        one, ports = the_container(template), pod(template).ports
        assert f"0.0.0.0:{ports['monitor']}" == settings["XUNJIAN_MONITOR_ADDRESS"]
        asked = {name: one[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {name: (get["path"], get["port"]) for name, get in asked.items()} == {
            "startupProbe": ("/healthz", "monitor"),
            "livenessProbe": ("/healthz", "monitor"),
            "readinessProbe": ("/readyz", "monitor"),
        }
    gateway = pod(deployment(manifests, "gateway")["spec"]["template"])
    (port,) = manifests.of("Service")["gateway"]["spec"]["ports"]
    assert f"0.0.0.0:{gateway.ports[port['targetPort']]}" == settings["XUNJIAN_WEB_SERVER_ADDRESS"]


@every_overlay
def test_a_process_has_more_time_to_stop_than_it_takes(overlay: str) -> None:
    manifests = built(overlay)

    for template in (one["spec"]["template"] for one in manifests.of("Deployment").values()):
        before = the_container(template).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        takes = float(manifests.settings("settings").get("XUNJIAN_STOP_SECONDS", DEFAULTS["STOP_SECONDS"]))
        assert template["spec"]["terminationGracePeriodSeconds"] > before + takes
