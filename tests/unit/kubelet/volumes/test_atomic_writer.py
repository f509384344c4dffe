"""Volumes' files change all at once."""

import os
from pathlib import Path

from proa.kubelet.volumes.atomic_writer import File, write_payload


def visible(directory: Path) -> dict[str, str]:
    return {name: (directory / name).read_text() for name in sorted(os.listdir(directory)) if not name.startswith("..")}


def test_contents_are_replaced_as_one(tmp_path: Path) -> None:
    assert write_payload(tmp_path, {"a": File(b"1"), "b": File(b"2", 0o400)})
    first = os.readlink(tmp_path / "..data")
    assert visible(tmp_path) == {"a": "1", "b": "2"}
    assert os.readlink(tmp_path / "a") == "..data/a"
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o400
    assert not write_payload(tmp_path, {"a": File(b"1"), "b": File(b"2", 0o400)})
    assert os.readlink(tmp_path / "..data") == first
    assert write_payload(tmp_path, {"a": File(b"3"), "c": File(b"4")})
    assert visible(tmp_path) == {"a": "3", "c": "4"}
    assert sorted(os.listdir(tmp_path)) == sorted(["..data", os.readlink(tmp_path / "..data"), "a", "c"])


def test_paths_may_be_deep(tmp_path: Path) -> None:
    write_payload(tmp_path, {"x/y/z": File(b"1"), "x/w": File(b"2")})
    assert ((tmp_path / "x/y/z").read_text(), os.readlink(tmp_path / "x")) == ("1", "..data/x")


def test_a_change_of_mode_is_a_change(tmp_path: Path) -> None:
    write_payload(tmp_path, {"a": File(b"1", 0o644)})
    assert write_payload(tmp_path, {"a": File(b"1", 0o600)})
