"""Upstream's flags of the API server."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from proa.apiserver.config import ApiServerConfig
from proa.apiserver.flags import FLAGS, boolean, duration, file, number, port_range, read_flags, settled, switches, words


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ([], {}),
        (["runtime-config=api/beta=true,batch/v1=false"], {"runtime_config": {"api/beta": True, "batch/v1": False}}),
        (["--disable-admission-plugins=PodSecurity, Priority"], {"disable_admission_plugins": ("PodSecurity", "Priority")}),
        (["service-node-port-range=30000-30100"], {"node_port_range": (30000, 30100)}),
        (["etcd-compaction-interval=1m30s"], {"compaction_interval": 90.0}),
        (
            ["service-account-issuer=https://a", "service-account-issuer=https://b"],
            {"issuer": "https://a", "accepted_issuers": ("https://b",)},
        ),
    ],
)
def test_flags_are_fields(arguments: list[str], fields: dict[str, Any]) -> None:
    assert read_flags(arguments) == fields


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("colour=red", 'unknown flag "--colour" of the API server; known: .*runtime-config'),
        (
            "etcd-compaction-interval=soon",
            'invalid value "soon" for flag "--etcd-compaction-interval" of the API server: must be a duration',
        ),
        ("runtime-config=api/beta=maybe", "must be true or false"),
        ("service-node-port-range=9-3", "must be a range of ports"),
    ],
)
def test_what_is_refused_is_named(argument: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_flags([argument])


def test_values() -> None:
    assert (boolean("true"), boolean("false"), number("7"), words(" a,b ,")) == (True, False, 7, ("a", "b"))
    assert (duration("1h"), duration("500ms"), duration("1.5s")) == (3600.0, 0.5, 1.5)
    assert (switches("a,b=false"), port_range("1-2")) == ({"a": True, "b": False}, (1, 2))


def test_paths_hold_in_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy.yaml").touch()
    assert file("policy.yaml") == tmp_path / "policy.yaml"
    with pytest.raises(ValueError, match="is not a file"):
        file("nothing.yaml")
    assert settled(["--runtime-config=api/all=true"]) == ("runtime-config=api/all=true",)


def test_every_flag_has_a_field() -> None:
    fields = {field.name for field in dataclasses.fields(ApiServerConfig)}
    assert [name for name, flag in FLAGS.items() if flag.field not in fields] == []
    assert list(FLAGS) == sorted(FLAGS)
