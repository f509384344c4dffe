"""JSON and YAML bodies decode with their duplicates found and their size bounded."""

from typing import Any

import pytest

from proa.api.errors import BadRequest
from proa.api.strict_json import MAX_DEPTH, DecodedBody, decode_json
from proa.api.strict_json_yaml import decode_yaml


@pytest.mark.parametrize(
    ("body", "value", "duplicates"),
    [
        (b'{"a":1}', {"a": 1}, ()),
        (b'{ "a" : "\\u003cx\\u003e \\"quoted\\"" }', {"a": '<x> "quoted"'}, ()),
        (b'{"a":1,"a":2}', {"a": 2}, ("a",)),
        (b'{"a" :1,"a":2}', {"a": 2}, ("a",)),
        (b'{"a":1,"a":2,"a":3}', {"a": 3}, ("a",)),
        (b'{"s":{"l":[{"x":1},{"x":1,"x":2}]}}', {"s": {"l": [{"x": 1}, {"x": 2}]}}, ("s.l[1].x",)),
        (b'{"a":{"b":1,"b":2},"a":{"b":3}}', {"a": {"b": 3}}, ("a",)),
        (b"[1,2.5,true,null]", [1, 2.5, True, None], ()),
    ],
)
def test_json(body: bytes, value: Any, duplicates: tuple[str, ...]) -> None:
    assert decode_json(body) == DecodedBody(value, duplicates)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b'{"a":x}', "invalid character 'x' looking for beginning of value"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "json: exceeded max depth"),
        (b"[" * 10_000 + b"]" * 10_000, "json: exceeded max depth"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json: exceeded max depth"),
    ],
)
def test_bad_json_is_a_bad_request(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_json(body)
    assert caught.value.message == message


def test_many_brackets_side_by_side_are_not_deep() -> None:
    body = b"[" + b",".join([b"[]"] * 5000) + b"]"
    assert decode_json(body).value == [[]] * 5000


@pytest.mark.parametrize(
    ("body", "value", "duplicates"),
    [
        (b"", None, ()),
        (b"a: 0644\nb: 0x1f\nc: -7\nd: 1_000", {"a": 420, "b": 31, "c": -7, "d": 1000}, ()),
        (b"a: yes\nb: Off\nc: true\nd: 'yes'", {"a": True, "b": False, "c": True, "d": "yes"}, ()),
        (b"a: 1:30\nb: 2001-01-01\nc: 1.2.3", {"a": "1:30", "b": "2001-01-01", "c": "1.2.3"}, ()),
        (b"a: 1e3\nb: 1.5\nc: .5", {"a": 1000, "b": 1.5, "c": 0.5}, ()),
        (b"a: ~\nb:\nc: null\nd: ''", {"a": None, "b": None, "c": None, "d": ""}, ()),
        (b"base: &b {k: 1, l: 2}\nown: {<<: *b, l: 3}", {"base": {"k": 1, "l": 2}, "own": {"k": 1, "l": 3}}, ()),
        (b"5: a\ntrue: b", {"5": "a", "true": "b"}, ()),
        (b"a:\n  b: 1\n  b: 2", {"a": {"b": 2}}, ('yaml: unmarshal errors:\n  line 3: key "b" already set in map',)),
        (b'{"a": [1, {"b": "c"}]}', {"a": [1, {"b": "c"}]}, ()),
        (b"a: 18446744073709551615\nb: 18446744073709551616\nc: -9223372036854775809\nd: 1e20",
         {"a": 2**64 - 1, "b": float(2**64), "c": float(-(2**63) - 1), "d": 1e20}, ()),
        (b"a: " + b"1" * 5000 + b"\nb: 1e999\nc: 0b_\nd: 0x_", {"a": "1" * 5000, "b": "1e999", "c": "0b_", "d": "0x_"}, ()),
    ],
)  # fmt: skip
def test_yaml_as_go_reads_it(body: bytes, value: Any, duplicates: tuple[str, ...]) -> None:
    assert decode_yaml(body) == DecodedBody(value, duplicates)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a: !!int x", "yaml: line 1: cannot decode !!str `x` as a !!int"),
        (b"\na: !!float x", "yaml: line 2: cannot decode !!str `x` as a !!float"),
        (b"a: !!binary x", "yaml: !!binary value contains invalid base64 data"),
        (b"<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        (b"<<: [{a: b}, 1]", "yaml: map merge requires map or sequence of maps as the value"),
    ],
)
def test_yaml_that_contradicts_itself(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_yaml(body)
    assert caught.value.message == message


def test_aliases_are_copies() -> None:
    value = decode_yaml(b"a: &x {k: 1}\nb: *x").value
    value["a"]["k"] = 2
    assert value["b"] == {"k": 1}


LAUGHS = b"a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10)) for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (LAUGHS, "yaml: document contains excessive aliasing"),
        (b"a: &a [*a]", "yaml: anchor contains itself"),
        (b"a: [1", "yaml: line 2: did not find expected ',' or ']'"),
        (b"[" * 400 + b"]" * 400, "yaml: exceeded max depth"),
        (b"[a]: 1", "yaml: a key must be a scalar"),
    ],
)
def test_bad_yaml_is_a_bad_request(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        decode_yaml(body)
    assert caught.value.message == message
