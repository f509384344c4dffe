"""What is wrong with admission policies and bindings: their expressions are compiled here, each against what it may name.

Source: pkg/apis/admissionregistration/validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from proa.api import meta
from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError
from proa.api.cel.schema_type import RESERVED
from proa.api.cel.types import BOOL, NULL, STRING, Type, list_of
from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain, path_segment, qualified_name
from proa.apiserver.admission.policy.scope import JSON_PATCH, OBJECT, Scope
from proa.apiserver.registry.kinds.admission_rules import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    OPERATIONS,
    REINVOCATION_POLICIES,
    check_conditions,
    check_expression,
    check_named_rule,
    choice,
)

ACTIONS = ("Audit", "Deny", "Warn")
REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
MOST_ANNOTATIONS, LONGEST_VALUE_EXPRESSION = 20, 5 * 1024
BOTH = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"  # noqa: E501
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_NOTHING = "validations or auditAnnotations must contain at least one item"
_CHANGING = tuple(each for each in OPERATIONS if each != "DELETE")


def validating_policy(obj: Object, *, conditions: bool) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    scope = Scope(params=spec.get("paramKind") is not None)
    yield from _policy(spec, conditions=conditions)
    variables, found = _variables(spec, scope)
    yield from found
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        yield required("spec.validations", _NOTHING)
        yield required("spec.auditAnnotations", _NOTHING)
    environment, quiet = scope.environment(variables), Scope(params=scope.params, authorizer=False).environment(variables)
    for index, validation in enumerate(spec.get("validations") or ()):
        yield from _validation(validation, f"spec.validations[{index}]", environment, quiet)
    yield from _annotations(obj, spec.get("auditAnnotations") or (), environment)


def mutating_policy(obj: Object, *, conditions: bool) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    scope = Scope(params=spec.get("paramKind") is not None, patches=True)
    yield from _policy(spec, conditions=conditions)
    yield from _operations(spec.get("matchConstraints") or {}, "spec.matchConstraints")
    variables, found = _variables(spec, scope)
    yield from found
    if not spec.get("mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, mutation in enumerate(spec.get("mutations") or ()):
        yield from _mutation(mutation, f"spec.mutations[{index}]", scope.environment(variables))
    yield from choice(spec.get("reinvocationPolicy"), "spec.reinvocationPolicy", REINVOCATION_POLICIES, needed=True)


def binding(spec: Object) -> Iterator[Cause]:
    """What both kinds have."""
    name = spec.get("policyName") or ""
    if not name:
        yield required("spec.policyName", "")
    yield from (invalid("spec.policyName", name, problem) for problem in (dns1123_subdomain(name) if name else ()))
    yield from _param_ref(spec.get("paramRef"), "spec.paramRef")
    if spec.get("matchResources") is not None:
        yield from _match(spec["matchResources"], "spec.matchResources")


def mutating_binding(spec: Object) -> Iterator[Cause]:
    yield from binding(spec)
    yield from _operations(spec.get("matchResources") or {}, "spec.matchResources")


def validating_binding(spec: Object) -> Iterator[Cause]:
    yield from binding(spec)
    actions, path = spec.get("validationActions") or (), "spec.validationActions"
    for index, action in enumerate(actions):
        if action not in ACTIONS:
            yield not_supported(f"{path}[{index}]", action, ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"{path}[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        yield invalid(path, list(actions), BOTH)
    if not actions:
        yield required(path, "at least one validation action is required")


def _policy(spec: Object, *, conditions: bool) -> Iterator[Cause]:
    yield from choice(spec.get("failurePolicy"), "spec.failurePolicy", FAILURE_POLICIES, needed=True)
    if spec.get("paramKind") is not None:
        yield from _param_kind(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints", "")
    else:
        yield from _match(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules", "")
    if conditions:
        environment = Scope(params=spec.get("paramKind") is not None).environment()
        yield from check_conditions(spec.get("matchConditions") or (), "spec.matchConditions", environment, BOOL)


def _param_kind(kind: Object, path: str) -> Iterator[Cause]:
    version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    if not version:
        yield required(f"{path}.apiVersion", "")
    elif version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    else:
        group, _, number = version.rpartition("/")
        if group and (problems := dns1123_subdomain(group)):
            yield invalid(f"{path}.apiVersion", group, ",".join(problems))
        if not number:
            yield invalid(f"{path}.apiVersion", version, "version must be specified")
        elif problems := dns1035_label(number):
            yield invalid(f"{path}.apiVersion", number, ",".join(problems))
    if not name:
        yield required(f"{path}.kind", "")
    elif problems := dns1035_label(name.lower()):
        yield invalid(f"{path}.kind", name, f"may have mixed case, but should otherwise match: {','.join(problems)}")


def _match(match: Object, path: str) -> Iterator[Cause]:
    yield from choice(match.get("matchPolicy"), f"{path}.matchPolicy", MATCH_POLICIES, needed=True)
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is None:
            yield required(f"{path}.{field}", "")
        else:
            yield from validate_label_selector(match[field], f"{path}.{field}")
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(field) or ()):
            yield from check_named_rule(rule, f"{path}.{field}[{index}]")


def _operations(match: Object, path: str) -> Iterator[Cause]:
    """What is deleted can't be changed."""
    for rule in match.get("resourceRules") or ():
        for each in rule.get("operations") or ():
            if each not in _CHANGING:
                yield not_supported(f"{path}.resourceRules.operations", each, _CHANGING)


