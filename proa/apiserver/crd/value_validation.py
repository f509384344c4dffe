"""Whether a custom resource's values are what its schema says, in the very words in which kube-openapi refuses them.

A schema is compiled to one function. On an update, a value that has not changed is tolerated though it is invalid (ratcheting): fields of
objects, values of maps and elements of lists of type map are compared with what they were; other lists only as a whole.
"""

from collections.abc import Callable, Sequence
from typing import Any

from proa.api.errors import Cause, go_value, too_long
from proa.apiserver.crd.formats import find_format
from proa.apiserver.crd.go_text import go_number
from proa.apiserver.crd.patterns import compile_pattern
from proa.apiserver.crd.pruning import Schema

ABSENT: Any = object()
"""As an old value: there was none, or it can't be told which one it was."""

Check = Callable[[Any, str, Any, list[Cause]], None]
"""(value, path, old value, where causes go)."""


def compile_validation(schema: Schema) -> Callable[[Any, Any], list[Cause]]:
    """A function from (object, old object or ABSENT) to what is wrong."""
    check = _compile(schema)

    def validate(obj: Any, old: Any) -> list[Cause]:
        causes: list[Cause] = []
        try:
            check(obj, "", old, causes)
        except RecursionError:
            return [Cause("", "Invalid value: the object is nested too deeply")]
        return causes

    return validate


def type_name(value: Any) -> str:
    """How kube-openapi names the type of a value."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object", list: "array"}
    return names.get(value.__class__, "null")


def fault(path: str, value: Any, text: str) -> Cause:
    return Cause(path, f"Invalid value: {go_value(value)}: {path} in body {text}")


def wrong_type(path: str, wanted: str, shown: str) -> Cause:
    """`shown` is the value's type, or for a format the value."""
    quoted = go_value(shown)
    return Cause(path, f"Invalid value: {quoted}: {path} in body must be of type {wanted}: {quoted}", "FieldValueTypeInvalid")


def _has_type(kind: str) -> Callable[[Any], bool]:
    if kind == "integer":
        return lambda value: value.__class__ is int or (value.__class__ is float and value.is_integer())
    if kind == "number":
        return lambda value: value.__class__ is int or value.__class__ is float
    python = {"string": str, "boolean": bool, "object": dict, "array": list}.get(kind)
    return lambda value: value.__class__ is python


def _compile(schema: Schema) -> Check:
    int_or_string = bool(schema.get("x-kubernetes-int-or-string"))
    kind = "integer,string" if int_or_string else schema.get("type", "")
    nullable = bool(schema.get("nullable"))
    fits = (lambda value: value.__class__ is int or value.__class__ is str) if int_or_string else _has_type(kind) if kind else None
    checks = [*_combined(schema), *_value_checks(schema), *_array_checks(schema), *_enum_checks(schema), *_object_checks(schema)]
    enum = _enum_checks(schema)

    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value is None:
            if old is None:
                return
            if kind and not nullable:
                out.append(wrong_type(path, kind, "null"))
            for each in enum:
                each(None, path, old, out)
            return
        if old is not ABSENT and value == old and value.__class__ is old.__class__:
            return
        if fits is not None and not fits(value):
            out.append(wrong_type(path, kind, type_name(value)))
        for each in checks:
            each(value, path, old, out)

    return check


def _value_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    if any(key in schema for key in ("maxLength", "minLength", "pattern")) or find_format(schema.get("format") or ""):
        checks.append(_text(schema))
    if any(key in schema for key in ("maximum", "minimum", "multipleOf")):
        checks.append(_number(schema))
    return checks


def _enum_checks(schema: Schema) -> list[Check]:
    return [_enum(schema["enum"])] if schema.get("enum") else []


def _enum(allowed: Sequence[Any]) -> Check:
    listed = ", ".join(go_value(each if isinstance(each, str) else go_value(each)) for each in allowed)

    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if not any(value == each and (value.__class__ is bool) == (each.__class__ is bool) for each in allowed):
            out.append(Cause(path, f"Unsupported value: {go_value(value)}: supported values: {listed}", "FieldValueNotSupported"))

    return check


def _text(schema: Schema) -> Check:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    occurs = compile_pattern(pattern) if pattern else None
    format_ = schema.get("format", "")
    well_formed = find_format(format_)

    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value.__class__ is not str:
            return
        if longest is not None and len(value) > longest:
            out.append(too_long(path, longest))
        if shortest is not None and len(value) < shortest:
            out.append(fault(path, value, f"should be at least {shortest} chars long"))
        if occurs is not None and not occurs(value):
            out.append(fault(path, value, f"should match '{pattern}'"))
        if well_formed is not None and not well_formed(value):
            out.append(wrong_type(path, format_, value))

    return check


def bound_text(value: Any, like: Any) -> str:
    """A bound beside a value: as an integer beside an integer."""
    return str(int(value)) if like.__class__ is int and float(value).is_integer() else go_number(value)


