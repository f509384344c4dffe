"""From a checked expression to a function that evaluates it: one closure per node, made once.

Errors are exceptions. `&&`, `||` and loops made of them go on past an error, as another operand may decide without it (cel-spec,
"Logical Operators").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proa.api.cel.access import index, index_optional, select_optional
from proa.api.cel.checker import Checked
from proa.api.cel.collections import COLLECTION_OPERATORS
from proa.api.cel.errors import EvaluationError, no_overload
from proa.api.cel.frame import Failure, Frame
from proa.api.cel.functions import Function, Overload, fits
from proa.api.cel.loops import compile_comprehension
from proa.api.cel.reading import reader
from proa.api.cel.syntax import Call, Comprehension, Constant, Identifier, ListLiteral, MapLiteral, Node, Select
from proa.api.cel.types import DYN, Type
from proa.api.cel.values import Optional, StructValue, TypeValue

Run = Callable[[Frame], Any]
_SCALARS = frozenset({"int", "uint", "double", "bool", "null", "timestamp", "duration", "type"})


class Compiler:
    """Makes closures of one expression's nodes."""

    def __init__(self, checked: Checked, functions: Mapping[str, Function]) -> None:
        self.checked = checked
        self._functions = functions

    def type(self, node: Node) -> Type:
        return self.checked.types.get(node.id, DYN)

    def compile(self, node: Node) -> Run:
        if isinstance(node, Constant):
            value = node.value
            return lambda frame: value
        if isinstance(node, Identifier):
            return self._identifier(node)
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, ListLiteral):
            return self._list(node)
        if isinstance(node, MapLiteral):
            return self._map(node)
        assert isinstance(node, Comprehension)
        return compile_comprehension(node, self)

    def _identifier(self, node: Identifier) -> Run:
        if node.name.startswith("@"):
            return _accumulator(node.name)
        return self._name(node, self.checked.names.get(node.id, node.name))

    def _name(self, node: Node, name: str) -> Run:
        declared = self.type(node)
        if declared.kind == "type" and declared.parameters and name == str(declared.parameters[0]).partition("(")[0]:
            value = TypeValue(name)
            return lambda frame: value
        read = reader(declared)

        def run(frame: Frame) -> Any:
            frame.cost += 1
            try:
                found = frame.variables[name]
            except KeyError:
                raise EvaluationError(f"no such attribute(s): {name}") from None
            return found if read is None else read(found)

        return run

    def _select(self, node: Select) -> Run:
        if node.id in self.checked.names:
            return self._name(node, self.checked.names[node.id])
        of, operand, field, read = self.type(node.operand), self.compile(node.operand), node.field, None
        if of.kind == "object" and field in of.fields:
            known = of.fields[field]
            field, read = known.key, reader(known.type)
        if node.test_only:
            return _test(operand, field)
        if of.kind == "optional":
            return lambda frame: select_optional(operand(frame), field)

        def run(frame: Frame) -> Any:
            frame.cost += 1
            value = operand(frame)
            if not isinstance(value, dict):
                raise EvaluationError(f"no such key: {field}")
            try:
                found = value[field]
            except KeyError:
                raise EvaluationError(f"no such key: {field}") from None
            return found if read is None else read(found)

        return run

    def _list(self, node: ListLiteral) -> Run:
        parts, optional = [self.compile(each) for each in node.elements], node.optional

        def run(frame: Frame) -> Any:
            frame.cost += 10
            return [each(frame) for each in parts]

        def run_optional(frame: Frame) -> Any:
            values = run(frame)
            kept = (each.value if at in optional else each for at, each in enumerate(values) if at not in optional or each.present)
            return list(kept)

        return run_optional if optional else run

    def _map(self, node: MapLiteral) -> Run:
        """Objects are maps too, under the names that their fields have in JSON."""
        of, struct, cost = self.type(node), node.name.lstrip("."), 40 if node.name else 30
        parts: list[tuple[Run, Run, bool]] = []
        for entry in node.entries:
            key = self.compile(entry.key) if not isinstance(entry.key, str) else _constant(of, entry.key)
            parts.append((key, self.compile(entry.value), entry.optional))

        def run(frame: Frame) -> Any:
            frame.cost += cost
            made: dict[Any, Any] = StructValue(struct) if struct else {}
            for key, value, optional in parts:
                name, found = key(frame), value(frame)
                if name in made:
                    raise EvaluationError(f"duplicate key in map: {name}")
                if not optional:
                    made[name] = found
                elif found.present:
                    made[name] = found.value
            return made

        return run

    def _call(self, node: Call) -> Run:
        if node.id not in self.checked.names and node.function in _FORMS:
            arguments = [node.target] if node.target is not None else []
            return _FORMS[node.function](*map(self.compile, (*arguments, *node.arguments)))
        name = self.checked.names.get(node.id, node.function)
        targets = [node.target] if name == node.function and node.target is not None else []
        nodes = [*targets, *node.arguments]
        overloads, types = self.checked.overloads.get(node.id, ()), [self.type(each) for each in nodes]
        run = self._implementation(overloads, types)
        parts = [self.compile(each) for each in nodes]
        if name in COLLECTION_OPERATORS and (kind := next((each for each in types if each.collection), None)) is not None:
            run = COLLECTION_OPERATORS[name](kind)
        function = self._functions[name]
        return _calling(run, parts, None if all(each.kind in _SCALARS for each in types) else function.cost)

    def _implementation(self, overloads: tuple[Overload, ...], types: list[Type]) -> Callable[..., Any]:
        first = overloads[0].run
        certain = len(overloads) == 1 and all(each.kind not in ("dyn", "parameter", "error") for each in types)
        if certain or (all(each.run is first for each in overloads) and getattr(first, "checks", False)):
            return first

        def dispatch(*values: Any) -> Any:
            for each in overloads:
                if all(map(fits, each.parameters, values)):
                    return each.run(*values)
            raise no_overload()

        return dispatch


