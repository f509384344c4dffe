"""What webhook configurations and admission policies share: rules about resources, match conditions, selectors, expressions.

Source: pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import path_segment, qualified_name

if TYPE_CHECKING:
    from proa.api.cel.environment import Environment
    from proa.api.cel.types import Type

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
REINVOCATION_POLICIES = ("IfNeeded", "Never")
SCOPES = ("*", "Cluster", "Namespaced")
MOST_CONDITIONS = 64


def choice(value: str | None, path: str, allowed: Sequence[str], *, needed: bool = False) -> Iterator[Cause]:
    if value is None or (value == "" and needed):
        if needed:
            yield required(path, "")
    elif value not in allowed:
        yield not_supported(path, value, allowed)


def check_expression(source: str, shown: str, path: str, environment: Environment, *results: Type) -> Iterator[Cause]:
    """`shown` is the value that the cause tells."""
    from proa.api.cel.errors import CompileError

    try:
        environment.compile(source, *results)
    except CompileError as error:
        yield invalid(path, shown, str(error))


def check_conditions(conditions: Sequence[Object], path: str, environment: Environment, result: Type) -> Iterator[Cause]:
    names: set[str] = set()
    if len(conditions) > MOST_CONDITIONS:
        text = f"Too many: {len(conditions)}: must have at most {MOST_CONDITIONS} items"
        yield Cause(path, text, "FieldValueTooMany")
    for index, condition in enumerate(conditions):
        place, source, name = f"{path}[{index}]", (condition.get("expression") or "").strip(), condition.get("name") or ""
        if source:
            yield from check_expression(source, source, f"{place}.expression", environment, result)
        else:
            yield required(f"{place}.expression", "")
        if not name:
            yield required(f"{place}.name", "")
            continue
        yield from (invalid(f"{place}.name", name, problem) for problem in qualified_name(name))
        if name in names:
            yield duplicate(f"{place}.name", name)
        names.add(name)


def check_rule(rule: Object, path: str) -> Iterator[Cause]:
    """With operations."""
    asked = rule.get("operations") or ()
    if not asked:
        yield required(f"{path}.operations", "")
    if len(asked) > 1 and "*" in asked:
        yield invalid(f"{path}.operations", list(asked), "if '*' is present, must not specify other operations")
    for index, each in enumerate(asked):
        yield from choice(each, f"{path}.operations[{index}]", OPERATIONS)
    yield from _group_versions(rule, path)
    yield from _resources(rule.get("resources") or (), f"{path}.resources")
    yield from choice(rule.get("scope"), f"{path}.scope", SCOPES)


def _group_versions(rule: Object, path: str) -> Iterator[Cause]:
    for field, told in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        values = rule.get(field) or ()
        if not values:
            yield required(f"{path}.{field}", "")
        if len(values) > 1 and "*" in values:
            yield invalid(f"{path}.{field}", list(values), f"if '*' is present, must not specify other {told}")
    for index, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            yield required(f"{path}.apiVersions[{index}]", "")


def _resources(resources: Sequence[str], path: str) -> Iterator[Cause]:
    if not resources:
        yield required(path, "")
    whole: set[str] = set()
    everywhere: set[str] = set()
    plain = False
    for index, each in enumerate(resources):
        if not each:
            yield required(f"{path}[{index}]", "")
            continue
        plural, slash, subresource = each.partition("/")
        if not slash:
            plain = each != "*"
            continue
        if plural in whole:
            yield invalid(f"{path}[{index}]", each, f"if '{plural}/*' is present, must not specify {each}")
        if subresource in everywhere:
            yield invalid(f"{path}[{index}]", each, f"if '*/{subresource}' is present, must not specify {each}")
        if subresource == "*":
            whole.add(plural)
        if plural == "*":
            everywhere.add(subresource)
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(path, list(resources), "if '*/*' is present, must not specify other resources")
    if "*" in resources and plain:
        yield invalid(path, list(resources), "if '*' is present, must not specify other resources without subresources")


def check_named_rule(rule: Object, path: str) -> Iterator[Cause]:
    """Of a policy: may name objects."""
    names: set[str] = set()
    for index, name in enumerate(rule.get("resourceNames") or ()):
        yield from (invalid(f"{path}.resourceNames[{index}]", name, problem) for problem in path_segment(name))
        if name in names:
            yield duplicate(f"{path}.resourceNames[{index}]", name)
        names.add(name)
    yield from check_rule(rule, path)
