"""The table of commands, and what a user reads when something can't be done."""

import pytest

from proa.cli.main import COMMANDS
from tests.unit.cli.conftest import Proa


def test_help_lists_every_command_with_its_line(proa: Proa) -> None:
    shown = proa("--help").out
    assert all(f"  {name} " in shown and text in shown for name, (_, text) in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(proa: Proa, name: str) -> None:
    outcome = proa(name, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: proa {name} ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["up", "--nodes", "61"], "61 is not in the range 0<=x<=60"),
        (["up", "--api-port", "0"], "0 is not in the range 1<=x<=65535"),
        (["node", "stop"], "Missing argument 'NAME'"),
        (["image", "load"], "Missing argument 'FILES...'"),
        (["image", "load", "/nonexistent.tar"], "File '/nonexistent.tar' does not exist"),
        (["completion", "csh"], "'csh' is not one of 'bash', 'zsh', 'fish'"),
    ],
    ids=" ".join,
)
def test_misuse_is_told_with_the_usage(proa: Proa, arguments: list[str], message: str) -> None:
    outcome = proa(*arguments)
    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "gone"],
        ["kubeconfig", "gone"],
        ["image", "list", "--cluster", "gone"],
        ["node", "add", "--cluster", "gone"],
        ["node", "remove", "n", "--cluster", "gone"],
        ["node", "stop", "n", "--cluster", "gone"],
        ["node", "start", "n", "--cluster", "gone"],
    ],
    ids=" ".join,
)
def test_a_cluster_that_is_not_there_is_one_sentence_with_the_remedy(proa: Proa, arguments: list[str]) -> None:
    outcome = proa(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-1] == "proa: there is no cluster 'gone'; create it: proa up gone"


def test_versions(proa: Proa) -> None:
    assert proa("version").out.endswith(" (Kubernetes v1.37)\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_proa(proa: Proa, shell: str) -> None:
    script = proa("completion", shell).out
    assert f"_PROA_COMPLETE={shell}_complete" in script
