"""The script that builds a node's root: what is the machine's, what is the node's own, and that it is valid shell."""

import subprocess
from pathlib import Path

import pytest

import proa
from proa.cluster.node_root import mount_script, node_resolv_conf, program_directories
from proa.cluster.paths import ClusterPaths

NODE = ClusterPaths(Path("/data home"), "c").node("n-1")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For a machine on which bin is a link into usr, and lib32 is not there."""
    links, directories = {"/bin": "usr/bin", "/lib64": "usr/lib64"}, {"/usr", "/lib", "/proc", "/sys", "/dev"}
    monkeypatch.setattr(Path, "is_symlink", lambda path: str(path) in links)
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path) in directories)
    monkeypatch.setattr("os.readlink", lambda path: links[str(path)])
    return mount_script(NODE, [Path("/opt/env"), Path("/run/proa/c/nodes/n-1")], "nameserver 10.96.0.10\n").splitlines()


def test_programs_are_the_machine_s_and_etc_is_an_overlay(script: list[str]) -> None:
    root = "'/data home/c/nodes/n-1/root'"
    assert script[:9] == [
        "set -e",
        f"mount --bind {root} {root}",
        f"cd {root}",
        "ln -sfn usr/bin bin",
        "mkdir -p lib && mount --rbind /lib lib",
        "ln -sfn usr/lib64 lib64",
        "mkdir -p usr && mount --rbind /usr usr",
        "mkdir -p proc && mount --rbind /proc proc",
        "mkdir -p sys && mount --rbind /sys sys",
    ]
    etc = "'/data home/c/nodes/n-1/etc/{}'"
    assert f"mount -t overlay overlay -o lowerdir=/etc,upperdir={etc.format('upper')},workdir={etc.format('work')} etc" in script


def test_what_engines_share_is_the_node_s_own(script: list[str]) -> None:
    assert "mount -t tmpfs -o mode=755 tmpfs run" in script
    assert not [line for line in script if "mount --rbind /run " in line or "mount --rbind /var" in line or "mount --rbind /tmp" in line]
    assert script.index("mount -t tmpfs -o mode=755 tmpfs run") < script.index(
        "mkdir -p run/proa/c/nodes/n-1 && mount --rbind /run/proa/c/nodes/n-1 run/proa/c/nodes/n-1"
    )


def test_the_old_root_is_gone_before_the_host_name_is_set(script: list[str]) -> None:
    last = script[script.index("pivot_root . .machine") :]
    assert last == [
        "pivot_root . .machine",
        "umount -l /.machine",
        "rmdir /.machine || true",
        "ln -sfn /run /var/run",
        "printf '%s\\n' n-1 > /etc/hostname",
        "hostname n-1",
        "mkdir -p /etc/cni/net.d",
        "rm -f /etc/resolv.conf",
        "printf %s 'nameserver 10.96.0.10",
        "' > /etc/resolv.conf",
    ]


def test_a_shell_understands_it() -> None:
    done = subprocess.run(["sh", "-n"], input=mount_script(NODE, [Path("/a b")], "nameserver 1.1.1.1\n"), text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_directories_of_programs_hold_this_package_and_never_each_other() -> None:
    found = program_directories()
    package = Path(proa.__path__[0]).resolve()
    assert any(package.is_relative_to(path) for path in found) or package.is_relative_to("/usr")
    assert not [path for path in found if path.is_relative_to("/usr") or path == Path("/")]
    assert not [(one, two) for one in found for two in found if one != two and one.is_relative_to(two)]


def test_a_resolver_on_loopback_is_asked_through_the_clusters() -> None:
    machine = "# made by\nnameserver 127.0.0.53\nnameserver ::1\nnameserver 192.0.2.1\nsearch example.com\noptions edns0\n"
    assert node_resolv_conf(machine, "10.96.0.10") == (
        "# made by\nnameserver 10.96.0.10\nnameserver 192.0.2.1\nsearch example.com\noptions edns0\n"
    )
    assert node_resolv_conf("", "10.96.0.10") == ""
