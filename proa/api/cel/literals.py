"""Literals that can only fail: regular expressions, durations and timestamps written out are checked when the expression is compiled.
Source: cel-go's AST validators."""

from collections.abc import Callable
from typing import Any

from proa.api.cel.checker import Checked
from proa.api.cel.errors import CompileError, EvaluationError, located
from proa.api.cel.library.standard import compiled
from proa.api.cel.syntax import Call, Constant, Node, walk
from proa.api.cel.values import parse_duration, parse_timestamp


def check_literals(checked: Checked) -> None:
    """Raises CompileError."""
    calls = (node for node in walk(checked.parsed.root) if isinstance(node, Call) and node.function in _CHECKS)
    problems = (problem for call in calls if (problem := _CHECKS[call.function](call)) is not None)
    issues = [(checked.parsed.positions.get(node.id, 0), text) for node, text in problems]
    if issues:
        raise CompileError(f"compilation failed: {located(checked.parsed.text, issues)}")


def _literal(name: str, read: Callable[[str], Any]) -> Callable[[Call], tuple[Node, str] | None]:
    def check(call: Call) -> tuple[Node, str] | None:
        given = call.arguments[-1] if call.arguments else None
        if not isinstance(given, Constant) or not isinstance(given.value, str):
            return None
        try:
            read(given.value)
        except (ValueError, EvaluationError):
            return given, f"invalid {name} argument"
        return None

    return check


_CHECKS = {
    "matches": _literal("matches", compiled),
    "duration": _literal("duration", parse_duration),
    "timestamp": _literal("timestamp", parse_timestamp),
}
