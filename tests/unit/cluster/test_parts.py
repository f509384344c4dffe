"""Which processes a cluster consists of, and what each is told, from its settings alone."""

from pathlib import Path

import pytest

from proa.cluster import containerd, host_rules, node_parts
from proa.cluster.control_plane import api_server_config
from proa.cluster.parts import plan
from proa.cluster.paths import ClusterPaths, home
from proa.cluster.settings import ClusterSettings, NodeSettings, save

FIRST, SECOND, DARK = NodeSettings("n-1", 1), NodeSettings("n-2", 2), NodeSettings("n-3", 3, powered=False)
SETTINGS = ClusterSettings("my-own", 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.5.0/24", "1.37", (FIRST, SECOND, DARK))
ALONE = ClusterSettings("alone", 6444, "10.244.0.0/16", "10.96.0.0/16", "172.30.6.0/24", "1.30")


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterPaths:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    made = ClusterPaths(tmp_path, "my-own")
    made.run.mkdir(parents=True)
    made.prepared.touch()
    return made


def _prepared(paths: ClusterPaths, *nodes: NodeSettings) -> None:
    for node in nodes:
        mark = paths.node(node.name).prepared
        mark.parent.mkdir(parents=True)
        mark.touch()


def test_no_settings_no_processes(paths: ClusterPaths) -> None:
    assert plan(paths) == []


def test_nothing_runs_before_network_and_certificates_are_there(paths: ClusterPaths) -> None:
    save(SETTINGS, paths.settings)
    paths.prepared.unlink()
    assert plan(paths) == []


def test_nodes_run_once_they_are_prepared_and_while_they_have_power(paths: ClusterPaths) -> None:
    paths.data.mkdir(exist_ok=True)
    save(SETTINGS, paths.settings)
    _prepared(paths, FIRST, DARK)
    assert [(spec.name, spec.group, spec.kill_group, spec.log.name) for spec in plan(paths)] == [
        ("apiserver", "proa/my-own/control-plane", "", "apiserver.log"),
        ("controllers", "proa/my-own/control-plane", "", "controllers.log"),
        ("n-1/containerd", "proa/my-own/n-1/system", "proa/my-own/n-1", "n-1-containerd.log"),
        ("n-1/agent", "proa/my-own/n-1/system", "proa/my-own/n-1", "n-1-agent.log"),
        ("n-1/dns", "proa/my-own/n-1/system", "proa/my-own/n-1", "n-1-dns.log"),
    ]


def test_a_cluster_without_nodes_asks_for_no_cgroup(paths: ClusterPaths) -> None:
    paths.data.mkdir(exist_ok=True)
    save(ALONE, paths.settings)
    assert [(spec.name, spec.group) for spec in plan(paths)] == [("apiserver", ""), ("controllers", "")]


def test_the_api_server_listens_where_nodes_reach_it_if_there_are_any(paths: ClusterPaths) -> None:
    config = api_server_config(paths, SETTINGS)
    assert config.listen == (("127.0.0.1", 6443), ("172.30.5.1", 6443))
    assert (config.advertise_address, config.service_cidr, config.kubernetes_version) == ("172.30.5.1", "10.96.0.0/16", "1.37")
    alone = api_server_config(paths, ALONE)
    assert (alone.listen, alone.advertise_address, alone.kubernetes_version) == ((("127.0.0.1", 6444),), "127.0.0.1", "1.30")


def test_a_kubelet_is_told_its_address_its_cgroup_and_the_cluster_dns(paths: ClusterPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containerd, "may_lower_oom_score", lambda: False)
    told = node_parts.kubelet_configuration(paths.node("n-2"), SETTINGS, SECOND)
    assert (told.node_name, told.node_ip, told.address) == ("n-2", "172.30.5.3", "172.30.5.3")
    assert (told.cgroup_root, told.cluster_dns, told.oom_score_adjustment) == ("proa/my-own/n-2", ["10.96.0.10"], False)
    assert Path(told.containerd_socket).parent == paths.node("n-2").run


def test_the_machine_s_table_belongs_to_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_rules, "default_link", lambda: "eth0")
    rules = host_rules.ruleset(SETTINGS)
    assert rules.startswith("table ip proa_my_own {\n")
    assert '    ip saddr 172.30.5.0/24 oifname "eth0" masquerade\n' in rules
    assert '    ip saddr 127.0.0.0/8 oifname "proa5" masquerade\n' in rules
    assert rules.count("{") == rules.count("}")


def test_a_machine_without_a_way_out_masquerades_nothing_for_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_rules, "default_link", lambda: "")
    assert "172.30.5.0/24" not in host_rules.ruleset(SETTINGS)


@pytest.mark.parametrize(
    ("configured", "user", "expected"),
    [("/x/y", 0, "/x/y"), ("", 0, "/var/lib/proa"), ("", 1000, "~/.local/share/proa")],
    ids=["configured", "root", "anybody"],
)
def test_homes(configured: str, user: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROA_HOME", configured)
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert home() == Path(expected).expanduser()


def test_unix_sockets_of_the_longest_names_fit_into_the_kernel_s_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    node = ClusterPaths(Path("/var/lib/proa"), "c" * 32).node("n" * 32)
    assert len(str(node.containerd_socket)) <= 107
