"""The private containerd of a node: its configuration, and what is said where a program is missing."""

import tomllib
from pathlib import Path

import pytest

from proa.cluster import containerd
from proa.cluster.errors import ClusterError
from proa.cluster.paths import ClusterPaths

NODE = ClusterPaths(Path("/data"), "c").node("n-1")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/usr/lib/cni/ptp")


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("restrict", [True, False])
def test_the_configuration_is_what_every_containerd_from_1_6_reads(restrict: bool) -> None:
    parsed = tomllib.loads(containerd.configuration(NODE, restrict_oom_score=restrict))
    assert (parsed["version"], parsed["grpc"]["address"]) == (2, str(NODE.containerd_socket))
    cri = parsed["plugins"]["io.containerd.grpc.v1.cri"]
    assert (cri["sandbox_image"], cri["restrict_oom_score_adj"]) == (containerd.PAUSE_IMAGE, restrict)
    assert cri["cni"] == {"bin_dir": "/usr/lib/cni", "conf_dir": "/etc/cni/net.d", "max_conf_num": 1}
    assert cri["containerd"]["runtimes"]["runc"]["runtime_type"] == "io.containerd.runc.v2"


@pytest.mark.usefixtures("plugins")
def test_debian_s_place_of_the_plugins_comes_first() -> None:
    assert containerd.cni_directory() == "/usr/lib/cni"


def test_missing_plugins_and_programs_are_named_with_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ClusterError, match="no CNI plugins on this machine; install them: apt-get install containernetworking-plugins"):
        containerd.cni_directory()
    with pytest.raises(ClusterError, match="containerd is not on the PATH; install it: apt-get install containerd"):
        containerd.command(NODE)


@pytest.mark.parametrize(("capabilities", "expected"), [("000001ffffffffff", True), ("000001fffeffffff", False), ("0", False)])
def test_negative_oom_scores_need_one_capability(capabilities: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path: f"Name:\tx\nCapEff:\t{capabilities}\nSeccomp:\t0\n")
    assert containerd.may_lower_oom_score() is expected


def test_a_ctr_that_fails_names_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/bin/false")
    with pytest.raises(ClusterError, match="containerd of node 'n-1' does not list its images"):
        containerd.list_images(NODE)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "ctr: unrecognized image format\n",
            "/x.tar is no image archive (unrecognized image format); make one with `docker save -o FILE.tar IMAGE`, or as an OCI layout",
        ),
        ("ctr: no space left on device\n", "the disk is full, so /x.tar could not be imported on node 'n-1'; free some space"),
        ("", "/x.tar could not be imported on node 'n-1': ctr ended without a word"),
    ],
)
def test_a_failed_import_says_whether_the_file_is_to_blame(said: str, sentence: str) -> None:
    assert containerd.import_failure("n-1", Path("/x.tar"), said) == sentence
