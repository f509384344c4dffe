"""Commands over clusters that are not running, and the refusals that leave nothing behind."""

import os
from pathlib import Path

import pytest

from proa.cluster.settings import NodeSettings
from tests.unit.cli.conftest import Make, Proa

NODES = (NodeSettings("n-1", 1), NodeSettings("n-2", 2, powered=False))


def test_list_shows_every_cluster_of_this_home(proa: Proa, stopped: Make) -> None:
    stopped("unit-b")
    stopped("unit-a", *NODES)
    assert proa("list").out == (
        "NAME     STATUS    NODES   API                      CONTEXT\n"
        "unit-a   Stopped   2       https://127.0.0.1:6443   proa-unit-a\n"
        "unit-b   Stopped   0       https://127.0.0.1:6443   proa-unit-b\n"
    )


def test_list_without_clusters_is_the_header(proa: Proa, home: Path) -> None:
    assert proa("list").out == "NAME   STATUS   NODES   API   CONTEXT\n"
    assert not home.exists()


def test_status_of_a_stopped_cluster_says_so_by_its_exit_code(proa: Proa, stopped: Make) -> None:
    stopped("unit-a", *NODES)
    outcome = proa("status", "unit-a")
    assert outcome.code == 1
    assert outcome.out == (
        "Cluster unit-a: stopped\n"
        "API     https://127.0.0.1:6443 (Kubernetes 1.37)\n"
        "Pods    10.244.0.0/16   Services 10.96.0.0/16   Nodes 172.30.0.0/24\n"
    )


def test_kubeconfig_is_printed_as_it_is(proa: Proa, stopped: Make) -> None:
    stopped("unit-a").admin_kubeconfig.write_text("kind: Config\n")
    assert proa("kubeconfig", "unit-a").out == "kind: Config\n"


def test_down_of_nothing_says_so_and_makes_nothing(proa: Proa, home: Path) -> None:
    assert proa("down", "unit-a").out == 'There is no cluster "unit-a".\n'
    assert proa("down", "--all").out == ""
    assert not home.exists()


def test_down_removes_a_stopped_cluster_and_its_empty_home(proa: Proa, stopped: Make, home: Path) -> None:
    stopped("unit-a").run.mkdir(parents=True, exist_ok=True)
    assert proa("down", "unit-a").out == 'Cluster "unit-a" is gone.\n'
    assert not home.exists()


def test_images_are_listed_for_nodes_that_have_power(proa: Proa, stopped: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped("unit-a", *NODES)
    monkeypatch.setattr("proa.cluster.supervisor_process.pid", lambda paths: 4711)
    monkeypatch.setattr("proa.cluster.containerd.list_images", lambda node: [f"example.com/{node.name}:v1"])
    assert proa("image", "list", "--cluster", "unit-a").out == "NODE   IMAGE\nn-1    example.com/n-1:v1\n"


@pytest.mark.parametrize("command", ["stop", "start", "remove"])
def test_a_node_that_is_not_there_is_named_with_those_that_are(proa: Proa, stopped: Make, command: str) -> None:
    stopped("unit-a", *NODES)
    outcome = proa("node", command, "n-9", "--cluster", "unit-a")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (1, "proa: cluster 'unit-a' has no node 'n-9'; it has n-1, n-2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nodes need root: run with sudo, or ask for --nodes 0"),
        (["--nodes", "1", "--service-cidr", "10.0.0.0/30"], "--service-cidr '10.0.0.0/30' is too small, it must be /24 or larger"),
        (["--kubernetes-version", "1.12"], "--kubernetes-version 1.12 is not one of"),
    ],
    ids=["not root", "too small", "too old"],
)
def test_up_refuses_in_one_sentence_and_leaves_nothing(proa: Proa, home: Path, arguments: list[str], message: str) -> None:
    outcome = proa("up", "unit-a", *arguments)
    assert outcome.code == 1
    assert outcome.err.startswith(f"proa: {message}")
    assert outcome.err.count("\n") == 1
    assert not home.exists()


def test_up_refuses_a_name_that_can_be_no_host_name(proa: Proa) -> None:
    outcome = proa("up", "Unit_A")
    assert (outcome.code, "cluster name 'Unit_A' must be" in outcome.err) == (1, True)


def test_up_tells_what_is_missing_on_this_machine(proa: Proa, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name: None if name in ("containerd", "nft") else f"/usr/bin/{name}")
    monkeypatch.setattr("os.path.exists", lambda path: False)
    assert proa("up", "unit-a").err == (
        "proa: missing on this machine: containerd, nftables, containernetworking-plugins; "
        "install with: apt-get install containerd nftables containernetworking-plugins\n"
    )
    assert not home.exists()


def test_up_of_a_cluster_with_other_settings_names_the_remedy(proa: Proa, stopped: Make) -> None:
    settings = stopped("unit-a").settings
    kept = settings.read_text()
    assert proa("up", "unit-a", "--service-cidr", "10.1.0.0/16").err == (
        "proa: cluster 'unit-a' exists with --service-cidr 10.96.0.0/16, not 10.1.0.0/16; `proa down unit-a` first\n"
    )
    assert settings.read_text() == kept
