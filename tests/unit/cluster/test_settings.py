"""Addresses of clusters: defaults, neighbours, and what a user may ask for."""

from pathlib import Path

import pytest

from proa.cluster.errors import ClusterError
from proa.cluster.request import Request, check_unchanged, new_settings
from proa.cluster.settings import ClusterSettings, Network, NodeSettings, check_name, load, save

FREE_PORT = 45871


def test_a_first_cluster_gets_the_usual_networks_and_two_nodes() -> None:
    settings = new_settings(Request("proa", api_port=FREE_PORT), [], [])
    assert settings == ClusterSettings(
        "proa", FREE_PORT, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37",
        (NodeSettings("proa-node-1", 1), NodeSettings("proa-node-2", 2)),
    )  # fmt: skip
    assert settings.control_plane_address == "172.30.0.1"
    assert [settings.node_address(node) for node in settings.nodes] == ["172.30.0.2", "172.30.0.3"]
    assert (settings.load_balancer_pool, settings.dns_address, settings.context) == ("172.30.0.192/26", "10.96.0.10", "proa")


def test_a_second_cluster_overlaps_with_nothing() -> None:
    first = new_settings(Request("proa", api_port=FREE_PORT), [], [])
    second = new_settings(Request("other", nodes=0), [first], [Network("172.30.1.0/24")])
    assert (second.pod_network_cidr, second.service_cidr, second.node_network) == ("10.243.0.0/16", "10.97.0.0/16", "172.30.2.0/24")
    assert second.api_port != first.api_port
    assert second.nodes == ()
    assert second.context == "proa-other"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("proa", pod_network_cidr="10.0.0.0/33"), "--pod-network-cidr '10.0.0.0/33' is not an IPv4 network"),
        (Request("proa", pod_network_cidr="10.0.0.0/24"), "--pod-network-cidr '10.0.0.0/24' is too small, it must be /22 or larger"),
        (Request("proa", pod_network_cidr="10.1.0.0/16"), "--pod-network-cidr 10.1.0.0/16 overlaps with 10.1.2.0/24"),
        (
            Request("proa", pod_network_cidr="10.8.0.0/16", service_cidr="10.8.1.0/24"),
            "--service-cidr 10.8.1.0/24 overlaps with 10.8.0.0/16",
        ),
        (Request("proa", kubernetes_version="1.12"), "--kubernetes-version 1.12 is not one of 1.25, 1.26"),
        (Request("Proa"), "cluster name 'Proa' must be"),
    ],
)
def test_what_can_not_be_is_refused_with_the_option_and_the_value(request_: Request, message: str) -> None:
    with pytest.raises(ClusterError, match=message.replace("(", r"\(")):
        new_settings(request_, [], [Network("10.1.2.0/24")])


def test_an_explicit_service_network_moves_the_default_pod_network_out_of_its_way() -> None:
    settings = new_settings(Request("proa", service_cidr="10.244.0.0/16", api_port=FREE_PORT), [], [])
    assert (settings.pod_network_cidr, settings.service_cidr) == ("10.243.0.0/16", "10.244.0.0/16")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("proa", nodes=3), "exists with --nodes 2, not 3; `proa node add`"),
        (Request("proa", service_cidr="10.1.0.0/16"), "exists with --service-cidr 10.96.0.0/16, not 10.1.0.0/16; `proa down proa` first"),
        (Request("proa", kubernetes_version="v1.30.2"), "exists with --kubernetes-version 1.37, not 1.30"),
    ],
)
def test_an_existing_cluster_keeps_its_settings(request_: Request, message: str) -> None:
    settings = new_settings(Request("proa", api_port=FREE_PORT), [], [])
    with pytest.raises(ClusterError, match=message):
        check_unchanged(request_, settings)
    check_unchanged(Request("proa", nodes=2, api_port=FREE_PORT, kubernetes_version="1.37.0"), settings)


def test_new_nodes_fill_gaps_and_names_are_unique() -> None:
    settings = new_settings(Request("proa", api_port=FREE_PORT, nodes=3), [], []).without_node("proa-node-2")
    assert settings.new_node() == NodeSettings("proa-node-2", 2)
    assert settings.new_node("extra") == NodeSettings("extra", 2)
    with pytest.raises(ClusterError, match="already has a node 'proa-node-1'"):
        settings.new_node("proa-node-1")
    with pytest.raises(ClusterError, match="has no node 'x'; it has proa-node-1, proa-node-3"):
        settings.node("x")


def test_settings_survive_their_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings = new_settings(Request("proa", api_port=FREE_PORT), [], [])
    save(settings, tmp_path / "cluster.json")
    assert load(tmp_path / "cluster.json") == settings
    assert (tmp_path / "cluster.json").stat().st_mode & 0o777 == 0o600
    assert load(tmp_path / "none.json") is None


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "A", "a" * 33, "../x"])
def test_names_that_can_not_be_file_or_host_names(name: str) -> None:
    with pytest.raises(ClusterError):
        check_name(name)


def test_flags_of_the_api_server_are_kept_and_compared(tmp_path: Path) -> None:
    asked = Request("proa", api_port=FREE_PORT, kube_apiserver_args=("runtime-config=api/beta=true",))
    settings = new_settings(asked, [], [])
    save(settings, tmp_path / "cluster.json")
    assert load(tmp_path / "cluster.json") == settings
    check_unchanged(asked, settings)
    check_unchanged(Request("proa"), settings)
    with pytest.raises(
        ClusterError, match="exists with --kube-apiserver-arg runtime-config=api/beta=true, not runtime-config=api/all=true"
    ):
        check_unchanged(Request("proa", kube_apiserver_args=("runtime-config=api/all=true",)), settings)


def test_unknown_flags_of_the_api_server_are_refused() -> None:
    with pytest.raises(ClusterError, match='--kube-apiserver-arg: unknown flag "--colour"'):
        new_settings(Request("proa", api_port=FREE_PORT, kube_apiserver_args=("colour=red",)), [], [])
