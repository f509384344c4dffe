"""gRPC health probes against a real gRPC server."""

from typing import Any

import pytest

from tests.e2e import python_image
from tests.e2e.namespace import Namespace, pod
from tests.e2e.real_cluster import wait_for


def _server(**probes: Any) -> dict[str, Any]:
    startup = {"startupProbe": {"grpc": {"port": 50051}, "periodSeconds": 1, "failureThreshold": 30}}
    return {"name": "main", "image": python_image.IMAGE, "ports": [{"containerPort": 50051}]} | startup | probes


def _probe(service: str = "") -> dict[str, Any]:
    return {"grpc": {"port": 50051, "service": service}, "periodSeconds": 1, "failureThreshold": 1}


@pytest.mark.usefixtures("python")
def test_a_server_that_is_not_serving_is_unready_and_then_restarted(space: Namespace) -> None:
    space.apply(
        pod("ready", _server(readinessProbe=_probe())),
        pod("alive", _server(livenessProbe=_probe())),
        pod("other", _server(readinessProbe=_probe("other"))),
    )
    space.ready("ready", "alive")
    for name in ("ready", "alive"):
        space.shell(name, "touch /tmp/sick")
    space.out("wait", "--for=condition=Ready=false", "pod/ready", "--timeout=20s")
    told = ("Unhealthy", 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")')
    wait_for(lambda: told in space.events_of("ready"), "no event of the failed probe")
    space.shell("ready", "rm /tmp/sick")
    space.ready("ready")
    wait_for(lambda: space.status_of("alive", "main")["restartCount"] == 1, "no restart")
    assert space.wait_for_event("alive", "Killing") == "Container main failed liveness probe, will be restarted"
    space.ready("alive")
    assert space.status_of("ready", "main")["restartCount"] == 0
    assert space.get("pod", "other")["status"]["containerStatuses"][0]["ready"] is False
    wait_for(lambda: any(text.startswith("Readiness probe ") for _, text in space.events_of("other")), "no event of the unknown service")