def _param_ref(reference: Object | None, path: str) -> Iterator[Cause]:
    if reference is None:
        return
    name, selector, action = reference.get("name") or "", reference.get("selector"), reference.get("parameterNotFoundAction")
    exclusive = "name and selector are mutually exclusive"
    if name:
        yield from (invalid(f"{path}.name", name, problem) for problem in path_segment(name))
        if selector is not None:
            yield forbidden(f"{path}.name", exclusive)
    if selector is not None:
        yield from validate_label_selector(selector, f"{path}.selector")
        if name:
            yield forbidden(f"{path}.selector", exclusive)
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    yield from choice(action, f"{path}.parameterNotFoundAction", ("Deny", "Allow"), needed=True)


def _variables(spec: Object, scope: Scope) -> tuple[Mapping[str, Type] | None, list[Cause]]:
    """(types of those that compile, None without any; what is wrong)."""
    declared = spec.get("variables") or ()
    types: dict[str, Type] = {}
    causes: list[Cause] = []
    for index, variable in enumerate(declared):
        path, name, source = f"spec.variables[{index}]", variable.get("name") or "", variable.get("expression") or ""
        if not name.strip():
            causes.append(required(f"{path}.name", "name is not specified"))
        elif _IDENTIFIER.fullmatch(name) is None or name in RESERVED:
            causes.append(invalid(f"{path}.name", name, "name is not a valid CEL identifier"))
        if not source.strip():
            causes.append(required(f"{path}.expression", "expression is not specified"))
            continue
        try:
            types[name] = scope.environment(types).compile(source).result
        except CompileError as error:
            causes.append(invalid(f"{path}.expression", source, str(error)))
    return (types if declared else None), causes


def _validation(validation: Object, path: str, environment: Environment, quiet: Environment) -> Iterator[Cause]:
    source, said, message = (validation.get(field) or "" for field in ("expression", "messageExpression", "message"))
    if not source.strip():
        yield required(f"{path}.expression", "expression is not specified")
    else:
        yield from check_expression(source, source, f"{path}.expression", environment, BOOL)
    if said and not said.strip():
        yield invalid(f"{path}.messageExpression", said, "must be non-empty if specified")
    elif said:
        yield from check_expression(said, said, f"{path}.messageExpression", quiet, STRING)
    if message and not message.strip():
        yield invalid(f"{path}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(f"{path}.message", message, "message must not contain line breaks")
    if validation.get("reason") is not None:
        yield from choice(validation["reason"], f"{path}.reason", REASONS)


def _annotations(obj: Object, annotations: Sequence[Object], environment: Environment) -> Iterator[Cause]:
    path, keys = "spec.auditAnnotations", set[str]()
    if len(annotations) > MOST_ANNOTATIONS:
        yield invalid(path, list(annotations), f"must not have more than {MOST_ANNOTATIONS} auditAnnotations")
    for index, annotation in enumerate(annotations):
        place, key, source = f"{path}[{index}]", annotation.get("key") or "", annotation.get("valueExpression") or ""
        name = meta.name(obj)
        if name:
            yield from (invalid(f"{place}.key", f"{name}/{key}", problem) for problem in qualified_name(f"{name}/{key}"))
        else:
            yield invalid(f"{place}.key", key, "requires metadata.name be non-empty")
        if not source.strip():
            yield required(f"{place}.valueExpression", "valueExpression is not specified")
        elif len(source.strip().encode()) > LONGEST_VALUE_EXPRESSION:
            yield required(f"{place}.valueExpression", f"must not exceed {LONGEST_VALUE_EXPRESSION} bytes in length")
        else:
            yield from check_expression(source.strip(), source, f"{place}.valueExpression", environment, STRING, NULL)
        if key in keys:
            yield duplicate(f"{place}.key", key)
        keys.add(key)


_PATCHES = {"ApplyConfiguration": ("applyConfiguration", OBJECT), "JSONPatch": ("jsonPatch", list_of(JSON_PATCH))}


def _mutation(mutation: Object, path: str, environment: Environment) -> Iterator[Cause]:
    kind = mutation.get("patchType") or ""
    yield from choice(kind, f"{path}.patchType", tuple(_PATCHES), needed=True)
    for other, (field, result) in _PATCHES.items():
        patch = mutation.get(field)
        if other != kind:
            if patch is not None and kind in _PATCHES:
                yield invalid(f"{path}.{field}", f"{{{field}}}", f"must not be specified when patchType is {kind}")
        elif patch is None:
            yield required(f"{path}.{field}", f"must be specified when patchType is {kind}")
        elif not (patch.get("expression") or "").strip():
            yield required(f"{path}.{field}.expression", "expression is not specified")
        else:
            source = patch["expression"]
            yield from check_expression(source, source, f"{path}.{field}.expression", environment, result)
