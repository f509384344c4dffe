"""CEL rules of schemas (x-kubernetes-validations): compiled when a definition is created, evaluated where the values lie that they guard.

A rule that reads `oldSelf` holds for transitions only: it is skipped where there is no former value, unless it takes `oldSelf` as an
optional. Rules that fail on a value that has not changed are tolerated. Source: "Validation rules" in the Kubernetes documentation.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.apiserver.crd.cel.environment import OLD, OPTIONAL_OLD, CompileError, Unavailable, compile_expression, evaluate
from proa.apiserver.crd.cel.values import escaped, seen
from proa.apiserver.crd.list_types import children
from proa.apiserver.crd.pruning import Schema
from proa.apiserver.crd.value_validation import ABSENT, by_keys, identity_of

RULES = "x-kubernetes-validations"
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
BLOCKING = ("FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")
UNCHECKED = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
_OLD_SELF = re.compile(r"\boldSelf\b")
_SELECTION = re.compile(r"(?<![\w.])(?:self|oldSelf)((?:\.[A-Za-z_]\w*)+)(\s*\()?")

Visit = Callable[[Any, str, Any, list[Cause]], None]


class Rule:
    """One rule, compiled."""

    def __init__(self, declared: Object, kind: str) -> None:
        self.text = declared["rule"].strip()
        self.kind = kind
        self.message = (declared.get("message") or "").strip() or f"failed rule: {self.text}"
        self.reason = declared.get("reason") or "FieldValueInvalid"
        self.field_path = (declared.get("fieldPath") or "").strip()
        self.transition = uses_old_self(self.text)
        self.optional = bool(declared.get("optionalOldSelf"))
        self._expression = compile_expression(source_of(declared), "BOOL")
        said = (declared.get("messageExpression") or "").strip()
        self._said = compile_expression(OPTIONAL_OLD.format(said) if self.optional else said, "STRING") if said else None

    def check(self, value: Any, old: Any, path: str) -> Cause | None:
        """`value` and `old` as rules see them; old ABSENT where there is none."""
        if self.transition and old is ABSENT and not self.optional:
            return None
        variables = {"self": value, "oldSelf": None if old is ABSENT else old, OLD: [] if old is ABSENT else [old]}
        try:
            if evaluate(self._expression, variables):
                return None
        except ValueError as error:
            return invalid(path or "<nil>", self.kind, f"{error} evaluating rule: {self.message}")
        return self._refusal(f"{path}{self.field_path}".lstrip("."), self._message(variables))

    def _message(self, variables: dict[str, Any]) -> str:
        if self._said is None:
            return self.message
        try:
            said = evaluate(self._said, variables)
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
    """None where there are none. Raises CompileError, Unavailable."""
    return Rules(schema) if has_rules(schema) else None


def has_rules(schema: Schema) -> bool:
    return bool(schema.get(RULES)) or any(map(has_rules, children(schema)))


def uses_old_self(text: str) -> bool:
    return _OLD_SELF.search(_STRINGS.sub('""', text)) is not None


def source_of(declared: Object) -> str:
    rule: str = declared["rule"].strip()
    return OPTIONAL_OLD.format(rule) if declared.get("optionalOldSelf") else rule


def _compile(schema: Schema, *, root: bool = False) -> Visit | None:
    kind = schema.get("type") or ""
    rules = [Rule(each, kind) for each in schema.get(RULES) or ()]
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
            out.extend(_checked(rules, schema, value, old, path, root))
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


def _checked(rules: list[Rule], schema: Schema, value: Any, old: Any, path: str, root: bool) -> Iterator[Cause]:
    unchanged = old is not ABSENT and value == old
    now = seen(value, schema, root=root)
    before = ABSENT if old is ABSENT else seen(old, schema, root=root)
    for rule in rules:
        if unchanged and not rule.transition:
            continue
        if (cause := rule.check(now, before, path)) is not None:
            yield cause


def validate_rules(schema: Schema, path: str, *, correlated: bool = True, root: bool = True) -> list[Cause]:
    """What is wrong with the rules themselves. `correlated` tells whether former values can be found at this place."""
    causes: list[Cause] = []
    for index, declared in enumerate(schema.get(RULES) or ()):
        own = f"{path}.{RULES}[{index}]"
        causes += _form(declared, own) or _meaning(declared, schema, own, path, correlated=correlated, root=root)
    granular = schema.get("x-kubernetes-map-type") != "atomic"
    for name, inner in (schema.get("properties") or {}).items():
        causes += validate_rules(inner, f"{path}.properties[{name}]", correlated=correlated and granular, root=False)
    if isinstance(schema.get("additionalProperties"), dict):
        causes += validate_rules(schema["additionalProperties"], f"{path}.additionalProperties", correlated=correlated, root=False)
    if isinstance(schema.get("items"), dict):
        by_key = schema.get("x-kubernetes-list-type") == "map"
        causes += validate_rules(schema["items"], f"{path}.items", correlated=correlated and by_key, root=False)
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


def _meaning(declared: Object, schema: Schema, path: str, place: str, *, correlated: bool, root: bool) -> list[Cause]:
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
    for field in ("rule", "messageExpression"):
        if declared.get(field) and (stray := undefined_field(declared[field], schema, root=root)):
            text = f"compilation failed: ERROR: <input>:1:{stray[1] + 1}: undefined field '{stray[0]}'"
            return [*causes, invalid(f"{path}.{field}", declared, text)]
    try:
        Rule(declared, schema.get("type") or "")
    except CompileError as error:
        causes.append(invalid(f"{path}.rule", declared, str(error)))
    except Unavailable as error:
        causes.append(forbidden(path, f"rules can't be checked, as this server has no CEL runtime: {error}"))
    return causes


def undefined_field(text: str, schema: Schema, *, root: bool) -> tuple[str, int] | None:
    """The first field that is selected of self and that the schema does not have, with its place: the runtime takes any field of any map,
    so what the type checker would find is found here."""
    for match in _SELECTION.finditer(_STRINGS.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', text)):
        names = match[1][1:].split(".")
        if match[2]:
            names.pop()
        position, inner, resource = match.start(1), schema, root
        for name in names:
            properties = inner.get("properties") or {}
            known = {escaped(key): value for key, value in properties.items()}
            if resource or inner.get("x-kubernetes-embedded-resource"):
                known |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            if inner.get("type") != "object" or isinstance(inner.get("additionalProperties"), dict) or not (properties or resource):
                break
            if name not in known:
                return name, position
            inner, resource, position = known[name], False, position + len(name) + 1
    return None


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
