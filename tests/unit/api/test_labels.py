from typing import Any

import pytest

from proa.api.errors import BadRequest, Cause
from proa.api.labels import parse_selector, selector_from_object, selector_from_set, validate_label_selector, validate_labels


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        ("", {}, True),
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "api"}, False),
        ("app!=web", {}, True),
        ("app in (web, api)", {"app": "api"}, True),
        ("app in (web,api)", {}, False),
        ("app notin (web)", {}, True),
        ("app notin (web)", {"app": "web"}, False),
        ("x in (,a)", {"x": ""}, True),
        ("x in ()", {"x": ""}, True),
        ("app", {"app": ""}, True),
        ("!app", {"app": ""}, False),
        (" !app , tier = a ", {"tier": "a"}, True),
        ("cpus>4", {"cpus": "5"}, True),
        ("cpus<4", {"cpus": "five"}, False),
        ("app=", {"app": ""}, True),
        ("a=b,c", {"a": "b"}, False),
    ],
)
def test_text_selectors(text: str, labels: dict[str, str], selected: bool) -> None:
    assert parse_selector(text).matches(labels) is selected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x in a", "unable to parse requirement: found 'a' expected: '('"),
        ("x,,y", "found ',', expected: identifier after ','"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, >, <"),
        ("x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ("x=a=b", "found '=', expected: ',' or 'end of string'"),
    ],
)
def test_refuses_bad_selectors(text: str, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_selector(text)
    assert caught.value.message == message


def test_refuses_bad_keys_with_the_api_s_text() -> None:
    with pytest.raises(BadRequest, match=r'^unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of'):
        parse_selector("-x=1")


def test_prints_sorted_and_normalised() -> None:
    assert str(parse_selector("b notin (z,y), a=1,!c,d")) == "a=1,b notin (y,z),!c,d"


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        (None, {}, False),
        ({}, {"a": "b"}, True),
        ({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, {"a": "c"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True),
    ],
)
def test_object_selectors(selector: dict[str, Any] | None, labels: dict[str, str], selected: bool) -> None:
    assert selector_from_object(selector).matches(labels) is selected


def test_set_selector() -> None:
    assert str(selector_from_set({"b": "2", "a": "1"})) == "a=1,b=2"
    assert selector_from_set(None).matches({})


def test_validation_of_selectors() -> None:
    selector = {
        "matchExpressions": [
            {"key": "a", "operator": "In"},
            {"key": "a", "operator": "Exists", "values": ["x"]},
            {"key": "a", "operator": "Is"},
        ]
    }
    assert validate_label_selector(selector, "spec.selector") == [
        Cause(
            "spec.selector.matchExpressions[0].values",
            "Required value: must be specified when `operator` is 'In' or 'NotIn'",
            "FieldValueRequired",
        ),
        Cause(
            "spec.selector.matchExpressions[1].values",
            "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            "FieldValueForbidden",
        ),
        Cause("spec.selector.matchExpressions[2].operator", 'Invalid value: "Is": not a valid selector operator'),
    ]
    assert validate_labels({"ok": "fine"}, "metadata.labels") == []
    assert [cause.field for cause in validate_labels({"a b": "c d"}, "metadata.labels")] == ["metadata.labels", "metadata.labels"]
