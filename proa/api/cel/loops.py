"""Comprehensions: what `all`, `exists`, `map`, `filter` and their kin become.

Results are built in place where the macro only ever appends: a list made of copies would cost the square of its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from proa.api.cel.errors import EvaluationError, no_overload
from proa.api.cel.frame import Failure, Frame
from proa.api.cel.syntax import Call, Comprehension, Constant, Identifier, ListLiteral, MapLiteral, Node

Run = Callable[[Frame], Any]
_ABSENT = object()


class Compiles(Protocol):
    def compile(self, node: Node) -> Run: ...


def compile_comprehension(node: Comprehension, compiler: Compiles) -> Run:
    quantifier = _quantifier(node)
    if quantifier is not None:
        decisive, predicate, overhead = quantifier
        return _quantified(node, compiler.compile(node.range), compiler.compile(predicate), decisive, overhead)
    return _general(node, compiler)


def _quantifier(node: Comprehension) -> tuple[bool, Node, int] | None:
    """(the value that decides, predicate, cost of a turn beside it) of `all` and `exists`."""
    step = node.step
    if not (isinstance(node.initial, Constant) and isinstance(step, Call) and _is_name(node.result, node.accumulator)):
        return None
    if len(step.arguments) != 2 or not _is_name(step.arguments[0], node.accumulator):
        return None
    if step.function == "_&&_" and node.initial.value is True:
        return False, step.arguments[1], 3
    if step.function == "_||_" and node.initial.value is False:
        return True, step.arguments[1], 4
    return None


def _is_name(node: Node, name: str) -> bool:
    return isinstance(node, Identifier) and node.name == name


def _pairs(node: Comprehension, over: Any) -> Iterator[tuple[Any, Any]]:
    """What the variables are in each turn."""
    if over.__class__ is list:
        return iter(enumerate(over)) if node.second_variable else ((item, None) for item in over)
    if isinstance(over, dict):
        return iter(over.items()) if node.second_variable else ((key, None) for key in over)
    raise no_overload()


def _quantified(node: Comprehension, over: Run, predicate: Run, decisive: bool, overhead: int) -> Run:
    first, second = node.variable, node.second_variable

    def run(frame: Frame) -> bool:
        variables, failure = frame.variables, None
        before = variables.get(first, _ABSENT), variables.get(second, _ABSENT)
        try:
            for one, other in _pairs(node, over(frame)):
                variables[first] = one
                if second:
                    variables[second] = other
                frame.turn(overhead)
                try:
                    found = predicate(frame)
                except EvaluationError as error:
                    frame.spend(0)
                    failure = failure or error
                    continue
                if found is decisive:
                    return bool(found)
                if found.__class__ is not bool:
                    failure = failure or no_overload()
        finally:
            _restore(variables, (first, second), before)
        frame.cost += 1
        if failure is not None:
            raise failure
        return not decisive

    return run


def _restore(variables: dict[str, Any], names: tuple[str, ...], before: tuple[Any, ...]) -> None:
    for name, value in zip(names, before, strict=True):
        if value is _ABSENT:
            variables.pop(name, None)
        else:
            variables[name] = value


def _general(node: Comprehension, compiler: Compiles) -> Run:
    over, initial, condition, result = map(compiler.compile, (node.range, node.initial, node.condition, node.result))
    step = _in_place(node, compiler) or compiler.compile(node.step)
    names = node.variable, node.second_variable, node.accumulator
    endless = isinstance(node.condition, Constant) and node.condition.value is True

    def run(frame: Frame) -> Any:
        variables = frame.variables
        before = tuple(variables.get(name, _ABSENT) for name in names)
        pairs, start = _pairs(node, over(frame)), initial(frame)
        try:
            variables[node.accumulator] = start
            for one, other in pairs:
                variables[node.variable] = one
                if node.second_variable:
                    variables[node.second_variable] = other
                frame.turn()
                if not endless and condition(frame) is not True:
                    break
                try:
                    variables[node.accumulator] = step(frame)
                except EvaluationError as error:
                    frame.spend(0)
                    if endless:
                        raise
                    variables[node.accumulator] = Failure(error)
            return result(frame)
        finally:
            _restore(variables, names, before)

    return run


def _in_place(node: Comprehension, compiler: Compiles) -> Run | None:
    """The step of `map`, `filter` and `transform*`, which add to a result that nobody else can see."""
    step, wanted = node.step, None
    if isinstance(step, Call) and step.function == "_?_:_" and _is_name(step.arguments[2], node.accumulator):
        wanted, step = compiler.compile(step.arguments[0]), step.arguments[1]
    if not isinstance(step, Call) or not step.arguments or not _is_name(step.arguments[0], node.accumulator):
        return None
    add = _adding(node, step, compiler)
    if add is None:
        return None

    def run(frame: Frame) -> Any:
        made = frame.variables[node.accumulator]
        if wanted is not None:
            chosen = wanted(frame)
            if chosen.__class__ is not bool:
                raise no_overload()
            if not chosen:
                frame.cost += 1
                return made
        frame.cost += 12
        add(frame, made)
        return made

    return run


def _adding(node: Comprehension, step: Call, compiler: Compiles) -> Callable[[Frame, Any], None] | None:
    if step.function == "_+_" and isinstance(node.initial, ListLiteral) and not node.initial.elements:
        added = step.arguments[1]
        if isinstance(added, ListLiteral) and len(added.elements) == 1 and not added.optional:
            element = compiler.compile(added.elements[0])
            return lambda frame, made: made.append(element(frame))
    if step.function == "cel.@mapInsert" and isinstance(node.initial, MapLiteral):
        parts = [compiler.compile(each) for each in step.arguments[1:]]
        return lambda frame, made: _insert(made, [part(frame) for part in parts])
    return None


def _insert(made: dict[Any, Any], parts: list[Any]) -> None:
    entries = [tuple(parts)] if len(parts) == 2 else parts[0].items()
    for key, value in entries:
        if key in made:
            raise EvaluationError(f"insert failed: key {key} already exists")
        made[key] = value
