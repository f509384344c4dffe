"""Selectors on the client's side: the string form that lists and watches carry, and the LabelSelector that objects hold.

Controllers match thousands of objects against one selector, so a selector is compiled once to a predicate over labels.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from proa.api.meta import Object

Labels = Mapping[str, str]
LabelPredicate = Callable[[Labels], bool]

_REQUIREMENT = re.compile(r"\s*(?P<key>[^\s=!,()]+)\s*(?:(?P<op>==|=|!=|\s+in\s*|\s+notin\s*)\s*(?P<value>\([^)]*\)|[^,()]*))?\s*$")


def everything(labels: Labels) -> bool:
    return True


def nothing(labels: Labels) -> bool:
    return False


def label_selector(selector: Object | None) -> LabelPredicate:
    """The predicate of a metav1.LabelSelector: None selects nothing, an empty one everything."""
    if selector is None:
        return nothing
    equal = tuple((selector.get("matchLabels") or {}).items())
    expressions = [
        _requirement(each["key"], each["operator"], frozenset(each.get("values") or ())) for each in selector.get("matchExpressions") or ()
    ]
    if not equal and not expressions:
        return everything
    return lambda labels: all(labels.get(key) == value for key, value in equal) and all(matches(labels) for matches in expressions)


def set_selector(selector: Labels | None) -> LabelPredicate:
    """The predicate of a plain map (Services): empty or None selects nothing."""
    wanted = tuple((selector or {}).items())
    return (lambda labels: all(labels.get(key) == value for key, value in wanted)) if wanted else nothing


def parse_label_selector(text: str) -> LabelPredicate:
    """The predicate of `a=b,c!=d,e in (f,g),h,!i`; raises ValueError."""
    requirements = [_parse_requirement(each) for each in _split(text)]
    return (lambda labels: all(matches(labels) for matches in requirements)) if requirements else everything


def parse_field_selector(text: str) -> Callable[[Object], bool]:
    """The predicate of `metadata.name=x,spec.nodeName!=y` on any path of an object; raises ValueError."""
    requirements = []
    for each in _split(text):
        path, operator, value = re.split(r"(!=|==|=)", each, maxsplit=1) if "=" in each else (each, "", "")
        if not operator:
            raise ValueError(f"invalid field selector: {each!r}")
        requirements.append((path.strip().split("."), operator == "!=", value.strip()))
    return lambda obj: all((_field(obj, path) == value) != negated for path, negated, value in requirements)


def format_labels(selector: Labels) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(selector.items()))


def _requirement(key: str, operator: str, values: frozenset[str]) -> LabelPredicate:
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
    raise ValueError(f'"{operator}" is not a valid label selector operator')


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _parse_requirement(text: str) -> LabelPredicate:
    if text.startswith("!"):
        return _requirement(text[1:].strip(), "DoesNotExist", frozenset())
    found = _REQUIREMENT.match(text)
    if found is None:
        raise ValueError(f"unable to parse requirement: {text!r}")
    operator = (found["op"] or "").strip()
    value = (found["value"] or "").strip()
    if not operator:
        return _requirement(found["key"], "Exists", frozenset())
    values = frozenset(part.strip() for part in value.strip("()").split(","))
    return _requirement(found["key"], "In" if operator in ("=", "==", "in") else "NotIn", values)


def _field(obj: Object, path: list[str]) -> str:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
