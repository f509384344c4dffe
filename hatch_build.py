"""Build hook: makes the generated files that the package ships and the repository does not hold.

Each Kubernetes version's published schema, found in the build requirement `kubernetes-validate`, becomes one small compressed file under
proa/api/schemas; each proa/**/*.proto becomes Python beside it. A wheel is told the commit that it is made from; an
editable install is not, as it finds its checkout's. The same code serves wheels, editable installs and `python hatch_build.py`.
"""

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
ARTIFACTS = ["proa/api/schemas/*.json.z", "proa/**/*_pb2.py", "proa/**/*_pb2.pyi", "proa/**/*_pb2_grpc.py"]
COMMIT = "proa/build_commit.txt"

QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls, for a wheel and for an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        generate(Path(self.root))
        build_data["artifacts"].extend(ARTIFACTS)
        if version != "editable" and (commit := commit_of(Path(self.root))):
            replace(Path(self.root, COMMIT), f"{commit}\n".encode())
            build_data["artifacts"].append(COMMIT)


def commit_of(root: Path) -> str:
    """The commit of the checkout at `root`, "" where there is none (a source archive) or no git to ask."""
    if not (root / ".git").exists():
        return ""
    try:
        asked = subprocess.run(["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def generate(root: Path) -> None:
    compile_schemas(root / "proa" / "api" / "schemas")
    compile_protos(root)


def compile_schemas(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for version, source in published_schemas():
        packed = target / f"v{version}.json.z"
        if is_stale(packed, source, Path(__file__)):
            definitions = normalise(json.loads(source.read_bytes())["$defs"])
            replace(packed, zlib.compress(json.dumps(definitions, separators=(",", ":"), sort_keys=True).encode(), 9))


def published_schemas() -> Iterator[tuple[str, Path]]:
    """("1.37", path of its definitions) for every version that the build requirement knows."""
    # Found through its spec: importing the package would need its run-time dependencies.
    spec = find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the build requirement kubernetes-validate is not installed")
    for folder in sorted(Path(spec.submodule_search_locations[0], "kubernetes-json-schema").glob("v*.0-local")):
        if match := re.fullmatch(r"v(\d+\.\d+)\.0-local", folder.name):
            yield match[1], folder / "_definitions.json"


def normalise(definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions as Kubernetes' own OpenAPI v2 document has them: what a JSON-schema validator needed is undone."""
    restored = {name: restore_schema(schema) for name, schema in definitions.items()}
    restored[QUANTITY] |= {"type": "string"}
    restored[INT_OR_STRING] |= {"type": "string", "format": "int-or-string"}
    for schema in restored.values():
        for field in ("apiVersion", "kind"):
            schema.get("properties", {}).get(field, {}).pop("enum", None)
    return restored


def restore_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """One schema object. Keys below `properties` are names of fields, even where they read `$ref` or `type` (JSONSchemaProps)."""
    restored: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            restored[key] = {name: restore_schema(field) for name, field in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            restored[key] = restore_schema(value)
        elif key == "$ref":
            restored[key] = value.replace("#/$defs/", "#/definitions/")
        elif key == "type" and isinstance(value, list):
            restored[key] = next(each for each in value if each != "null")
        elif key != "oneOf":
            restored[key] = value
    return restored


def compile_protos(root: Path) -> None:
    for source in sorted((root / "proa").rglob("*.proto")):
        if is_stale(source.with_name(f"{source.stem}_pb2.py"), source):
            compile_proto(root, source)


def compile_proto(root: Path, source: Path) -> None:
    """Paths are given relative to the root, so that generated imports read `from proa.kubelet.cri import api_pb2`."""
    from grpc_tools import protoc

    well_known = str(resources.files("grpc_tools") / "_proto")
    arguments = ["protoc", f"-I{root}", f"-I{well_known}", f"--python_out={root}", f"--pyi_out={root}"]
    if re.search(r"^service\s", source.read_text(), re.MULTILINE):
        arguments.append(f"--grpc_python_out={root}")
    if protoc.main([*arguments, str(source.relative_to(root))]) != 0:
        raise RuntimeError(f"protoc failed for {source}")
    stub = source.with_name(f"{source.stem}_pb2.pyi")
    # protoc's stubs leave out type arguments, which strict checking refuses; whoever imports them is checked against them all the same.
    replace(stub, b"# mypy: ignore-errors\n" + stub.read_bytes())


def is_stale(product: Path, *sources: Path) -> bool:
    return not product.exists() or any(product.stat().st_mtime < source.stat().st_mtime for source in sources)


def replace(path: Path, content: bytes) -> None:
    """Write whole or not at all: others may be reading."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


if __name__ == "__main__":
    generate(ROOT)
    sys.exit(0)
