"""What a cluster leaves behind: nothing."""

import os
import subprocess
from pathlib import Path

from tests.e2e.real_cluster import RealCluster

from tests.e2e.conftest import shop_image  # isort: skip


def _lines(*command: str) -> set[str]:
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines())


def _processes() -> set[str]:
    """Command lines, without this test's own and the kernel's."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(word in command for word in ("containerd", "runc", "proa.cluster", "pause", "sleep inf", "httpd")):
            found.add(f"{folder.name} {command}")
    return found


def _cgroups() -> set[str]:
    return {directory for directory, _, _ in os.walk("/sys/fs/cgroup") if "proa" in directory or "kubepods" in directory}


def machine(cluster: RealCluster) -> dict[str, set[str]]:
    """All that could be left on a machine."""
    return {
        "processes": _processes(),
        "network namespaces": {path.name for path in Path("/run/netns").glob("*")},
        "mounts": {line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()},
        "links": {path.name for path in Path("/sys/class/net").iterdir()},
        "routes": _lines("ip", "route", "show", "table", "all"),
        "nft tables": _lines("nft", "list", "tables"),
        "cgroups": _cgroups(),
        "files": {str(path) for root in (cluster.home, Path("/run/proa"), Path("/var/lib/proa")) for path in root.glob("**/*")},
        "sockets": {line.split()[3] for line in _lines("ss", "-Htln")},
    }


def test_down_leaves_nothing(new_cluster: RealCluster) -> None:
    before = machine(new_cluster)
    new_cluster.proa("up", "trace")
    new_cluster.load_image(shop_image())
    for manifest in ("backend.yaml", "frontend.yaml"):
        new_cluster.kubectl("apply", "-f", str(Path(__file__).parents[2] / "examples/shop" / manifest))
    for deployment in ("backend", "frontend"):
        new_cluster.wait_for_rollout(f"deployment/{deployment}", "test-ns-1")
    during = machine(new_cluster)
    assert all(during[kind] != before[kind] for kind in before), "the comparison would not see anything"
    new_cluster.proa("down", "trace")
    after = machine(new_cluster)
    assert {kind: after[kind] - before[kind] for kind in before} == {kind: set() for kind in before}
    assert not new_cluster.home.exists()


def test_up_again_finds_everything_in_place_and_other_settings_are_refused(new_cluster: RealCluster) -> None:
    new_cluster.proa("up", "trace", "--nodes", "1")
    uid = new_cluster.get("node", "trace-node-1")["metadata"]["uid"]
    new_cluster.proa("up", "trace")
    assert new_cluster.get("node", "trace-node-1")["metadata"]["uid"] == uid
    refused = new_cluster.proa("up", "trace", "--nodes", "2", check=False)
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
        1, "proa: cluster 'trace' exists with --nodes 1, not 2; `proa node add` and `proa node remove` change that",
    )  # fmt: skip
    assert "trace" in new_cluster.proa("list").stdout
    assert "running" in new_cluster.proa("status", "trace").stdout
