"""One MutatingAdmissionPolicy, compiled: how it changes an object, given its parameters. Pure but for CEL.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating and its patch package.
"""

from __future__ import annotations

from typing import Any

import orjson

from proa.api import meta
from proa.api.cel.json_value import NotJson, to_json
from proa.api.cel.types import list_of
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.api.patch import json_patch
from proa.api.patch.json_pointer_operations import FailedTest, reason_of
from proa.api.schema_node import SchemaNode
from proa.apiserver.admission.policy.apply_configuration import BadConfiguration, apply_configuration
from proa.apiserver.admission.policy.expression import (
    Budget,
    Conditions,
    Expression,
    Failed,
    Variables,
    compile_variables,
    compiled,
    conditions_of,
)
from proa.apiserver.admission.policy.matching import Match, match_of
from proa.apiserver.admission.policy.scope import JSON_PATCH, OBJECT, VARIABLES, Scope
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """`applies` tells an apply configuration from a JSON patch."""

    expression: Expression
    applies: bool

    def change(self, obj: Object, node: SchemaNode, seen: dict[str, Any]) -> Object:
        """The new object. Raises Failed."""
        made = self.expression.evaluate(seen, Budget())
        try:
            told = to_json(made)
        except NotJson as error:
            raise Failed(str(error)) from None
        return _applied(obj, told, node) if self.applies else _patched(obj, told)


def _applied(obj: Object, configuration: Object, node: SchemaNode) -> Object:
    try:
        return apply_configuration(obj, configuration, node)
    except BadConfiguration as error:
        raise Failed(f"error applying patch: {error}") from None


def _patched(obj: Object, operations: list[Object]) -> Object:
    """An object that fails a `test` of the patch stays as it is."""
    document = orjson.loads(orjson.dumps(obj))
    try:
        made: Object = json_patch(document, operations)
    except FailedTest:
        return obj
    except ApiError as error:
        raise Failed(f"JSONPath: {reason_of(error)}") from None
    return made


@dataclass(frozen=True, slots=True)
class MutatingPolicy:
    name: str
    match: Match
    conditions: Conditions
    variables: Variables
    mutations: tuple[Mutation, ...]
    fails_open: bool
    reinvocable: bool
    param_kind: Object | None

    def seen(self, seen: dict[str, Any]) -> dict[str, Any]:
        """With the policy's own variables."""
        return {**seen, VARIABLES: self.variables.values(seen, Budget())}


def mutating_policy_of(obj: Object) -> MutatingPolicy:
    spec = obj.get("spec") or {}
    scope = Scope(params=spec.get("paramKind") is not None, patches=True)
    variables = compile_variables(spec.get("variables") or (), scope)
    return MutatingPolicy(
        name=meta.name(obj),
        match=match_of(spec.get("matchConstraints")),
        conditions=conditions_of(spec.get("matchConditions") or (), Scope(params=scope.params)),
        variables=variables,
        mutations=tuple(_mutation(each, scope, variables) for each in spec.get("mutations") or ()),
        fails_open=spec.get("failurePolicy") == "Ignore",
        reinvocable=spec.get("reinvocationPolicy") == "IfNeeded",
        param_kind=spec.get("paramKind"),
    )


def _mutation(declared: Object, scope: Scope, variables: Variables) -> Mutation:
    applies = declared.get("patchType") == "ApplyConfiguration"
    source = (declared.get("applyConfiguration" if applies else "jsonPatch") or {}).get("expression", "")
    result = OBJECT if applies else list_of(JSON_PATCH)
    return Mutation(compiled(scope.environment(variables.types), source, result), applies)
