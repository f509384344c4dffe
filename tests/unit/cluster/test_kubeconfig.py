"""Merging into a user's kubeconfig keeps what is theirs."""

from pathlib import Path

import pytest
import yaml

from proa.cluster import kubeconfig
from proa.cluster.errors import ClusterError

THEIRS: kubeconfig.Config = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
    "users": [{"name": "me", "user": {"token": "t"}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me", "namespace": "n"}}],
    "current-context": "work",
    "preferences": {"colors": True},
}
OURS = kubeconfig.make("proa", "https://127.0.0.1:6443", b"ca", b"certificate", b"key")


def test_make_encodes_the_credential() -> None:
    assert OURS == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proa", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": "Y2E="}}],
        "users": [{"name": "proa", "user": {"client-certificate-data": "Y2VydGlmaWNhdGU=", "client-key-data": "a2V5"}}],
        "contexts": [{"name": "proa", "context": {"cluster": "proa", "user": "proa"}}],
        "current-context": "proa",
        "preferences": {},
    }


def test_merge_adds_and_selects_then_removal_restores_all_but_the_selection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "config"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(THEIRS))
    monkeypatch.setenv("KUBECONFIG", f":{path}:{tmp_path / 'second'}")
    assert kubeconfig.merge_into_user_file(OURS) == path
    kubeconfig.merge_into_user_file(OURS)
    merged = yaml.safe_load(path.read_text())
    assert [entry["name"] for entry in merged["contexts"]] == ["work", "proa"]
    assert merged["current-context"] == "proa"
    assert merged["preferences"] == {"colors": True}
    assert path.stat().st_mode & 0o777 == 0o600
    kubeconfig.remove_from_user_file("proa")
    assert yaml.safe_load(path.read_text()) == THEIRS | {"current-context": ""}
    assert not list(tmp_path.glob("**/*.lock"))


@pytest.mark.parametrize("text", ["{", "- a list"])
def test_a_file_that_is_no_kubeconfig_is_left_alone(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(ClusterError, match=str(path)):
        kubeconfig.merge_into_user_file(OURS)
    assert path.read_text() == text


def test_a_link_stays_a_link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "real").write_text(yaml.safe_dump(THEIRS))
    (tmp_path / "config").symlink_to(tmp_path / "real")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    kubeconfig.merge_into_user_file(OURS)
    assert (tmp_path / "config").is_symlink()
    assert yaml.safe_load((tmp_path / "real").read_text())["current-context"] == "proa"
