"""What is wrong with the CEL rules of a schema, before any object meets them."""

import re

from proa.api.cel.budget import STATIC_LIMIT, STATIC_TOTAL, over_budget
from proa.api.cel.environment import Environment
from proa.api.cel.errors import CompileError
from proa.api.cel.types import MAX_REQUEST
from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.apiserver.crd.cel.environment import Scope, scope_of
from proa.apiserver.crd.cel.expression import uses_old_self
from proa.apiserver.crd.cel.rules import RULES
from proa.apiserver.crd.field_path import BadFieldPath, resolve
from proa.apiserver.crd.pruning import Schema
from proa.lib.dataclass import dataclass

CONTRIBUTED = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_BREAKS = re.compile(r"[\n\r]")


def validate_forms(schema: Schema, path: str) -> list[Cause]:
    """Whether each rule of this very schema is a rule: texts, reason, path."""
    causes: list[Cause] = []
    for index, declared in enumerate(schema.get(RULES) or ()):
        own = f"{path}.{RULES}[{index}]"
        causes += _texts(declared, own)
        reason, place = declared.get("reason"), declared.get("fieldPath") or ""
        if reason is not None and reason not in REASONS:
            causes.append(not_supported(f"{own}.reason", reason, REASONS))
        if place:
            causes += _place(place, schema, f"{own}.fieldPath")
    return causes


def _texts(declared: Object, path: str) -> list[Cause]:
    rule, message, said = (declared.get(field) or "" for field in ("rule", "message", "messageExpression"))
    causes: list[Cause] = []
    if not rule.strip():
        causes.append(required(f"{path}.rule", "rule is not specified"))
    elif message and not message.strip():
        causes.append(invalid(f"{path}.message", message, "message must be non-empty if specified"))
    elif _BREAKS.search(message.strip()):
        causes.append(invalid(f"{path}.message", message, "message must not contain line breaks"))
    elif _BREAKS.search(rule.strip()) and not message.strip():
        causes.append(required(f"{path}.message", "message must be specified if rule contains line breaks"))
    if said and not said.strip():
        causes.append(required(f"{path}.messageExpression", "messageExpression must be non-empty if specified"))
    return causes


def _place(place: str, schema: Schema, path: str) -> list[Cause]:
    causes = [] if place.strip() else [invalid(path, place, "fieldPath must be non-empty if specified")]
    if _BREAKS.search(place):
        causes.append(invalid(path, place, "fieldPath must not contain line breaks"))
    try:
        resolve(place, schema)
    except BadFieldPath:
        causes.append(invalid(path, place, "fieldPath must be a valid path"))
    return causes


def validate_rules(schema: Schema, path: str) -> list[Cause]:
    """Whether rules compile, and what they may cost, each and all together."""
    costs: list[tuple[int, str]] = []
    causes = _validate(schema, path, costs, _Place())
    total = sum(cost for cost, _ in costs)
    if total > STATIC_TOTAL:
        expensive = sorted((each for each in costs if each[0] >= STATIC_TOTAL // 100), key=lambda each: -each[0])
        causes += [forbidden(place, CONTRIBUTED) for _, place in expensive[:4]]
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        causes.append(forbidden(path, over_budget(name, total, STATIC_TOTAL)))
    return causes


@dataclass(frozen=True, slots=True)
class _Place:
    """`uncorrelated`: the first place on the way whose former values can't be found again; `times`: how often one object can have this
    place, None where nothing bounds it."""

    uncorrelated: str = ""
    root: bool = True
    times: int | None = 1

    def below(self, *, uncorrelated: str = "", most: int | None = 1) -> "_Place":
        times = None if self.times is None or most is None else self.times * max(0, most)
        return _Place(self.uncorrelated or uncorrelated, False, times)


def _validate(schema: Schema, path: str, costs: list[tuple[int, str]], place: _Place) -> list[Cause]:
    causes: list[Cause] = []
    additional, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(additional, dict):
        causes += _validate(additional, f"{path}.additionalProperties", costs, place.below(most=schema.get("maxProperties")))
    atomic = path if schema.get("x-kubernetes-map-type") == "atomic" else ""
    for name, inner in (schema.get("properties") or {}).items():
        causes += _validate(inner, f"{path}.properties[{name}]", costs, place.below(uncorrelated=atomic))
    if isinstance(items, dict):
        unkeyed = "" if schema.get("x-kubernetes-list-type") == "map" else path
        causes += _validate(items, f"{path}.items", costs, place.below(uncorrelated=unkeyed, most=schema.get("maxItems")))
    scope = scope_of(schema, root=place.root)
    for index, declared in enumerate(schema.get(RULES) or ()):
        own = f"{path}.{RULES}[{index}]"
        causes += _rule(declared, own, scope, costs, place) + _message(declared, own, scope, costs)
        causes += _old_self(declared, own, place.uncorrelated)
    return causes


def _rule(declared: Object, path: str, scope: Scope, costs: list[tuple[int, str]], place: _Place) -> list[Cause]:
    own = f"{path}.rule"
    try:
        program = _environment(declared, scope).compile(declared["rule"].strip())
    except CompileError as error:
        return [invalid(own, declared, str(error))]
    if program.result.kind != "bool":
        return [invalid(own, declared, "cel expression must evaluate to a bool")]
    # Without a bound, a place can occur as often as its smallest value fits into a request.
    times = MAX_REQUEST // (scope.type.smallest + 1) if place.times is None else place.times
    cost = scope.estimate(program) * times
    costs.append((cost, own))
    return [forbidden(own, over_budget("estimated rule cost", cost, STATIC_LIMIT))] if cost > STATIC_LIMIT else []


def _message(declared: Object, path: str, scope: Scope, costs: list[tuple[int, str]]) -> list[Cause]:
    own, source = f"{path}.messageExpression", (declared.get("messageExpression") or "").strip()
    if not source:
        return []
    try:
        program = _environment(declared, scope).compile(source)
    except CompileError as error:
        return [invalid(own, declared, f"messageExpression {error}")]
    if program.result.kind != "string":
        return [invalid(own, declared, "messageExpression must evaluate to a string")]
    cost = scope.estimate(program)
    costs.append((cost, own))
    return [forbidden(own, over_budget("estimated messageExpression cost", cost, STATIC_LIMIT))] if cost > STATIC_LIMIT else []


def _environment(declared: Object, scope: Scope) -> Environment:
    return scope.environment(optional_old=bool(declared.get("optionalOldSelf")))


def _old_self(declared: Object, path: str, uncorrelated: str) -> list[Cause]:
    optional = declared.get("optionalOldSelf")
    if uses_old_self(declared["rule"]) or uses_old_self(declared.get("messageExpression") or ""):
        text = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {uncorrelated}"
        return [invalid(f"{path}.rule", declared["rule"], text)] if uncorrelated else []
    return [] if optional is None else [invalid(f"{path}.optionalOldSelf", optional, "may not be set if oldSelf is not used in rule")]
