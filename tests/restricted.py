"""Kubernetes' Pod Security Standard "restricted", as rules that a pod's specification is held against.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ (baseline and restricted, Linux).
"""

from collections.abc import Iterator
from typing import Any

Thing = dict[str, Any]

VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
SECCOMP = ("RuntimeDefault", "Localhost")
SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def violations(pod: Thing) -> list[str]:
    """Which rules a pod's specification breaks."""
    return [*_of_pod(pod), *(broken for one in _containers(pod) for broken in _of_container(one, pod))]


def _containers(pod: Thing) -> list[Thing]:
    return [one for kind in ("containers", "initContainers", "ephemeralContainers") for one in pod.get(kind, ())]


def _of_pod(pod: Thing) -> Iterator[str]:
    context = pod.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield name
    for volume in pod.get("volumes", ()):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']}"
    if context.get("runAsUser") == 0:
        yield "runAsUser"
    if context.get("sysctls"):
        yield "sysctls"
    yield from _of_any(context)


def _of_container(one: Thing, pod: Thing) -> Iterator[str]:
    above, context = pod.get("securityContext", {}), one.get("securityContext", {})
    capabilities = context.get("capabilities", {})
    checks = {
        "privileged": not context.get("privileged"),
        "allowPrivilegeEscalation": context.get("allowPrivilegeEscalation") is False,
        "capabilities.drop": "ALL" in capabilities.get("drop", ()),
        "capabilities.add": set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot": context.get("runAsNonRoot", above.get("runAsNonRoot")) is True,
        "runAsUser": context.get("runAsUser") != 0,
        "seccompProfile": context.get("seccompProfile", above.get("seccompProfile", {})).get("type") in SECCOMP,
        "procMount": context.get("procMount", "Default") == "Default",
        "hostPort": not any(port.get("hostPort") for port in one.get("ports", ())),
        "host of a probe": not any(_names_a_host(one.get(probe, {})) for probe in PROBES),
        "host of a hook": not any(_names_a_host(hook) for hook in one.get("lifecycle", {}).values()),
    }
    yield from (f"{one['name']}: {name}" for name, holds in checks.items() if not holds)
    yield from (f"{one['name']}: {name}" for name in _of_any(context))


def _of_any(context: Thing) -> Iterator[str]:
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "appArmorProfile"
    options = context.get("seLinuxOptions", {})
    if options.get("type", "") not in SELINUX or options.get("user") or options.get("role"):
        yield "seLinuxOptions"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess"


def _names_a_host(probe: Thing) -> bool:
    return any(probe.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket"))
