"""Types of every node of an expression, and what is wrong with it, in cel-go's words. Source: cel-go's checker and cel-spec.

A checked expression knows for each node its type and for each call the overloads that may run.
"""

from __future__ import annotations

from dataclasses import field

from proa.api.cel.declarations import TYPE_NAMES, Declarations
from proa.api.cel.errors import CompileError, located
from proa.api.cel.functions import Function, Overload
from proa.api.cel.syntax import Call, Comprehension, Constant, Identifier, ListLiteral, MapLiteral, Node, Parsed, Select
from proa.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    Bindings,
    Type,
    assignable,
    joined,
    list_of,
    map_of,
    optional_of,
    parameter,
    resolve,
    same,
    substitute,
    told,
    type_of,
)  # fmt: skip
from proa.api.cel.values import Uint
from proa.lib.dataclass import dataclass

_CONSTANTS = {type(None): NULL, bool: BOOL, int: INT, Uint: UINT, float: DOUBLE, str: STRING, bytes: BYTES}


@dataclass(slots=True)
class Checked:
    parsed: Parsed
    types: dict[int, Type]
    overloads: dict[int, tuple[Overload, ...]]
    names: dict[int, str]
    """Nodes that name a variable with a dotted name, a type, or a function in a name space."""

    @property
    def result(self) -> Type:
        return self.types[self.parsed.root.id]


def check(parsed: Parsed, declarations: Declarations) -> Checked:
    """Raises CompileError."""
    checker = _Checker(parsed, declarations)
    checker.check(parsed.root)
    if checker.issues:
        raise CompileError(f"compilation failed: {located(parsed.text, checker.issues)}")
    types = {number: substitute(each, checker.bindings, free_as=DYN) for number, each in checker.types.items()}
    return Checked(parsed, types, checker.overloads, checker.names)


