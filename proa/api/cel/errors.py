"""How expressions fail: while they are compiled, and while they are evaluated."""

from collections.abc import Iterable


class CompileError(ValueError):
    """What is wrong with an expression, as CEL words it."""


class EvaluationError(ValueError):
    """What came of an evaluation instead of a value: `no such key: x`, `integer overflow`, ..."""


class CostExceeded(EvaluationError):
    """The evaluation has used up what it may spend."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


NO_OVERLOAD = "no such overload"


def no_overload() -> EvaluationError:
    return EvaluationError(NO_OVERLOAD)


def located(text: str, issues: Iterable[tuple[int, str]]) -> str:
    """Issues at their places, with the line that each is in. Source: cel-go's common.Error."""
    return "\n".join(_located(text, offset, message) for offset, message in sorted(issues, key=lambda each: each[0]))


def _located(text: str, offset: int, message: str) -> str:
    before = text[:offset]
    line, start = before.count("\n") + 1, before.rfind("\n") + 1
    column = offset - start
    shown = text[start:].split("\n", 1)[0].replace("\t", " ")
    return f"ERROR: <input>:{line}:{column + 1}: {message}\n | {shown}\n | {'.' * column}^"
