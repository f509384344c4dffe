"""Values against a schema: the complaints that the front-door tests do not reach, and the numbers and patterns in them."""

import time
from typing import Any

import pytest

from proa.apiserver.crd.patterns import BadPattern, compile_pattern
from proa.apiserver.crd.value_validation import ABSENT, bound_text, compile_validation

CASES: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({"type": "string"}, None, ['Invalid value: "null": x in body must be of type string: "null"']),
    ({"type": "string", "nullable": True}, None, []),
    ({"type": "integer"}, 1.0, []),
    ({"type": "integer"}, True, ['Invalid value: "boolean": x in body must be of type integer: "boolean"']),
    ({"type": "number"}, 1, []),
    ({"type": "integer", "format": "int32"}, 2**31, []),
    ({"type": "integer", "exclusiveMaximum": True, "maximum": 3}, 3, ["Invalid value: 3: x in body should be less than 3"]),
    ({"type": "number", "minimum": 0.5}, 0.25, ["Invalid value: 0.25: x in body should be greater than or equal to 0.5"]),
    ({"type": "integer", "multipleOf": 3}, 4, ["Invalid value: 4: x in body should be a multiple of 3"]),
    ({"type": "string", "minLength": 2}, "a", ['Invalid value: "a": x in body should be at least 2 chars long']),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"], ["Too many: 2: must have at most 1 items"]),
    ({"type": "array", "items": {"type": "string"}, "minItems": 1}, [], ["Invalid value: []: x in body should have at least 1 items"]),
    ({"type": "object", "minProperties": 1}, {}, ["Invalid value: {}: x in body should have at least 1 properties"]),
    ({"type": "object", "maxProperties": 0}, {"a": 1}, ["Too many: 1: must have at most 0 items"]),
    ({"type": "string", "not": {"enum": ["a"]}}, "a", ['Invalid value: "": "x" must not validate the schema (not)']),
    ({"type": "integer", "anyOf": [{"minimum": 5}, {"maximum": 1}]}, 3, [
        'Invalid value: "": "x" must validate at least one schema (anyOf)',
        "Invalid value: 3: x in body should be greater than or equal to 5"]),
    ({"type": "integer", "allOf": [{"minimum": 5}, {"maximum": 6}]}, 3, [
        "Invalid value: 3: x in body should be greater than or equal to 5",
        'Invalid value: "": "x" must validate all the schemas (allOf)']),
    ({"type": "integer", "oneOf": [{"minimum": 5}, {"minimum": 6}]}, 7, [
        'Invalid value: "": "x" must validate one and only one schema (oneOf). Found 2 valid alternatives']),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "expected"), CASES, ids=[f"{row[0]} {row[1]}" for row in CASES])
def test_complaints(schema: dict[str, Any], value: Any, expected: list[str]) -> None:
    validate = compile_validation({"type": "object", "properties": {"x": schema}})
    assert [cause.message for cause in validate({"x": value}, ABSENT)] == expected


FORMATS = [
    ("date-time", "2020-01-01T00:00:00Z", "2020-01-01"),
    ("date", "2020-01-31", "2020-02-31"),
    ("duration", "1h30m", "soon"),
    ("ipv4", "10.0.0.1", "10.0.0"),
    ("ipv6", "::1", "10.0.0.1"),
    ("cidr", "10.0.0.0/8", "10.0.0.0"),
    ("uuid", "0f9aa3d4-5d3b-4d43-8a1b-9c2c1f1a1e11", "0f9aa3d4"),
    ("email", "a@b.c", "a"),
    ("hostname", "a.example.com", "-a"),
    ("byte", "YQ==", "Y"),
    ("mac", "01:23:45:67:89:ab", "01:23"),
    ("uri", "https://a/b", "a b"),
    ("k8s-short-name", "abc", "a.b"),
    ("creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112"),
    ("isbn", "978-3-16-148410-0", "978-3-16-148410-1"),
]


@pytest.mark.parametrize(("format_", "good", "bad"), FORMATS, ids=[row[0] for row in FORMATS])
def test_formats(format_: str, good: str, bad: str) -> None:
    validate = compile_validation({"type": "object", "properties": {"x": {"type": "string", "format": format_}}})
    assert validate({"x": good}, ABSENT) == []
    assert [cause.message for cause in validate({"x": bad}, ABSENT)] == [
        f'Invalid value: "{bad}": x in body must be of type {format_}: "{bad}"'
    ]


@pytest.mark.parametrize(
    ("value", "like", "shown"),
    [
        (10, 1, "10"), (10.0, 1, "10"), (10, 1.5, "10"), (0.5, 1.5, "0.5"), (1000000, 1.5, "1e+06"), (65535, 1.5, "65535"),
        (1e-7, 1.5, "1e-07"),
    ],
)  # fmt: skip
def test_numbers_look_as_go_prints_them(value: float, like: float, shown: str) -> None:
    assert bound_text(value, like) == shown


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", "a", "a\n"),
        (r"^[[:alpha:]]+\z", "ab", "a1"),
        ("^[]a]$", "]", "b"),
        (r"^\d+$", "12", "\u0661"),
        ("^[$]$", "$", "a"),
    ],
)
def test_patterns_mean_what_they_mean_to_go(pattern: str, good: str, bad: str) -> None:
    occurs = compile_pattern(pattern)
    assert (occurs(good), occurs(bad)) == (True, False)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "missing closing ): `(`"),
        ("(?!a)b", "invalid or unsupported Perl syntax: `(?!`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("[a", "missing closing ]: `[a`"),
        ("a)", "unexpected ): `a)`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("a\\", "trailing backslash at end of expression: ``"),
        ("x{1001}", "invalid repeat count: `{1001}`"),
        (r"\k", r"invalid escape sequence: `\k`"),
    ],
)
def test_bad_patterns(pattern: str, words: str) -> None:
    with pytest.raises(BadPattern) as raised:
        compile_pattern(pattern)
    assert str(raised.value) == f"error parsing regexp: {words}"


def test_a_pattern_takes_time_by_the_length_of_the_text_only() -> None:
    started = time.process_time()
    assert not compile_pattern("^(a+)+$")("a" * 20_000 + "b")
    assert time.process_time() - started < 1
