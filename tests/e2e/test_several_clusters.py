"""Clusters side by side share nothing: addresses, ports, versions of the API."""

import json
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path

import pytest

from tests.e2e.conftest import missing
from tests.e2e.real_cluster import RealCluster, wait_for

NAMES = ("several-1", "several-2", "several-3")
VERSIONS = ("1.37", "1.30", "1.25")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    """Three clusters in one home, each of another version of the API."""
    if reason := missing():
        pytest.skip(reason)
    home = RealCluster("several", tmp_path_factory.mktemp("several") / "home")
    try:
        for name, version in zip(NAMES, VERSIONS, strict=True):
            home.proa("up", name, "--nodes", "1", "--kubernetes-version", version)
        yield home
    finally:
        home.proa("down", "--all", check=False)
    assert not home.home.exists()
    assert [path.name for path in Path("/run/netns").glob("proa-several-*")] == []


def _of(name: str, *arguments: str) -> tuple[str, ...]:
    return ("--context", f"proa-{name}", *arguments)


def test_no_address_and_no_port_is_given_twice(several: RealCluster) -> None:
    found = [json.loads(path.read_text()) for path in sorted(several.home.glob("*/cluster.json"))]
    assert len({each["api_port"] for each in found}) == 3
    networks = [ip_network(each[key]) for each in found for key in ("pod_network_cidr", "service_cidr", "node_network")]
    assert [(a, b) for a, b in combinations(networks, 2) if a.overlaps(b)] == []


def test_each_serves_the_version_that_was_asked_for(several: RealCluster) -> None:
    served = {}
    for name in NAMES:
        version = json.loads(several.kubectl(*_of(name, "version", "-o", "json")).stdout)["serverVersion"]
        kinds = set(several.kubectl(*_of(name, "api-resources", "-o", "name")).stdout.split())
        node = several.kubectl(*_of(name, "get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}")).stdout
        served[f"{version['major']}.{version['minor']}"] = (
            node,
            "servicecidrs.networking.k8s.io" in kinds,
            "validatingadmissionpolicies.admissionregistration.k8s.io" in kinds,
        )
    assert served == {"1.37": ("v1.37.0", True, True), "1.30": ("v1.30.0", False, True), "1.25": ("v1.25.0", False, False)}


def test_pods_run_under_each_version(several: RealCluster) -> None:
    for name in NAMES:
        several.kubectl(*_of(name, "run", "sleeper", "--image=registry.k8s.io/pause:3.10", "--image-pull-policy=Never"))
        several.kubectl(*_of(name, "wait", "pod/sleeper", "--for=condition=Ready", "--timeout=60s"))


def test_a_localhost_port_is_whose_it_was_first_and_the_second_says_so(several: RealCluster) -> None:
    for name in NAMES[:2]:
        several.kubectl(*_of(name, "create", "service", "nodeport", "web", "--tcp=80:80", "--node-port=30081"))
        wait_for(lambda name=name: _claimed(several, name), f"{name} says nothing of its port")  # type: ignore[misc]
    reasons = {name: _reasons(several, name) for name in NAMES[:2]}
    assert reasons == {NAMES[0]: [], NAMES[1]: ["LocalhostPortTaken"]}


def _claimed(several: RealCluster, name: str) -> bool:
    """The first is quiet when it has the port: then its rule is in the kernel."""
    command = ["nft", "list", "table", "ip", f"proa_{name.replace('-', '_')}"]
    table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "30081" in table or bool(_reasons(several, name))


def _reasons(several: RealCluster, name: str) -> list[str]:
    events = json.loads(several.kubectl(*_of(name, "get", "events", "-o", "json")).stdout)["items"]
    return [event["reason"] for event in events if event["involvedObject"]["kind"] == "Service"]
