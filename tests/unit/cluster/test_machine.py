"""Names and networks belong to the machine, whatever home a cluster lies in."""

from pathlib import Path

import pytest

from proa.cluster import machine
from proa.cluster.errors import ClusterError, explain
from proa.cluster.paths import ClusterPaths, check_socket_path
from proa.cluster.settings import ClusterSettings, NodeSettings, save


def _settings(name: str, *nodes: str) -> ClusterSettings:
    made = tuple(NodeSettings(node, index) for index, node in enumerate(nodes, 1))
    return ClusterSettings(name, 6443, "10.244.0.0/16", "10.96.0.0/16", "172.30.0.0/24", "1.37", made)


@pytest.mark.parametrize(
    ("mine", "other", "clash"),
    [
        (_settings("a", "b-c"), _settings("a-b", "c"), "node 'b-c' of cluster 'a' would share its network namespace 'proa-a-b-c'"),
        (_settings("a-b"), _settings("a", "b-switch"), "cluster 'a-b' itself would share its network namespace 'proa-a-b-switch'"),
        (_settings("a", "n"), _settings("b", "n"), ""),
        (_settings("a", "n"), _settings("a", "n"), ""),
    ],
    ids=["nodes", "a node and a switch", "none", "itself"],
)
def test_names_that_are_one_when_joined_are_refused(mine: ClusterSettings, other: ClusterSettings, clash: str) -> None:
    if clash:
        with pytest.raises(ClusterError, match=clash):
            machine.check_namespaces(mine, [other])
    else:
        machine.check_namespaces(mine, [other])


def test_a_cluster_of_another_home_is_known_and_its_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(ClusterPaths, "run", property(lambda self: tmp_path / "run" / self.name))
    elsewhere, here = ClusterPaths(tmp_path / "one", "a"), ClusterPaths(tmp_path / "two", "a")
    elsewhere.data.mkdir(parents=True)
    save(_settings("a"), elsewhere.settings)
    machine.note_home(elsewhere)
    assert machine.others(here) == [_settings("a")]
    machine.check_home(elsewhere)
    with pytest.raises(ClusterError, match=f"cluster 'a' lives in {tmp_path}/one; set PROA_HOME to that, or choose another name"):
        machine.check_home(here)


def test_what_the_machine_refuses_becomes_a_sentence_with_its_remedy() -> None:
    assert explain(PermissionError(13, "Permission denied", "/x")) == (
        "/x: permission denied; run as root, or set PROA_HOME to a folder of yours"
    )
    assert explain(OSError(28, "No space left on device")).startswith("the disk is full; free some space")
    assert explain(OSError(5, "Input/output error", "/x")) == "/x: Input/output error"


def test_a_socket_has_a_longest_path() -> None:
    check_socket_path(Path("/" + "x" * 106))
    with pytest.raises(ClusterError, match="too long for a socket"):
        check_socket_path(Path("/" + "x" * 107))
