"""Label selectors in both of their forms: the text of a query (`app=web,tier in (a,b),!legacy`) and the LabelSelector of an object.

A `Selector` is an immutable list of requirements that must all hold. Messages are those of apimachinery's labels package.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from proa.api.errors import BadRequest, Cause, forbidden, go_value, invalid, required
from proa.api.names import label_value, qualified_name
from proa.lib.dataclass import dataclass
from proa.lib.remembered import remembered

_token = re.compile(r"\s*(?:(!=|==|[=!<>(),])|([^\s=!<>(),]+))").match
_BINARY = ("in", "notin", "=", "==", "!=", ">", "<")
_integer = re.compile(r"[+-]?[0-9]+").fullmatch


@dataclass(frozen=True, slots=True)
class Requirement:
    """`operator` is one of =, ==, !=, in, notin, exists, !, gt, lt (`>`, `<`)."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        operator = self.operator
        present = labels.get(self.key)
        if operator in ("=", "==", "in"):
            return present is not None and present in self.values
        if operator in ("!=", "notin"):
            return present is None or present not in self.values
        if operator in ("exists", "!"):
            return (present is not None) == (operator == "exists")
        if present is None or not _integer(present):
            return False
        return int(present) > int(self.values[0]) if operator == ">" else int(present) < int(self.values[0])

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Matches what meets every requirement: everything if there is none, nothing if `nothing`."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def __bool__(self) -> bool:
        """Whether it restricts anything."""
        return self.nothing or bool(self.requirements)

    def matches(self, labels: Mapping[str, str]) -> bool:
        if self.nothing:
            return False
        for requirement in self.requirements:  # noqa: SIM110 - this loop is on the path of every watch event
            if not requirement.matches(labels):
                return False
        return True

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


@remembered(2048)
def parse_selector(text: str) -> Selector:
    """The selector that a `labelSelector` parameter says; raises BadRequest."""
    try:
        requirements = _Parser(text).parse()
    except _SyntaxError as error:
        raise BadRequest(str(error)) from None
    except ValueError as error:
        raise BadRequest(f"unable to parse requirement: {error}") from None
    return Selector(tuple(sorted(requirements, key=lambda each: each.key)))


class _SyntaxError(ValueError):
    """Something is wrong between requirements, not within one."""


@dataclass(slots=True)
class _Parser:
    text: str
    tokens: list[tuple[str, bool]] = field(default_factory=list)
    """(literal, is an identifier), closed by the empty symbol."""
    position: int = 0

    def parse(self) -> list[Requirement]:
        self._scan()
        found: list[Requirement] = []
        while True:
            literal, identifier = self._peek()
            if not identifier and literal == "":
                return found
            if not identifier and literal != "!":
                raise _SyntaxError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            literal, identifier = self._take()
            if identifier or literal not in ("", ","):
                raise _SyntaxError(f"found '{literal}', expected: ',' or 'end of string'")
            if literal == "":
                return found
            literal, identifier = self._peek()
            if not identifier and literal != "!":
                raise _SyntaxError(f"found '{literal}', expected: identifier after ','")

    def _scan(self) -> None:
        position = 0
        while match := _token(self.text, position):
            self.tokens.append((match[1] or match[2], match[2] is not None))
            position = match.end()
        self.tokens.append(("", False))

    def _peek(self) -> tuple[str, bool]:
        return self.tokens[min(self.position, len(self.tokens) - 1)]

    def _take(self) -> tuple[str, bool]:
        token = self._peek()
        self.position += 1
        return token

    def _requirement(self) -> Requirement:
        literal, identifier = self._take()
        negated = not identifier and literal == "!"
        if negated:
            literal, identifier = self._take()
        if not identifier:
            raise ValueError(f"found '{literal}', expected: identifier")
        key = literal
        if problems := qualified_name(key):
            raise ValueError(f"<nil>: Invalid value: {go_value(key)}: {'; '.join(problems)}")
        if self._peek() in (("", False), (",", False)):
            return Requirement(key, "!" if negated else "exists")
        return self._binary(key)

    def _binary(self, key: str) -> Requirement:
        operator, _ = self._take()
        if operator not in _BINARY:
            raise ValueError(f"found '{operator}', expected: {', '.join(_BINARY)}")
        values = self._values() if operator in ("in", "notin") else (self._value(),)
        return checked_requirement(key, operator, values)

    def _value(self) -> str:
        if self._peek() in (("", False), (",", False)):
            return ""
        literal, identifier = self._take()
        if not identifier:
            raise ValueError(f"found '{literal}', expected: identifier")
        return literal

    def _values(self) -> tuple[str, ...]:
        literal, identifier = self._take()
        if identifier or literal != "(":
            raise ValueError(f"found '{literal}' expected: '('")
        values: set[str] = set()
        expecting = True
        while True:
            literal, identifier = self._take()
            if identifier and expecting:
                values.add(literal)
                expecting = False
            elif not identifier and literal in (",", ")"):
                if expecting:
                    values.add("")
                if literal == ")":
                    return tuple(sorted(values))
                expecting = True
            else:
                wanted = "',', or identifier" if expecting else "',' or ')'"
                raise ValueError(f"found '{literal}', expected: {wanted}")


