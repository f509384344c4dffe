"""What is said to those who write pods and templates that are valid, but old, or not what they seem."""

from collections.abc import Callable
from typing import Any

import pytest

from proa.api.resource import Resource
from tests.unit.apiserver.registry.rules import Object, born, changed

Find = Callable[..., Resource]
POD: Object = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
NULL = "a null labelSelector results in matching no pod"
ZONE = "failure-domain.beta.kubernetes.io/zone"
USE_ZONE = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
SPREAD: Object = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("", None, []),
        ("spec.nodeSelector", {"beta.kubernetes.io/os": "linux"},
         ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']),
        ("spec.topologySpreadConstraints", [SPREAD], [
            f"spec.topologySpreadConstraints[0].topologyKey: {ZONE} is {USE_ZONE}",
            f"spec.topologySpreadConstraints[0].labelSelector: {NULL}"]),
        ("spec.affinity", {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ZONE}]}},
         [f"spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: {NULL}"]),
        ("metadata.annotations", {"scheduler.alpha.kubernetes.io/critical-pod": ""}, [
            "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; "
            'use the "priorityClassName" field instead']),
        ("metadata.annotations", {"container.seccomp.security.alpha.kubernetes.io/c": "unconfined"},
         [f"metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: {SECCOMP}"]),
        ("spec.volumes", [{"name": "v", "rbd": {"monitors": ["m"], "image": "i"}}],
         ["spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+"]),
        ("spec.volumes", [{"name": "v", "configMap": {"name": "m", "items": [{"key": "a", "path": "x"}, {"key": "b", "path": "x/y"}]}}],
         ['volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"']),
        ("spec.hostAliases", [{"ip": "1.1.1.1"}, {"ip": "1.1.1.1"}], ['spec.hostAliases[1].ip: duplicate ip "1.1.1.1"']),
        ("spec.imagePullSecrets", [{"name": "a"}, {"name": "a"}, {}], [
            'spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""']),
        ("spec.containers.0.resources", {"limits": {"memory": "1500m"}}, [
            'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
            'spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer']),
        ("spec.containers.0.env", [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}], []),
        ("spec.containers.0.ports", [{"containerPort": 80}, {"containerPort": 80}],
         ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"]),
        ("spec.containers.0.ports", [{"containerPort": 80, "hostIP": "10.0.0.1"}], [
            "spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"]),
        ("spec.dnsConfig", {"nameservers": ["2001:db8:0:0::2"]}, [
            'spec.dnsConfig.nameservers[0]: IPv6 address "2001:db8:0:0::2" should be in RFC 5952 canonical format ("2001:db8::2")']),
    ],
)  # fmt: skip
def test_of_a_pod(find: Find, path: str, value: Any, expected: list[str]) -> None:
    pods = find("pods")
    pod = born(pods, changed(POD, path, value))
    assert list(pods.strategy.warnings(pod, None)) == expected
    assert list(pods.strategy.warnings(pod, None)) == expected, "from memory"
    assert list(pods.strategy.warnings(pod, pod)) == []


def test_of_templates(find: Find) -> None:
    spec: Object = {"selector": {"matchLabels": {"a": "b"}}, "template": changed(POD, "metadata", {"labels": {"a": "b"}})}
    note = {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}
    deployment = changed({"metadata": POD["metadata"], "spec": spec}, "spec.template.metadata.annotations", note)
    deployments = find("deployments", "apps")
    stored = born(deployments, deployment)
    assert list(deployments.strategy.warnings(stored, None)) == [
        "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: "
        'deprecated since v1.30; use the "appArmorProfile" field instead'
    ]
    assert list(deployments.strategy.warnings(stored, stored)) == []
