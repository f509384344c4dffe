"""The CNI configuration: its content, and that a user's own always wins."""

from pathlib import Path

import pytest

from proa.cni.conflist import FILE_NAME, conflist, foreign_configuration, remove, write


def test_content() -> None:
    assert conflist(["10.244.1.0/24"], 1400) == {
        "cniVersion": "1.0.0",
        "name": "proa",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "mtu": 1400,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.1.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def test_two_families_have_a_range_and_a_default_route_each() -> None:
    ipam = conflist(["10.244.1.0/24", "fd02::/64"], 1500)["plugins"][0]["ipam"]
    assert ipam["ranges"] == [[{"subnet": "10.244.1.0/24"}], [{"subnet": "fd02::/64"}]]
    assert ipam["routes"] == [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]


def test_file_is_written_once_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    directory = tmp_path / "net.d"
    assert write(directory, conflist(["10.244.1.0/24"], 1500))
    assert not write(directory, conflist(["10.244.1.0/24"], 1500))
    assert write(directory, conflist(["10.244.2.0/24"], 1500))
    assert [path.name for path in directory.iterdir()] == [FILE_NAME]
    remove(directory)
    remove(directory)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], ""),
        ([FILE_NAME, f".{FILE_NAME}.new", "README", "old.conflist.bak"], ""),
        ([FILE_NAME, "10-mine.conf"], "10-mine.conf"),
        (["zz.conflist", "20-b.json"], "20-b.json"),
    ],
)
def test_foreign_configuration(tmp_path: Path, files: list[str], expected: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    assert foreign_configuration(tmp_path) == expected


def test_no_directory_has_no_foreign_configuration(tmp_path: Path) -> None:
    assert foreign_configuration(tmp_path / "absent") == ""