def _calling(run: Callable[..., Any], parts: list[Run], cost: Any) -> Run:
    if cost is None and len(parts) == 2:
        first, second = parts

        def binary(frame: Frame) -> Any:
            frame.cost += 1
            return run(first(frame), second(frame))

        return binary

    def call(frame: Frame) -> Any:
        values = [each(frame) for each in parts]
        result = run(*values)
        frame.spend(1 if cost is None else cost(values, result))
        return result

    return call


def _constant(of: Type, name: str) -> Run:
    key = of.fields[name].key if name in of.fields else name
    return lambda frame: key


def _accumulator(name: str) -> Run:
    def run(frame: Frame) -> Any:
        frame.cost += 1
        value = frame.variables[name]
        if value.__class__ is Failure:
            raise value.error
        return value

    return run


def _test(operand: Run, field: str) -> Run:
    def run(frame: Frame) -> bool:
        value = operand(frame)
        if value.__class__ is Optional:
            value = value.value
        return isinstance(value, dict) and field in value

    return run


def _boolean(run: Run, frame: Frame) -> Any:
    """True, False, or the error."""
    try:
        value = run(frame)
    except EvaluationError as error:
        frame.spend(0)
        return error
    return value if value.__class__ is bool else no_overload()


def _and(left: Run, right: Run) -> Run:
    def run(frame: Frame) -> bool:
        one = _boolean(left, frame)
        if one is False:
            return False
        other = _boolean(right, frame)
        if other is False:
            return False
        if one is True and other is True:
            return True
        raise one if one is not True else other

    return run


def _or(left: Run, right: Run) -> Run:
    def run(frame: Frame) -> bool:
        one = _boolean(left, frame)
        if one is True:
            return True
        other = _boolean(right, frame)
        if other is True:
            return True
        if one is False and other is False:
            return False
        raise one if one is not False else other

    return run


def _choose(condition: Run, one: Run, other: Run) -> Run:
    def run(frame: Frame) -> Any:
        decided = condition(frame)
        if decided is True:
            return one(frame)
        if decided is False:
            return other(frame)
        raise no_overload()

    return run


def _not(operand: Run) -> Run:
    def run(frame: Frame) -> bool:
        frame.cost += 1
        value = operand(frame)
        if value.__class__ is not bool:
            raise no_overload()
        return not value

    return run


def _lenient(operand: Run) -> Run:
    def run(frame: Frame) -> bool:
        frame.cost += 1
        return _boolean(operand, frame) is not False

    return run


def _or_value(optional: Run, default: Run) -> Run:
    def run(frame: Frame) -> Any:
        frame.cost += 1
        value = optional(frame)
        if value.__class__ is not Optional:
            raise no_overload()
        return value.value if value.present else default(frame)

    return run


def _or_other(optional: Run, other: Run) -> Run:
    def run(frame: Frame) -> Any:
        frame.cost += 1
        value = optional(frame)
        if value.__class__ is not Optional:
            raise no_overload()
        return value if value.present else other(frame)

    return run


def _indexing(access: Callable[[Any, Any], Any]) -> Callable[[Run, Run], Run]:
    def make(operand: Run, key: Run) -> Run:
        def run(frame: Frame) -> Any:
            frame.cost += 1
            return access(operand(frame), key(frame))

        return run

    return make


_FORMS: dict[str, Callable[..., Run]] = {
    "_&&_": _and, "_||_": _or, "_?_:_": _choose, "!_": _not, "@not_strictly_false": _lenient, "__not_strictly_false__": _lenient,
    "_[_]": _indexing(index), "_[?_]": _indexing(index_optional), "_?._": _indexing(select_optional), "orValue": _or_value, "or": _or_other,
}  # fmt: skip
