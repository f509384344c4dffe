"""Where a container's variables come from, and which one wins."""

from collections.abc import Mapping
from typing import Any

import pytest

from proa.kubelet.environment import ConfigError, build_environment, service_environment
from tests.unit.kubelet.objects import container, pod

OBJECTS = {("configmap", "cm"): {"A": "cm", "bad=": "x"}, ("secret", "s"): {"A": "secret", "KEY": "k"}}


def read(kind: str, name: str) -> Mapping[str, str] | None:
    return OBJECTS.get((kind, name))


def service(name: str, namespace: str = "n", ip: str = "10.96.0.1", *ports: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": ip, "ports": list(ports) or [{"port": 80}]}}


def environment(given: dict[str, Any], *services: dict[str, Any], **spec: Any) -> dict[str, str]:
    return build_environment(
        pod(given, **spec), given, read, services, host_ips=("1.1.1.1",), pod_ips=("10.0.0.9",), allocatable={"cpu": "4", "memory": "8Gi"}
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}]}, {"A": "1", "B": "1$(C)"}),
        ({"envFrom": [{"configMapRef": {"name": "cm"}}, {"secretRef": {"name": "s"}}]}, {"A": "secret", "KEY": "k"}),
        (
            {"envFrom": [{"prefix": "P_", "configMapRef": {"name": "cm"}}], "env": [{"name": "B", "value": "$(P_A)"}]},
            {"P_A": "cm", "B": "cm"},
        ),
        ({"envFrom": [{"configMapRef": {"name": "no", "optional": True}}]}, {}),
        ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "KEY"}}}]}, {"A": "k"}),
        ({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "no", "optional": True}}}]}, {}),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}, {"A": "10.0.0.9"}),
        ({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}, {"A": "4"}),
        ({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory"}}}]}, {"A": "0"}),
    ],
)
def test_sources(fields: dict[str, Any], expected: dict[str, str]) -> None:
    assert environment(container(**fields)) == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"envFrom": [{"configMapRef": {"name": "no"}}]}, 'configmap "no" not found'),
        ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "no", "key": "k"}}}]}, 'secret "no" not found'),
        ({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "no"}}}]}, "couldn't find key no in Secret n/s"),
    ],
)
def test_what_is_missing_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(container(**fields))
    assert str(caught.value) == message


def test_services_are_announced() -> None:
    given = service("a-b", "n", "10.96.0.5", {"port": 80, "name": "http"}, {"port": 53, "name": "dns", "protocol": "UDP"})
    assert service_environment([given], "n", links=True) == {
        "A_B_SERVICE_HOST": "10.96.0.5", "A_B_SERVICE_PORT": "80", "A_B_SERVICE_PORT_HTTP": "80", "A_B_SERVICE_PORT_DNS": "53",
        "A_B_PORT": "tcp://10.96.0.5:80", "A_B_PORT_80_TCP": "tcp://10.96.0.5:80", "A_B_PORT_80_TCP_PROTO": "tcp",
        "A_B_PORT_80_TCP_PORT": "80", "A_B_PORT_80_TCP_ADDR": "10.96.0.5", "A_B_PORT_53_UDP": "udp://10.96.0.5:53",
        "A_B_PORT_53_UDP_PROTO": "udp", "A_B_PORT_53_UDP_PORT": "53", "A_B_PORT_53_UDP_ADDR": "10.96.0.5",
    }  # fmt: skip


def test_without_links_only_the_api_is_announced() -> None:
    services = [service("kubernetes", "default"), service("own"), service("headless", "n", "None"), service("foreign", "o")]
    names = {each.partition("_SERVICE_HOST")[0] for each in service_environment(services, "n", links=True) if "_SERVICE_HOST" in each}
    assert names == {"KUBERNETES", "OWN"}
    assert service_environment(services, "n", links=False)["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert "OWN_SERVICE_HOST" not in service_environment(services, "n", links=False)