@dataclass(slots=True)
class _Checker:
    parsed: Parsed
    declarations: Declarations
    types: dict[int, Type] = field(default_factory=dict)
    overloads: dict[int, tuple[Overload, ...]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    bindings: Bindings = field(default_factory=dict)
    scopes: list[dict[str, Type]] = field(default_factory=list)
    issues: list[tuple[int, str]] = field(default_factory=list)
    fresh: int = 0
    _mixed: bool = False
    """Within the arguments of format(), whose list may hold values of all types."""

    def check(self, node: Node) -> Type:
        if isinstance(node, Constant):
            found = _CONSTANTS[node.value.__class__]
        elif isinstance(node, Identifier):
            found = self._identifier(node)
        elif isinstance(node, Select):
            found = self._select(node)
        elif isinstance(node, Call):
            found = self._call(node)
        elif isinstance(node, ListLiteral):
            found = self._list(node)
        elif isinstance(node, MapLiteral):
            found = self._message(node) if node.name else self._map(node)
        else:
            found = self._comprehension(node)
        self.types[node.id] = found
        return found

    def _refuse(self, node: Node, message: str) -> Type:
        self.issues.append((self.parsed.positions.get(node.id, 0), message))
        return ERROR

    def _variable(self, name: str) -> Type | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return self.declarations.variables.get(name)

    def _named(self, node: Node, name: str) -> Type | None:
        found = self._variable(name)
        if found is None and name in TYPE_NAMES:
            found = type_of(TYPE_NAMES[name])
        if found is not None:
            self.names[node.id] = name
        return found

    def _shadowed(self, name: str) -> bool:
        """Whether the first part of a dotted name is a variable of a comprehension."""
        first = name.partition(".")[0]
        return any(first in scope for scope in self.scopes)

    def _identifier(self, node: Identifier) -> Type:
        found = self._named(node, node.name.lstrip("."))
        return found if found is not None else self._refuse(node, f"undeclared reference to '{node.name}' (in container '')")

    def _select(self, node: Select) -> Type:
        name = _qualified(node)
        if name is not None and not node.test_only and not self._shadowed(name):
            found = self._named(node, name)
            if found is not None:
                return found
        operand = self.check(node.operand)
        found = self._field(node, operand, node.field)
        return BOOL if node.test_only else found

    def _field(self, node: Node, operand: Type, name: str) -> Type:
        operand = resolve(operand, self.bindings)
        if operand.kind in ("dyn", "error"):
            return operand if operand.kind == "error" else DYN
        if operand.kind == "optional":
            return optional_of(self._field(node, operand.parameters[0], name))
        if operand.kind == "map":
            return operand.parameters[1]
        if operand.kind == "parameter":
            assignable(operand, DYN, self.bindings)
            return DYN
        if operand.kind != "object":
            return self._refuse(node, f"type '{operand}' does not support field selection")
        found = operand.fields.get(name)
        return found.type if found is not None else self._refuse(node, f"undefined field '{name}'")

    def _call(self, node: Call) -> Type:
        if node.function == "_?._":
            return self._optional_field(node)
        if node.target is not None:
            name = _qualified(node.target)
            qualified = f"{name}.{node.function}" if name is not None else ""
            if qualified and self.declarations.function(qualified) is not None:
                self.names[node.id] = qualified
                arguments = [self.check(each) for each in node.arguments]
                return self._resolve(node, self.declarations.functions[qualified], arguments, member=False)
            target = self.check(node.target)
            self._mixed, before = node.function == "format", self._mixed
            arguments = [target, *(self.check(each) for each in node.arguments)]
            self._mixed = before
            function = self.declarations.function(node.function)
            if function is None or not function.overloads:
                return self._refuse(node, f"undeclared reference to '{node.function}' (in container '')")
            return self._resolve(node, function, arguments, member=True)
        arguments = [self.check(each) for each in node.arguments]
        function = self.declarations.function(node.function)
        if function is None:
            return self._refuse(node, f"undeclared reference to '{node.function}' (in container '')")
        return self._resolve(node, function, arguments, member=False)

    def _optional_field(self, node: Call) -> Type:
        operand = resolve(self.check(node.arguments[0]), self.bindings)
        self.check(node.arguments[1])
        name = node.arguments[1]
        inner = operand.parameters[0] if operand.kind == "optional" else operand
        return optional_of(self._field(node, inner, str(name.value) if isinstance(name, Constant) else ""))

    def _resolve(self, node: Call, function: Function, arguments: list[Type], *, member: bool) -> Type:
        if any(resolve(each, self.bindings).kind == "error" for each in arguments):
            return ERROR
        possible: list[Overload] = []
        result: Type | None = None
        kept: Bindings | None = None
        for each in function.overloads:
            if each.member != member or len(each.parameters) != len(arguments):
                continue
            fresh = self._fresh(each)
            trial = dict(self.bindings)
            if not all(assignable(declared, given, trial) for declared, given in zip(fresh[0], arguments, strict=True)):
                continue
            possible.append(each)
            found = substitute(fresh[1], trial)
            if result is None:
                result, kept = found, trial
            elif not same(result, found):
                result = DYN
        if result is None or kept is None:
            shown = [substitute(each, self.bindings, free_as=DYN) for each in arguments]
            applied = f"{shown[0]}.({told(shown[1:])})" if member else f"({told(shown)})"
            return self._refuse(node, f"found no matching overload for '{function.name}' applied to '{applied}'")
        if len(possible) == 1:
            self.bindings = kept
        self.overloads[node.id] = tuple(possible)
        return result

    def _fresh(self, each: Overload) -> tuple[list[Type], Type]:
        """The overload with type parameters of its own."""
        self.fresh += 1
        renamed: Bindings = {}
        return [_renamed(one, self.fresh, renamed) for one in each.parameters], _renamed(each.result, self.fresh, renamed)

    def _list(self, node: ListLiteral) -> Type:
        element: Type | None = None
        mixed = self._mixed
        for index, each in enumerate(node.elements):
            self._mixed = False
            found = self.check(each)
            self._mixed = mixed
            if index in node.optional:
                found = self._unwrapped(each, found)
            element = found if element is None else self._homogeneous(each, element, found)
        self.fresh += 1
        return list_of(element if element is not None else parameter(f"element{self.fresh}"))

    def _unwrapped(self, node: Node, given: Type) -> Type:
        given = resolve(given, self.bindings)
        if given.kind == "optional":
            return given.parameters[0]
        if given.kind not in ("dyn", "error"):
            self._refuse(node, f"expected type 'optional_type({given})' but found '{given}'")
        return given

    def _homogeneous(self, node: Node, known: Type, given: Type) -> Type:
        result = joined(known, given, self.bindings)
        kinds = {resolve(known, self.bindings).kind, resolve(given, self.bindings).kind}
        if result.kind == "dyn" and not kinds & {"dyn", "error"} and not self._mixed:
            return self._refuse(node, f"expected type '{substitute(known, self.bindings)}' but found '{substitute(given, self.bindings)}'")
        return result

    def _map(self, node: MapLiteral) -> Type:
        key: Type | None = None
        value: Type | None = None
        for entry in node.entries:
            if isinstance(entry.key, str):
                continue
            one, other = self.check(entry.key), self.check(entry.value)
            if entry.optional:
                other = self._unwrapped(entry.value, other)
            key = one if key is None else self._homogeneous(entry.key, key, one)
            value = other if value is None else self._homogeneous(entry.value, value, other)
        self.fresh += 1
        return map_of(key or parameter(f"key{self.fresh}"), value or parameter(f"value{self.fresh}"))

    def _message(self, node: MapLiteral) -> Type:
        found = self.declarations.message(node.name.lstrip("."))
        if found is None:
            return self._refuse(node, f"undeclared reference to '{node.name}' (in container '')")
        for entry in node.entries:
            given = self.check(entry.value)
            if entry.optional:
                given = self._unwrapped(entry.value, given)
            known = found.fields.get(str(entry.key))
            if known is None:
                self.issues.append((self.parsed.positions.get(entry.id, 0), f"undefined field '{entry.key}'"))
            elif not assignable(known.type, given, self.bindings):
                text = f"expected type of field '{entry.key}' is '{known.type}' but provided type is '{given}'"
                self.issues.append((self.parsed.positions.get(entry.id, 0), text))
        return found

    def _comprehension(self, node: Comprehension) -> Type:
        over = resolve(self.check(node.range), self.bindings)
        initial = self.check(node.initial)
        first, second = self._iterated(node, over)
        self.scopes.append({node.accumulator: initial})
        variables = {node.variable: first} if not node.second_variable else {node.variable: first, node.second_variable: second}
        self.scopes.append(variables)
        condition = self.check(node.condition)
        if not assignable(BOOL, condition, self.bindings):
            self._refuse(node.condition, f"expected type 'bool' but found '{condition}'")
        step = self.check(node.step)
        if not assignable(initial, step, self.bindings) and step.kind != "error":
            self._refuse(node.step, f"expected type '{initial}' but found '{substitute(step, self.bindings, free_as=DYN)}'")
        self.scopes.pop()
        result = self.check(node.result)
        self.scopes.pop()
        return substitute(result, self.bindings)

    def _iterated(self, node: Comprehension, over: Type) -> tuple[Type, Type]:
        if over.kind == "list":
            return (INT, over.parameters[0]) if node.second_variable else (over.parameters[0], DYN)
        if over.kind == "map":
            return over.parameters[0], over.parameters[1]
        if over.kind not in ("dyn", "error", "parameter"):
            self._refuse(node.range, f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)")
            return ERROR, ERROR
        if over.kind == "parameter":
            assignable(over, DYN, self.bindings)
        return DYN, DYN


def _renamed(given: Type, number: int, renamed: Bindings) -> Type:
    if given.kind == "parameter":
        return renamed.setdefault(given.name, parameter(f"{given.name}{number}"))
    if not given.parameters:
        return given
    return Type(given.kind, given.name, tuple(_renamed(each, number, renamed) for each in given.parameters), given.fields)


def _qualified(node: Node) -> str | None:
    """`a.b.c` where nothing but names are selected."""
    if isinstance(node, Identifier):
        return node.name.lstrip(".")
    if isinstance(node, Select) and not node.test_only:
        inner = _qualified(node.operand)
        return f"{inner}.{node.field}" if inner is not None else None
    return None