def _number(schema: Schema) -> Check:
    high, low, factor = schema.get("maximum"), schema.get("minimum"), schema.get("multipleOf")
    below, above = bool(schema.get("exclusiveMaximum")), bool(schema.get("exclusiveMinimum"))

    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value.__class__ is not int and value.__class__ is not float:
            return
        if factor and not _is_multiple(value, factor):
            out.append(fault(path, value, f"should be a multiple of {bound_text(factor, value)}"))
        if high is not None and (value > high or (below and value == high)):
            out.append(fault(path, value, f"should be less than {'' if below else 'or equal to '}{bound_text(high, value)}"))
        if low is not None and (value < low or (above and value == low)):
            out.append(fault(path, value, f"should be greater than {'' if above else 'or equal to '}{bound_text(low, value)}"))

    return check


def _is_multiple(value: Any, factor: Any) -> bool:
    if value.__class__ is int and factor.__class__ is int:
        return bool(value % factor == 0)
    return float(value / factor).is_integer()


def _object_checks(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if most is not None or least is not None:
        checks.append(_property_count(most, least))
    properties = {name: _compile(inner) for name, inner in (schema.get("properties") or {}).items()}
    additional = schema.get("additionalProperties")
    others = _compile(additional) if isinstance(additional, dict) else None
    required = tuple(schema.get("required") or ())
    if properties or others or required:
        checks.append(_members(properties, others, required))
    return checks


def _property_count(most: int | None, least: int | None) -> Check:
    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value.__class__ is not dict:
            return
        if least is not None and len(value) < least:
            out.append(fault(path, value, f"should have at least {least} properties"))
        if most is not None and len(value) > most:
            out.append(too_many(path, len(value), most))

    return check


def too_many(path: str, count: int, most: int) -> Cause:
    return Cause(path, f"Too many: {count}: must have at most {most} items", "FieldValueTooMany")


def _members(properties: dict[str, Check], others: Check | None, required: tuple[str, ...]) -> Check:
    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value.__class__ is not dict:
            return
        missing = [name for name in required if name not in value]
        out.extend(Cause(f"{path}.{name}" if path else name, "Required value", "FieldValueRequired") for name in missing)
        former = old if old.__class__ is dict else None
        for key, item in value.items():
            inner = properties.get(key, others)
            if inner is not None:
                before = ABSENT if former is None else former.get(key, ABSENT)
                inner(item, f"{path}.{key}" if path else key, before, out)

    return check


def _array_checks(schema: Schema) -> list[Check]:
    items = schema.get("items")
    item = _compile(items) if isinstance(items, dict) else None
    most, least = schema.get("maxItems"), schema.get("minItems")
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if schema.get("x-kubernetes-list-type") == "map" else ()
    if item is None and most is None and least is None:
        return []

    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if value.__class__ is not list:
            return
        if least is not None and len(value) < least:
            out.append(fault(path, value, f"should have at least {least} items"))
        if most is not None and len(value) > most:
            out.append(too_many(path, len(value), most))
        if item is not None:
            former = by_keys(old, keys) if keys and old.__class__ is list else {}
            for index, each in enumerate(value):
                before = former.get(identity_of(each, keys), ABSENT) if former else ABSENT
                item(each, f"{path}[{index}]", before, out)

    return [check]


def identity_of(item: Any, keys: tuple[str, ...]) -> str:
    return go_value([item.get(key) for key in keys]) if item.__class__ is dict else ""


def by_keys(items: list[Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """The elements of a list of type map by their keys."""
    return {identity_of(each, keys): each for each in items if each.__class__ is dict}


def _combined(schema: Schema) -> list[Check]:
    checks: list[Check] = []
    if all_of := schema.get("allOf"):
        checks.append(_all_of([_compile(each) for each in all_of]))
    if any_of := schema.get("anyOf"):
        checks.append(_some_of([_compile(each) for each in any_of], only_one=False))
    if one_of := schema.get("oneOf"):
        checks.append(_some_of([_compile(each) for each in one_of], only_one=True))
    if isinstance(schema.get("not"), dict):
        checks.append(_not(_compile(schema["not"])))
    return checks


def _composite(path: str, text: str) -> Cause:
    return Cause("<nil>", f'Invalid value: "": {go_value(path)} {text}')


def _faults(check: Check, value: Any, path: str, old: Any) -> list[Cause]:
    found: list[Cause] = []
    check(value, path, old, found)
    return found


def _all_of(checks: list[Check]) -> Check:
    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        # As upstream: what is unchanged inside of a changed value is judged again here.
        results = [_faults(each, value, path, ABSENT) for each in checks]
        for result in results:
            out.extend(result)
        passed = sum(not result for result in results)
        if passed < len(results):
            out.append(_composite(path, "must validate all the schemas (allOf)" + ("" if passed else ". None validated")))

    return check


def _some_of(checks: list[Check], *, only_one: bool) -> Check:
    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        results = [_faults(each, value, path, ABSENT) for each in checks]
        passed = sum(not result for result in results)
        if passed == 1 or (passed and not only_one):
            return
        if only_one:
            told = f"Found {passed} valid alternatives" if passed else "Found none valid"
            out.append(_composite(path, f"must validate one and only one schema (oneOf). {told}"))
        else:
            out.append(_composite(path, "must validate at least one schema (anyOf)"))
        if not passed:
            out.extend(sorted(results, key=len)[0])

    return check


def _not(inner: Check) -> Check:
    def check(value: Any, path: str, old: Any, out: list[Cause]) -> None:
        if not _faults(inner, value, path, ABSENT):
            out.append(_composite(path, "must not validate the schema (not)"))

    return check
