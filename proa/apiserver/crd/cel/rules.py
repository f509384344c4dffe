"""CEL rules of schemas (x-kubernetes-validations): evaluated where the values lie that they guard.

A rule that reads `oldSelf` holds for transitions only: it is skipped where there is no former value, unless it takes `oldSelf` as an
optional. Other rules that fail on a value that has not changed, or that lies in one that has not, are tolerated with a warning. All rules
of one object share a budget. Source: "Validation rules" and "Validation ratcheting" in the Kubernetes documentation.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from typing import Any

from proa.api.cel.environment import Program
from proa.api.cel.errors import CostExceeded
from proa.api.cel.frame import PER_CALL
from proa.api.cel.types import BOOL, STRING
from proa.api.cel.values import NOTHING, Optional
from proa.api.errors import Cause, forbidden, go_value, invalid, required
from proa.api.meta import Object
from proa.apiserver.crd.cel.environment import Scope, scope_of
from proa.apiserver.crd.cel.expression import uses_old_self
from proa.apiserver.crd.field_path import resolve
from proa.apiserver.crd.list_types import child_path, children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.value_validation import ABSENT, by_keys, identity_of
from proa.lib.dataclass import dataclass

RULES = "x-kubernetes-validations"
BLOCKING = ("FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
UNCHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
MESSAGE_LIMIT = 5 * 1024
BUDGET = 10_000_000
"""What all rules of one object may cost. Source: k8s.io/apiserver/pkg/apis/cel."""
SPENT = "failed due to running out of cost budget, no further validation rules will be run"


class _Exhausted(Exception):
    """The budget is spent; the cause of that is told already."""


@dataclass(slots=True)
class Findings:
    """What rules refuse, and what they would if it were new."""

    causes: list[Cause] = field(default_factory=list)
    tolerated: list[Cause] = field(default_factory=list)
    budget: int = BUDGET


Visit = Callable[[Any, str, Any, bool, Findings], None]
"""(value, path, old value, whether it lies in an unchanged value, where findings go)."""


class Rule:
    """One rule, compiled in the scope of the schema that it stands in. Raises CompileError."""

    def __init__(self, declared: Object, schema: Schema, scope: Scope) -> None:
        self.text = declared["rule"].strip()
        self.kind = schema.get("type") or ""
        self.named = (declared.get("message") or "").strip() or self.text
        self.message = (declared.get("message") or "").strip() or f"failed rule: {self.text}"
        self.reason = declared.get("reason") or "FieldValueInvalid"
        self.field_path = resolve(declared["fieldPath"], schema)[0] if declared.get("fieldPath") else ""
        said = (declared.get("messageExpression") or "").strip()
        self.transition = uses_old_self(self.text) or uses_old_self(said)
        self.optional = bool(declared.get("optionalOldSelf"))
        environment = scope.environment(optional_old=self.optional)
        self.program = environment.compile(self.text, BOOL)
        self.said = environment.compile(said, STRING) if said else None

    def check(self, value: Any, shown: Any, old: Any, path: str, *, settled: bool, out: Findings) -> None:
        """`shown` and `old` as rules see them; old ABSENT where there is none. Raises _Exhausted."""
        missing = old is ABSENT or old is None
        if self.transition and missing and not self.optional:
            return
        former = (NOTHING if missing else Optional(old)) if self.optional else None if missing else old
        variables = {"self": shown, "oldSelf": former}
        found = self._evaluated(self.program, variables, path, out, f"validation {SPENT}")
        if isinstance(found, CostExceeded):
            text = f"'{found}': no further validation rules will be run due to call cost exceeds limit for rule: {self.named}"
            self._end(path, text, out)
        if isinstance(found, ValueError):
            out.causes.append(invalid(path or "<nil>", self.kind, self._failure(str(found))))
        elif found is not True:
            refusal = self._refusal(value, f"{path}{self.field_path}".lstrip("."), self._message(variables, path, out))
            (out.tolerated if settled and not self.transition else out.causes).append(refusal)

    def _evaluated(self, program: Program, variables: dict[str, Any], path: str, out: Findings, spent: str) -> Any:
        found, cost = program.measured(variables, PER_CALL)
        if not isinstance(found, CostExceeded):
            if cost > out.budget:
                self._end(path, spent, out)
            out.budget -= cost
        return found

    def _end(self, path: str, text: str, out: Findings) -> None:
        out.causes.append(invalid(path or "<nil>", self.kind, text))
        raise _Exhausted

    def _failure(self, error: str) -> str:
        if error.startswith("no such overload"):
            why = "call arguments did not match a supported operator, function or macro signature for rule"
            return f"'{error}': {why}: {self.named}"
        return f"{error} evaluating rule: {self.named}"

    def _message(self, variables: dict[str, Any], path: str, out: Findings) -> str:
        if self.said is None:
            return self.message
        said = self._evaluated(self.said, variables, path, out, f"messageExpression evaluation {SPENT}")
        if isinstance(said, CostExceeded):
            text = f'no further validation rules will be run due to call cost exceeds limit for messageExpression: "{self.said.source}"'
            self._end(path, text, out)
        text = said.strip() if isinstance(said, str) else ""
        return text if text and "\n" not in text and len(text.encode()) <= MESSAGE_LIMIT else self.message

    def _refusal(self, value: Any, path: str, text: str) -> Cause:
        path = path or "<nil>"
        # Objects and lists are too long to be told.
        shown = "" if self.kind in ("object", "array") else f": {go_value(value)}"
        if self.reason == "FieldValueForbidden":
            return forbidden(path, text)
        if self.reason == "FieldValueRequired":
            return required(path, text)
        if self.reason == "FieldValueDuplicate":
            return Cause(path, f"Duplicate value{shown}", self.reason)
        return Cause(path, f"Invalid value{shown}: {text}")


class Rules:
    """All rules of one schema. `resource`: it is that of a whole resource."""

    def __init__(self, schema: Schema, *, resource: bool = True) -> None:
        visit = _compile(schema, resource=resource)
        assert visit is not None, "only schemas with rules are compiled"
        self._visit = visit

    def validate(self, obj: Object, old: Object | None, *, blocked: list[Cause]) -> Findings:
        """Nothing is asked of an object whose shape is wrong."""
        if any(cause.reason in BLOCKING for cause in blocked):
            return Findings([Cause("<nil>", f"Invalid value: null: {UNCHECKED}")])
        return self._found(obj, "", ABSENT if old is None else old)

    def validate_at(self, value: Any, path: str) -> list[Cause]:
        """Of a value that stands alone, as if it had been so before and as if it were new."""
        found = self._found(value, path, value)
        causes = found.causes + found.tolerated
        return causes or self._found(value, path, ABSENT).causes

    def _found(self, value: Any, path: str, old: Any) -> Findings:
        found = Findings()
        with suppress(_Exhausted):
            self._visit(value, path, old, False, found)
        return found


def compile_rules(schema: Schema, *, resource: bool = True) -> Rules | None:
    """None where there are none. Raises CompileError."""
    return Rules(schema, resource=resource) if has_rules(schema) else None


def has_rules(schema: Schema) -> bool:
    return bool(schema.get(RULES)) or any(map(has_rules, children(schema)))


def _compile(schema: Schema, *, resource: bool = False) -> Visit | None:
    scope = scope_of(schema, root=resource)
    rules = [Rule(each, schema, scope) for each in schema.get(RULES) or ()]
    properties = {name: made for name, inner in (schema.get("properties") or {}).items() if (made := _compile(inner))}
    additional, items = schema.get("additionalProperties"), schema.get("items")
    others = _compile(additional) if isinstance(additional, dict) else None
    element = _compile(items) if isinstance(items, dict) else None
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if schema.get("x-kubernetes-list-type") == "map" else ()
    if not (rules or properties or others or element):
        return None

    def visit(value: Any, path: str, old: Any, settled: bool, out: Findings) -> None:
        if value is None:
            return
        if old is not ABSENT:
            settled = value == old
        if rules:
            now, before = scope.seen(value), ABSENT if old is ABSENT else scope.seen(old)
            for rule in rules:
                rule.check(value, now, before, path, settled=settled, out=out)
        if value.__class__ is dict:
            former = old if old.__class__ is dict else {}
            for key, item in value.items():
                inner = properties.get(key, others)
                if inner is not None:
                    inner(item, child_path(schema, path, key), former.get(key, ABSENT), settled, out)
        elif value.__class__ is list and element is not None:
            earlier = by_keys(old, keys) if keys and old.__class__ is list else {}
            for index, item in enumerate(value):
                element(item, f"{path}[{index}]", earlier.get(identity_of(item, keys), ABSENT), settled, out)

    return visit
