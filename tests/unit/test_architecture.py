"""What the project promises of its own code and import contracts can't say: what loads when, how files are named, how long they are."""

import ast
import functools
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
HEAVY = {"asyncio", "cel_expr_python", "cryptography", "google", "grpc", "numpy", "orjson", "pyroute2", "ssl", "uvloop", "wsproto", "yaml"}


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that an interpreter has after the statement."""
    program = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=REPOSITORY)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        ("proa.cli.main, proa.cli.up, proa.cli.node", set()),
        ("proa.apiserver.main", {"asyncio", "ssl"}),
        ("proa.apiserver.server", {"asyncio", "orjson", "ssl"}),
        ("proa.controllers.registry", {"asyncio", "orjson", "ssl"}),
        ("proa.proxy.agent, proa.cni.agent, proa.dns.agent", {"asyncio", "orjson", "ssl"}),
        ("proa.kubelet.agent", {"asyncio", "google", "grpc", "orjson", "ssl"}),
    ],
)
def test_nothing_loads_what_its_first_second_does_not_need(modules: str, allowed: set[str]) -> None:
    assert loaded_by(f"import {modules}") & HEAVY <= allowed


def test_expressions_are_loaded_with_the_first_expression() -> None:
    program = "import proa.apiserver.server, sys\nprint('proa.api.cel.checker' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout.strip() == "False"


def test_classes_are_made_by_the_dataclass_that_costs_little() -> None:
    """`proa.lib.dataclass` says why."""
    ours = [path for path in (REPOSITORY / "proa").rglob("*.py") if path.name != "dataclass.py"]
    taken = [(path, node) for path in ours for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom)]
    wrong = [path for path, node in taken if node.module == "dataclasses" and any(name.name == "dataclass" for name in node.names)]
    assert not names(iter(wrong)), "import dataclass from proa.lib.dataclass"


def sources() -> Iterator[Path]:
    for folder in ("proa", "tests", "benchmarks", "examples", "fuzz", "scripts"):
        yield from (path for path in (REPOSITORY / folder).rglob("*.py") if "_pb2" not in path.name)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def names(paths: Iterator[Path]) -> list[str]:
    return [str(path.relative_to(REPOSITORY)) for path in paths]


def test_files_are_named_by_the_noun_they_hold() -> None:
    assert names(path for path in sources() if path.stem in ("utils", "util", "helpers", "helper", "common", "misc")) == []


def test_packages_run_no_code_when_they_are_imported() -> None:
    inits = ((path, parsed(path).body) for path in (REPOSITORY / "proa").rglob("__init__.py"))
    assert names(path for path, body in inits if not all(isinstance(each, ast.ImportFrom | ast.Assign | ast.Expr) for each in body)) == []


def test_every_module_says_what_it_guarantees() -> None:
    modules = (path for path in sources() if path.name != "__init__.py" and REPOSITORY / "tests" not in path.parents)
    assert names(path for path in modules if not ast.get_docstring(parsed(path))) == []


def test_no_file_is_too_long_to_be_read() -> None:
    assert names(path for path in sources() if path.read_text().count("\n") > 600) == []
    assert (
        names(path for path in (REPOSITORY / "proa").rglob("*.py") if "_pb2" not in path.name and path.read_text().count("\n") > 450) == []
    )


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_function_is_too_long_to_be_read() -> None:
    """Tests may tell a longer story."""
    limits = {path: 100 if REPOSITORY / "tests" in path.parents else 50 for path in sources()}
    long = [f"{path}: {each.name}" for path in limits for each in functions(path) if (each.end_lineno or 0) - each.lineno >= limits[path]]
    assert long == []


def locked(*files: str) -> dict[str, str]:
    lines = [line for file in files for line in (REPOSITORY / file).read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def test_locks_hold_every_dependency_in_a_version_that_is_allowed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    running = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for wanted, lock in (
        (running, locked("requirements.lock")),
        (project["dependency-groups"]["dev"], locked("requirements-dev.lock", "requirements.lock")),
        (project["dependency-groups"]["fuzz"], locked("requirements-fuzz.lock")),
    ):
        missing = [each for each in map(Requirement, wanted) if not each.specifier.contains(lock.get(canonicalize_name(each.name), "0"))]
        assert missing == []


def test_locks_do_not_contradict_each_other() -> None:
    assert locked("requirements.lock").keys() & locked("requirements-dev.lock").keys() == set()
    assert locked("requirements.lock").keys() & locked("requirements-fuzz.lock").keys() == set()
    tested, fuzzed = locked("requirements-dev.lock"), locked("requirements-fuzz.lock")
    assert {name: tested[name] for name in fuzzed.keys() & tested.keys()} == {name: fuzzed[name] for name in fuzzed.keys() & tested.keys()}
