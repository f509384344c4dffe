"""One ValidatingAdmissionPolicy, compiled: what it has against a request, given its parameters. Pure but for CEL."""

from dataclasses import dataclass
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.admission.policy.expression import Condition, Expression, conditions_of
from proa.apiserver.admission.policy.matching import Match, match_of

CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


@dataclass(frozen=True, slots=True)
class Validation:
    expression: Expression
    message: str
    said: Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    message: str
    reason: str = "Invalid"


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    match: Match
    conditions: tuple[tuple[str, Condition], ...]
    variables: tuple[tuple[str, Expression], ...]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]
    fails_open: bool
    param_kind: Object | None

    def evaluate(self, seen: dict[str, Any]) -> tuple[list[Failure], dict[str, str]]:
        """(what is wrong, audit annotations); nothing where a match condition does not hold."""
        holds = self._holds(seen)
        if not isinstance(holds, bool):
            return ([] if self.fails_open else [holds]), {}
        if not holds:
            return [], {}
        seen = {**seen, "variables": self._variables(seen)}
        found = (self._validate(validation, seen) for validation in self.validations)
        return [failure for failure in found if failure is not None], self._annotations(seen)

    def _holds(self, seen: dict[str, Any]) -> bool | Failure:
        """A condition that does not hold outweighs one that fails."""
        failure: Failure | None = None
        for name, condition in self.conditions:
            try:
                if not condition(seen):
                    return False
            except ValueError as error:
                failure = failure or Failure(f"matchCondition '{name}' resulted in error: {error}")
        return failure or True

    def _variables(self, seen: dict[str, Any]) -> dict[str, Any]:
        """Each sees those before it. One that fails is absent, so that only who reads it fails."""
        values: dict[str, Any] = {}
        for name, expression in self.variables:
            try:
                values[name] = expression({**seen, "variables": values})
            except ValueError:
                continue
        return values

    def _validate(self, validation: Validation, seen: dict[str, Any]) -> Failure | None:
        try:
            holds = validation.expression(seen)
        except ValueError as error:
            return None if self.fails_open else Failure(f"expression '{validation.expression.source}' resulted in error: {error}")
        return None if holds is True else Failure(_message(validation, seen), validation.reason)

    def _annotations(self, seen: dict[str, Any]) -> dict[str, str]:
        told = {}
        for key, expression in self.annotations:
            try:
                value = expression(seen)
            except ValueError:
                continue
            if isinstance(value, str) and value.strip():
                told[f"{self.name}/{key}"] = value.strip()
        return told


def _message(validation: Validation, seen: dict[str, Any]) -> str:
    if validation.said is not None:
        try:
            said = validation.said(seen)
        except ValueError:
            said = None
        if isinstance(said, str) and said.strip() and "\n" not in said.strip() and len(said) <= 5 * 1024:
            return said.strip()
    return validation.message or f"failed expression: {validation.expression.source}"


def policy_of(obj: Object) -> Policy:
    """Raises CompileError."""
    spec = obj.get("spec") or {}
    return Policy(
        name=meta.name(obj),
        match=match_of(spec.get("matchConstraints")),
        conditions=conditions_of(spec.get("matchConditions") or ()),
        variables=tuple((each.get("name", ""), Expression(each.get("expression", ""))) for each in spec.get("variables") or ()),
        validations=tuple(_validation(each) for each in spec.get("validations") or ()),
        annotations=tuple(
            (each.get("key", ""), Expression(each.get("valueExpression", ""))) for each in spec.get("auditAnnotations") or ()
        ),
        fails_open=spec.get("failurePolicy") == "Ignore",
        param_kind=spec.get("paramKind"),
    )


def _validation(declared: Object) -> Validation:
    said = declared.get("messageExpression")
    return Validation(
        Expression(declared.get("expression", ""), "BOOL"),
        (declared.get("message") or "").strip(),
        Expression(said, "STRING") if said else None,
        declared.get("reason") or "Invalid",
    )