def checked_requirement(key: str, operator: str, values: Sequence[str]) -> Requirement:
    """A requirement whose values suit its operator; raises ValueError."""
    if operator in (">", "<") and not _integer(values[0]):
        raise ValueError(f"values[0]: Invalid value: {go_value(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer")
    for index, value in enumerate(values):
        if problems := label_value(value):
            raise ValueError(f"values[{index}][{key}]: Invalid value: {go_value(value)}: {'; '.join(problems)}")
    return Requirement(key, operator, tuple(values))


_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def selector_from_set(wanted: Mapping[str, str] | None) -> Selector:
    """The selector of a Service or ReplicationController: each pair must be there."""
    return Selector(tuple(Requirement(key, "=", (value,)) for key, value in sorted((wanted or {}).items())))


def selector_from_object(label_selector: Mapping[str, Any] | None) -> Selector:
    """The selector that a metav1.LabelSelector means: None selects nothing, {} everything. Raises ValueError for an unknown operator."""
    if label_selector is None:
        return NOTHING
    requirements = [Requirement(key, "=", (value,)) for key, value in (label_selector.get("matchLabels") or {}).items()]
    for expression in label_selector.get("matchExpressions") or ():
        operator = _OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise ValueError(f'"{expression.get("operator", "")}" is not a valid label selector operator')
        requirements.append(Requirement(expression.get("key", ""), operator, tuple(expression.get("values") or ())))
    return Selector(tuple(sorted(requirements, key=lambda each: each.key)))


def validate_labels(labels: Mapping[str, str], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for key, value in labels.items():
        causes += [invalid(path, key, problem) for problem in qualified_name(key)]
        causes += [invalid(path, value, problem) for problem in label_value(value)]
    return causes


def validate_label_selector(selector: Mapping[str, Any] | None, path: str) -> list[Cause]:
    """Causes as apimachinery's ValidateLabelSelector gives them."""
    if selector is None:
        return []
    causes = validate_labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        causes += _validate_expression(expression, f"{path}.matchExpressions[{index}]")
    return causes


def _validate_expression(expression: Mapping[str, Any], path: str) -> list[Cause]:
    causes: list[Cause] = []
    operator, values, key = expression.get("operator", ""), expression.get("values") or (), expression.get("key", "")
    if operator in ("In", "NotIn"):
        if not values:
            causes.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            causes.append(forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    else:
        causes.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    causes += [invalid(f"{path}.key", key, problem) for problem in qualified_name(key)]
    for index, value in enumerate(values):
        causes += [invalid(f"{path}.values[{index}]", value, problem) for problem in label_value(value)]
    return causes
