"""One ValidatingAdmissionPolicy, compiled: what it has against a request, given its parameters. Pure but for CEL.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating, validator.
"""

from __future__ import annotations

from typing import Any

from proa.api import meta
from proa.api.cel.types import BOOL, NULL, STRING
from proa.api.meta import Object
from proa.apiserver.admission.policy.expression import (
    Budget,
    Conditions,
    Expression,
    Failed,
    OutOfBudget,
    Variables,
    compile_variables,
    compiled,
    conditions_of,
)
from proa.apiserver.admission.policy.matching import Match, match_of
from proa.apiserver.admission.policy.scope import VARIABLES, Scope
from proa.lib.dataclass import dataclass

LONGEST_MESSAGE = 5 * 1024
LONGEST_ANNOTATION = 10 * 1024


@dataclass(frozen=True, slots=True)
class Validation:
    expression: Expression
    message: str
    said: Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """`index` of the validation."""

    message: str
    reason: str = "Invalid"
    index: int = 0


@dataclass(slots=True)
class Findings:
    """`denials` are refusals whatever the binding's actions say: audit annotations that failed."""

    failures: list[Failure]
    annotations: list[tuple[str, str]]
    denials: list[Failure]


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    match: Match
    conditions: Conditions
    variables: Variables
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    fails_open: bool
    param_kind: Object | None

    def evaluate(self, seen: dict[str, Any]) -> Findings:
        """Nothing where a match condition does not hold."""
        try:
            if self.conditions and not self.conditions.hold(seen):
                return Findings([], [], [])
            budget = Budget()
            seen = {**seen, VARIABLES: self.variables.values(seen, budget)}
            failures = [self._validate(index, each, seen, budget) for index, each in enumerate(self.validations)]
            annotations, denials = self._annotations(seen)
        except Failed as failed:
            return Findings([] if self.fails_open else [Failure(str(failed))], [], [])
        return Findings([each for each in failures if each is not None], annotations, denials)

    def _validate(self, index: int, validation: Validation, seen: dict[str, Any], budget: Budget) -> Failure | None:
        try:
            if validation.expression.evaluate(seen, budget) is True:
                return None
        except OutOfBudget:
            raise
        except Failed as failed:
            return None if self.fails_open else Failure(str(failed), index=index)
        try:
            return Failure(_message(validation, seen, budget), validation.reason, index)
        except OutOfBudget as failed:
            return None if self.fails_open else Failure(f"failed messageExpression: {failed}", index=index)

    def _annotations(self, seen: dict[str, Any]) -> tuple[list[tuple[str, str]], list[Failure]]:
        told, denials, budget = list[tuple[str, str]](), list[Failure](), Budget()
        for key, expression in self.annotations:
            try:
                value = expression.evaluate(seen, budget)
            except OutOfBudget:
                raise
            except Failed as failed:
                if not self.fails_open:
                    denials.append(Failure(str(failed)))
                continue
            if isinstance(value, str) and value.strip():
                told.append((key, value.strip()[:LONGEST_ANNOTATION]))
        return told, denials


def _message(validation: Validation, seen: dict[str, Any], budget: Budget) -> str:
    if validation.said is not None:
        try:
            said = validation.said.evaluate(seen, budget)
        except OutOfBudget:
            raise
        except Failed:
            said = None
        if isinstance(said, str) and (text := said.strip()) and "\n" not in text and len(text.encode()) <= LONGEST_MESSAGE:
            return text
    return validation.message or f"failed expression: {validation.expression.source.strip()}"


def policy_of(obj: Object) -> Policy:
    spec = obj.get("spec") or {}
    scope = Scope(params=spec.get("paramKind") is not None)
    variables = compile_variables(spec.get("variables") or (), scope)
    types = variables.types
    return Policy(
        name=meta.name(obj),
        match=match_of(spec.get("matchConstraints")),
        conditions=conditions_of(spec.get("matchConditions") or (), scope),
        variables=variables,
        validations=tuple(_validation(each, scope, types) for each in spec.get("validations") or ()),
        annotations=tuple(
            (each.get("key", ""), compiled(scope.environment(types), each.get("valueExpression", ""), STRING, NULL))
            for each in spec.get("auditAnnotations") or ()
        ),
        fails_open=spec.get("failurePolicy") == "Ignore",
        param_kind=spec.get("paramKind"),
    )


def _validation(declared: Object, scope: Scope, types: Any) -> Validation:
    said = declared.get("messageExpression")
    quiet = Scope(params=scope.params, authorizer=False)
    return Validation(
        compiled(scope.environment(types), declared.get("expression", ""), BOOL),
        (declared.get("message") or "").strip(),
        compiled(quiet.environment(types), said, STRING) if said else None,
        declared.get("reason") or "Invalid",
    )
