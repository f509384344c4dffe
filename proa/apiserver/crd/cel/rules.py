"""CEL rules of schemas (x-kubernetes-validations): compiled when a definition is created, evaluated where the values lie that they guard.

A rule that reads `oldSelf` holds for transitions only: it is skipped where there is no former value, unless it takes `oldSelf` as an
optional. Rules that fail on a value that has not changed are tolerated. Source: "Validation rules" in the Kubernetes documentation.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from proa.api.cel.cost import STATIC_LIMIT, STATIC_TOTAL, over_budget
from proa.api.cel.environment import Program
from proa.api.cel.errors import CompileError
from proa.api.cel.types import BOOL, STRING
from proa.api.cel.values import NOTHING, Optional
from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.apiserver.crd.cel.environment import Scope, scope_of
from proa.apiserver.crd.list_types import children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.value_validation import ABSENT, by_keys, identity_of

RULES = "x-kubernetes-validations"
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
BLOCKING = ("FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
UNCHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_OLD_SELF = re.compile(r"\boldSelf\b")

Visit = Callable[[Any, str, Any, list[Cause]], None]


class Rule:
    """One rule, compiled in the scope of the schema that it stands in."""

    def __init__(self, declared: Object, kind: str, scope: Scope) -> None:
        """Raises CompileError."""
        self.text = declared["rule"].strip()
        self.kind = kind
        self.message = (declared.get("message") or "").strip() or f"failed rule: {self.text}"
        self.reason = declared.get("reason") or "FieldValueInvalid"
        self.field_path = (declared.get("fieldPath") or "").strip()
        self.transition = uses_old_self(self.text)
        self.optional = bool(declared.get("optionalOldSelf"))
        environment = scope.environment(optional_old=self.optional)
        self.program: Program = environment.compile(self.text, BOOL)
        said = (declared.get("messageExpression") or "").strip()
        self.said = environment.compile(said, STRING) if said else None

    def check(self, value: Any, old: Any, path: str) -> Cause | None:
        """`value` and `old` as rules see them; old ABSENT where there is none."""
        if self.transition and old is ABSENT and not self.optional:
            return None
        former = (NOTHING if old is ABSENT else Optional(old)) if self.optional else None if old is ABSENT else old
        variables = {"self": value, "oldSelf": former}
        try:
            if self.program.evaluate(variables) is True:
                return None
        except ValueError as error:
            return invalid(path or "<nil>", self.kind, self._failure(str(error)))
        return self._refusal(f"{path}{self.field_path}".lstrip("."), self._message(variables))

    def _failure(self, error: str) -> str:
        if error.startswith("no such overload"):
            why = "call arguments did not match a supported operator, function or macro signature for rule"
            return f"'{error}': {why}: {self.text}"
        if error.startswith("operation cancelled: actual cost limit exceeded"):
            return f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {self.text}"
        return f"{error} evaluating rule: {self.message}"

    def _message(self, variables: dict[str, Any]) -> str:
        if self.said is None:
            return self.message
        try:
            said = self.said.evaluate(variables)
        except ValueError:
            return self.message
        usable = isinstance(said, str) and said.strip() and "\n" not in said and len(said) <= 5 * 1024
        return said.strip() if usable else self.message

    def _refusal(self, path: str, text: str) -> Cause:
        path = path or "<nil>"
        if self.reason == "FieldValueForbidden":
            return forbidden(path, text)
        if self.reason == "FieldValueRequired":
            return required(path, text)
        if self.reason == "FieldValueDuplicate":
            return duplicate(path, self.kind)
        return invalid(path, self.kind, text)


class Rules:
    """All rules of one schema."""

    def __init__(self, schema: Schema) -> None:
        visit = _compile(schema, root=True)
        assert visit is not None, "only schemas with rules are compiled"
        self._visit = visit

    def validate(self, obj: Object, old: Object | None, *, blocked: list[Cause]) -> list[Cause]:
        """What the rules refuse; nothing is asked of an object whose shape is wrong."""
        if any(cause.reason in BLOCKING for cause in blocked):
            return [Cause("<nil>", f"Invalid value: null: {UNCHECKED}")]
        causes: list[Cause] = []
        self._visit(obj, "", ABSENT if old is None else old, causes)
        return causes


def compile_rules(schema: Schema) -> Rules | None:
    """None where there are none. Raises CompileError."""
    return Rules(schema) if has_rules(schema) else None


def has_rules(schema: Schema) -> bool:
    return bool(schema.get(RULES)) or any(map(has_rules, children(schema)))


def uses_old_self(text: str) -> bool:
    return _OLD_SELF.search(_STRINGS.sub('""', text)) is not None


def _compile(schema: Schema, *, root: bool = False) -> Visit | None:
    kind = schema.get("type") or ""
    scope = scope_of(schema, root=root)
    rules = [Rule(each, kind, scope) for each in schema.get(RULES) or ()]
    properties = {name: made for name, inner in (schema.get("properties") or {}).items() if (made := _compile(inner))}
    additional, items = schema.get("additionalProperties"), schema.get("items")
    others = _compile(additional) if isinstance(additional, dict) else None
    element = _compile(items) if isinstance(items, dict) else None
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if schema.get("x-kubernetes-list-type") == "map" else ()
    if not (rules or properties or others or element):
        return None

    def visit(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value is None:
            return
        if rules:
            out.extend(_checked(rules, scope, value, old, path))
        if value.__class__ is dict:
            former = old if old.__class__ is dict else {}
            for key, item in value.items():
                inner = properties.get(key, others)
                if inner is not None:
                    inner(item, f"{path}.{key}" if path else key, former.get(key, ABSENT), out)
        elif value.__class__ is list and element is not None:
            before = by_keys(old, keys) if keys and old.__class__ is list else {}
            for index, item in enumerate(value):
                element(item, f"{path}[{index}]", before.get(identity_of(item, keys), ABSENT), out)

    return visit


def _checked(rules: list[Rule], scope: Scope, value: Any, old: Any, path: str) -> Iterator[Cause]:
    unchanged = old is not ABSENT and value == old
    now, before = scope.seen(value), ABSENT if old is ABSENT else scope.seen(old)
    for rule in rules:
        if unchanged and not rule.transition:
            continue
        if (cause := rule.check(now, before, path)) is not None:
            yield cause


def validate_rules(schema: Schema, path: str) -> list[Cause]:
    """What is wrong with the rules themselves, and with what all of them together may cost."""
    costs: list[tuple[int, str]] = []
    causes = _validate(schema, path, costs, correlated=True, root=True, times=1)
    total = sum(cost for cost, _ in costs)
    if total > STATIC_TOTAL:
        contributed = "contributed to estimated rule & messageExpression cost total exceeding cost limit for entire OpenAPIv3 schema"
        expensive = sorted(costs, key=lambda each: -each[0])[:4]
        causes += [forbidden(place, contributed) for cost, place in expensive if cost > STATIC_TOTAL // 100]
        name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        causes.append(forbidden(path, over_budget(name, total, STATIC_TOTAL)))
    return causes


def _validate(schema: Schema, path: str, costs: list[tuple[int, str]], *, correlated: bool, root: bool, times: int) -> list[Cause]:
    """`correlated` tells whether former values can be found at this place, `times` how often it can occur in one object."""
    causes: list[Cause] = []
    scope = scope_of(schema, root=root)
    for index, declared in enumerate(schema.get(RULES) or ()):
        own = f"{path}.{RULES}[{index}]"
        causes += _form(declared, own) or _meaning(declared, schema, own, path, scope, costs, correlated=correlated, times=times)
    granular = schema.get("x-kubernetes-map-type") != "atomic"
    for name, inner in (schema.get("properties") or {}).items():
        place = f"{path}.properties[{name}]"
        causes += _validate(inner, place, costs, correlated=correlated and granular, root=False, times=times)
    many = times * scope.elements
    if isinstance(schema.get("additionalProperties"), dict):
        inner = schema["additionalProperties"]
        causes += _validate(inner, f"{path}.additionalProperties", costs, correlated=correlated, root=False, times=many)
    if isinstance(schema.get("items"), dict):
        by_key = schema.get("x-kubernetes-list-type") == "map"
        causes += _validate(schema["items"], f"{path}.items", costs, correlated=correlated and by_key, root=False, times=many)
    return causes


def _form(declared: Object, path: str) -> list[Cause]:
    rule, message = declared.get("rule") or "", declared.get("message") or ""
    if not rule.strip():
        return [required(f"{path}.rule", "rule is not specified")]
    if message and not message.strip():
        return [invalid(f"{path}.message", message, "must be non-empty if specified")]
    if "\n" in message.strip():
        return [invalid(f"{path}.message", message, "must not contain line breaks")]
    if "\n" in rule.strip() and not message.strip():
        return [required(f"{path}.message", "message must be specified if rule contains line breaks")]
    if declared.get("messageExpression") and not declared["messageExpression"].strip():
        return [required(f"{path}.messageExpression", "messageExpression must be non-empty if specified")]
    reason = declared.get("reason")
    return [not_supported(f"{path}.reason", reason, REASONS)] if reason is not None and reason not in REASONS else []


def _meaning(
    declared: Object, schema: Schema, path: str, place: str, scope: Scope, costs: list[tuple[int, str]], *, correlated: bool, times: int
) -> list[Cause]:  # fmt: skip
    uses_old = uses_old_self(declared["rule"])
    causes: list[Cause] = []
    if declared.get("optionalOldSelf") is not None and not uses_old:
        value = declared["optionalOldSelf"]
        causes.append(invalid(f"{path}.optionalOldSelf", value, "may not be set if oldSelf is not used in rule"))
    if uses_old and not correlated:
        text = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.rpartition('.')[0]}"
        causes.append(invalid(f"{path}.rule", declared["rule"], text))
    field_path = declared.get("fieldPath")
    if field_path and not _reaches(schema, field_path):
        causes.append(invalid(f"{path}.fieldPath", field_path, "must be a valid path"))
    environment = scope.environment(optional_old=bool(declared.get("optionalOldSelf")))
    for field, name, result in (("rule", "rule", BOOL), ("messageExpression", "messageExpression", STRING)):
        source = (declared.get(field) or "").strip()
        if not source:
            continue
        try:
            program = environment.compile(source)
        except CompileError as error:
            return [*causes, invalid(f"{path}.{field}", declared, str(error))]
        if program.result is not result and program.result.kind != result.kind:
            what = "cel expression" if field == "rule" else "messageExpression"
            return [*causes, invalid(f"{path}.{field}", declared, f"{what} must evaluate to a {result.kind}")]
        cost = scope.estimate(program) * times
        costs.append((cost, f"{path}.{field}"))
        if cost > STATIC_LIMIT:
            causes.append(forbidden(f"{path}.{field}", over_budget(f"estimated {name} cost", cost, STATIC_LIMIT)))
    return causes


def _reaches(schema: Schema, path: str) -> bool:
    """Whether a JSONPath like .spec.ports['a'] names a place in the schema."""
    inner: Any = schema
    for match in re.finditer(r"\.([^.\[\]]+)|\['([^']*)'\]|\[\"([^\"]*)\"\]", path):
        name = match[1] or match[2] or match[3] or ""
        additional = inner.get("additionalProperties")
        inner = (inner.get("properties") or {}).get(name) or (additional if isinstance(additional, dict) else None)
        if inner is None:
            return False
    return path.startswith((".", "["))
