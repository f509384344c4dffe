"""The command line on a real machine: every refusal is one sentence, and whatever happens to a command leaves nothing half made."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import missing
from tests.e2e.real_cluster import RealCluster, wait_for
from tests.e2e.test_no_trace import machine

NAME = "cli"


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[RealCluster]:
    """A cluster name of this file's own; afterwards the machine is as it was."""
    if reason := missing():
        pytest.skip(reason)
    made = RealCluster(NAME, tmp_path / "home")
    before = {kind: _own(found) for kind, found in machine(made).items()}
    yield made
    made.proa("down", "--all", check=False)
    after = {kind: _own(found) for kind, found in machine(made).items()}
    assert after == before
    assert not made.home.exists()


MARKS = (f"proa-{NAME}", f"proa_{NAME}", f"proa/{NAME}", f"cluster {NAME}")


def _own(found: set[str]) -> set[str]:
    """What carries this file's name: other clusters come and go meanwhile."""
    return {each for each in found if any(mark in each for mark in MARKS)}


def _refusal(cluster: RealCluster, *arguments: str) -> str:
    done = cluster.proa(*arguments, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line for line in done.stderr.splitlines() if not line.startswith((" ✓", " ✗"))]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("proa: ")


def test_a_taken_port_and_a_broken_kubeconfig_are_told_before_anything_is_made(mine: RealCluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = f"port {port} on 127.0.0.1 is taken; choose another with --api-port"
        assert _refusal(mine, "up", NAME, "--api-port", str(port)) == message
    mine.kubeconfig.write_text("clusters: [")
    assert "is not valid YAML" in _refusal(mine, "up", NAME)
    mine.kubeconfig.unlink()
    assert not mine.home.exists()


def test_a_full_disk_is_told_before_anything_is_made(mine: RealCluster, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=True)
    try:
        cluster = RealCluster(NAME, small / "home")
        assert _refusal(cluster, "up", NAME).startswith(f"the disk of {small}/home has ")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("step", ["", "Wiring the network", "Starting the API server"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_an_interrupted_up_leaves_nothing(mine: RealCluster, sent: signal.Signals, step: str) -> None:
    """Interrupted once that step is done, or before the first."""
    command = [sys.executable, "-m", "proa.cli.main", "up", NAME]
    running = subprocess.Popen(command, env=mine.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0)
    assert running.stderr is not None
    if step:
        assert any(step in line for line in running.stderr)
    else:
        wait_for(mine.home.exists, "nothing begins", interval=0.005)
    os.killpg(running.pid, sent)
    _, said = running.communicate(timeout=60)
    assert (running.returncode, "Traceback" in said) == (1, False)
    assert _own(set().union(*machine(mine).values())) == set()
    assert not mine.home.exists()


def test_a_killed_supervisor_is_replaced_and_its_pods_never_notice(mine: RealCluster) -> None:
    mine.proa("up", NAME, "--nodes", "1")
    os.kill(int(Path(f"/run/proa/{NAME}/supervisor.pid").read_text()), signal.SIGKILL)
    assert "stopped" in mine.proa("status", NAME, check=False).stdout
    assert _refusal(mine, "node", "stop", f"{NAME}-node-1", "--cluster", NAME) == f"cluster '{NAME}' is stopped; start it: proa up {NAME}"
    mine.proa("up", NAME)
    assert mine.kubectl("get", "--raw", "/readyz").stdout == "ok"
    os.kill(int(Path(f"/run/proa/{NAME}/supervisor.pid").read_text()), signal.SIGKILL)
    mine.proa("down", NAME)


def test_settings_that_nobody_can_read_do_not_stand_in_the_way_of_down(mine: RealCluster) -> None:
    mine.proa("up", NAME, "--nodes", "1")
    settings = mine.home / NAME / "cluster.json"
    settings.write_text("{")
    assert f"{settings} does not describe a cluster" in _refusal(mine, "status", NAME)
    assert "Unreadable" in mine.proa("list").stdout
    mine.proa("down", NAME)


def test_commands_at_the_same_time_wait_for_each_other(mine: RealCluster) -> None:
    command = [sys.executable, "-m", "proa.cli.main"]

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, *arguments], env=mine.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    both = [start("up", f"{NAME}-{i}", "--nodes", "0") for i in (1, 2)] + [start("up", f"{NAME}-1", "--nodes", "0")]
    ended = [(each.communicate(timeout=60), each.returncode) for each in both]
    assert [code for _, code in ended] == [0, 0, 0], ended
    found = [json.loads(path.read_text()) for path in sorted(mine.home.glob("*/cluster.json"))]
    for setting in ("api_port", "pod_network_cidr", "service_cidr", "node_network"):
        assert len({each[setting] for each in found}) == 2
    both = [start("down", f"{NAME}-1") for _ in range(2)]
    said = sorted(each.communicate(timeout=60)[0].decode() for each in both)
    assert said == [f'Cluster "{NAME}-1" is gone.\n', f'There is no cluster "{NAME}-1".\n']


def test_nodes_come_and_go_down_to_none_and_back(mine: RealCluster) -> None:
    mine.proa("up", NAME, "--nodes", "0")
    mine.proa("node", "add", "--cluster", NAME)
    assert mine.node_names() == [f"{NAME}-node-1"]
    assert "already has a node" in _refusal(mine, "node", "add", f"{NAME}-node-1", "--cluster", NAME)
    assert "no image archive" in _refusal(mine, "image", "load", "/etc/hostname", "--cluster", NAME)
    stop = ("node", "stop", f"{NAME}-node-1", "--cluster", NAME)
    assert [mine.proa(*stop).stdout for _ in range(2)] == [f'Node "{NAME}-node-1" is off.\n', f'Node "{NAME}-node-1" was off already.\n']
    assert "has no running node" in _refusal(mine, "image", "load", "/etc/hostname", "--cluster", NAME)
    mine.proa("node", "remove", f"{NAME}-node-1", "--cluster", NAME)
    assert mine.node_names() == []
    mine.proa("node", "add", "again", "--cluster", NAME)
    assert mine.node_names() == ["again"]


def test_a_reboot_is_undone_by_up(mine: RealCluster) -> None:
    mine.proa("up", NAME, "--nodes", "1")
    mine.kubectl("run", "survivor", "--image=registry.k8s.io/pause:3.10", "--image-pull-policy=Never")
    mine.kubectl("wait", "pod/survivor", "--for=condition=Ready", "--timeout=60s")
    _lose_power()
    assert "stopped" in mine.proa("status", NAME, check=False).stdout
    mine.proa("up", NAME)

    def restarted() -> bool:
        status = mine.get("pod", "survivor")["status"]
        return bool(status["phase"] == "Running" and status["containerStatuses"][0]["restartCount"] == 1)

    wait_for(restarted, "the pod does not run again")


def _lose_power() -> None:
    """Everything of the cluster that a reboot would end or forget, all of it at once."""
    os.kill(int(Path(f"/run/proa/{NAME}/supervisor.pid").read_text()), signal.SIGKILL)
    groups = [Path(line.split()[1], "proa", NAME) for line in Path("/proc/mounts").read_text().splitlines() if " cgroup" in line]
    wait_for(lambda: not _kill_all(groups), "processes are left")
    link = json.loads(subprocess.run(["ip", "-j", "link"], check=True, capture_output=True).stdout)
    for each in link:
        if each.get("link_netnsid") is not None and each["ifname"].startswith("proa") and _leads_to_switch(each["ifname"]):
            subprocess.run(["ip", "link", "delete", each["ifname"]], check=True)
    for namespace in Path("/run/netns").glob(f"proa-{NAME}-*"):
        subprocess.run(["ip", "netns", "delete", namespace.name], check=True)
    subprocess.run(["nft", "delete", "table", "ip", f"proa_{NAME}"], check=True)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[1].startswith(f"/run/proa/{NAME}")]
    for mount in reversed(mounted):
        subprocess.run(["umount", "-l", mount], check=True)
    subprocess.run(["rm", "-rf", f"/run/proa/{NAME}"], check=True)


def _leads_to_switch(link: str) -> bool:
    found = subprocess.run(["ip", "link", "show", link], check=True, capture_output=True, text=True).stdout
    return f"link-netns proa-{NAME}-switch" in found


def _kill_all(groups: list[Path]) -> int:
    pids = {int(pid) for group in groups for file in group.glob("**/cgroup.procs") for pid in file.read_text().split()}
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(pids)
