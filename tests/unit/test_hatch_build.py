"""The build hook undoes exactly what the validator's copy of the schemas did to them, and writes files that the package can load."""

import importlib.util
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest

from proa.apiserver.build_commit import checkout_commit

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string"}),
        ({"$ref": "#/$defs/A", "description": "d"}, {"$ref": "#/definitions/A", "description": "d"}),
        ({"type": ["array", "null"], "items": {"type": ["object", "null"]}}, {"type": "array", "items": {"type": "object"}}),
        ({"additionalProperties": {"$ref": "#/$defs/A"}}, {"additionalProperties": {"$ref": "#/definitions/A"}}),
        ({"oneOf": [{"type": "string"}], "description": "d"}, {"description": "d"}),
        (
            {"properties": {"$ref": {"type": ["string", "null"]}, "type": {"type": ["string", "null"]}, "oneOf": {"type": "array"}}},
            {"properties": {"$ref": {"type": "string"}, "type": {"type": "string"}, "oneOf": {"type": "array"}}},
        ),
    ],
)
def test_a_schema_is_restored(hook: ModuleType, schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert hook.restore_schema(schema) == expected


def test_the_enums_of_api_version_and_kind_go_and_others_stay(hook: ModuleType) -> None:
    one = {"type": ["string", "null"], "enum": ["x"]}
    definitions = {
        "A": {"properties": {"apiVersion": dict(one), "kind": dict(one), "policy": dict(one)}},
        hook.QUANTITY: {},
        hook.INT_OR_STRING: {},
    }
    assert hook.normalise(definitions) == {
        "A": {"properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "policy": {"type": "string", "enum": ["x"]}}},
        hook.QUANTITY: {"type": "string"},
        hook.INT_OR_STRING: {"type": "string", "format": "int-or-string"},
    }


def test_packed_schemas_are_written_whole_and_only_when_stale(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "_definitions.json"
    bare: dict[str, Any] = {hook.QUANTITY: {}, hook.INT_OR_STRING: {}, "A": {"type": ["object", "null"]}}
    source.write_bytes(orjson.dumps({"$defs": bare}))
    monkeypatch.setattr(hook, "published_schemas", lambda: iter([("1.99", source)]))
    hook.compile_schemas(tmp_path / "schemas")
    packed = tmp_path / "schemas" / "v1.99.json.z"
    assert orjson.loads(zlib.decompress(packed.read_bytes()))["A"] == {"type": "object"}
    written = packed.stat().st_mtime_ns
    hook.compile_schemas(tmp_path / "schemas")
    assert [each.name for each in (tmp_path / "schemas").iterdir()] == ["v1.99.json.z"]
    assert packed.stat().st_mtime_ns == written


def test_protocol_stubs_import_by_their_package(hook: ModuleType, tmp_path: Path) -> None:
    package = tmp_path / "proa" / "some"
    package.mkdir(parents=True)
    (package / "base.proto").write_text('syntax = "proto3";\npackage base;\nmessage Base { string name = 1; }\n')
    (package / "api.proto").write_text(
        'syntax = "proto3";\npackage api;\nimport "proa/some/base.proto";\nservice Api { rpc Get(base.Base) returns (base.Base); }\n'
    )
    hook.compile_protos(tmp_path)
    assert sorted(each.name for each in package.iterdir() if each.suffix != ".proto") == [
        "api_pb2.py", "api_pb2.pyi", "api_pb2_grpc.py", "base_pb2.py", "base_pb2.pyi",
    ]  # fmt: skip
    assert "from proa.some import base_pb2" in (package / "api_pb2.py").read_text()
    assert (package / "api_pb2.pyi").read_text().startswith("# mypy: ignore-errors\n")


def test_the_build_requirement_has_every_supported_version(hook: ModuleType) -> None:
    versions = [version for version, _ in hook.published_schemas()]
    assert {"1.25", "1.37"} <= set(versions)


def test_a_source_archive_is_told_no_commit(hook: ModuleType, tmp_path: Path) -> None:
    assert hook.commit_of(tmp_path) == ""


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source archive knows no commit")
def test_the_commit_of_the_build_is_the_one_that_the_server_finds(hook: ModuleType) -> None:
    assert hook.commit_of(ROOT) == checkout_commit(ROOT) != ""
