"""Stray fields and wrong types of an applied configuration are refused as upstream's typed reader refuses them."""

from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.api.schema_node import SchemaNode
from proa.api.validation import compile_decoder
from proa.apiserver.verbs.applied import check_applied_fields

STRING = SchemaNode("string")
NODE = SchemaNode("object", properties={
    "apiVersion": STRING, "kind": STRING,
    "metadata": SchemaNode("object", properties={"name": STRING, "namespace": STRING}),
    "spec": SchemaNode("object", properties={"foo": STRING}),
})  # fmt: skip
HEAD: dict[str, Any] = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n", "namespace": "s"}}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"stray": 1}, ".stray: field not declared in schema"),
        ({"spec": {"foo": "x", "bar": 1}}, ".spec.bar: field not declared in schema"),
        ({"spec": {"bar": 1}, "stray": 1}, "errors:\n  .spec.bar: field not declared in schema\n  .stray: field not declared in schema"),
    ],
)
def test_strays(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_applied_fields(HEAD | more, compile_decoder(NODE))
    assert caught.value.to_status()["message"] == f"failed to create typed patch object (s/n; g/v1, Kind=K): {told}"
    assert (caught.value.status_code, caught.value.status_reason) == (500, "")


def test_what_is_declared_passes_untouched() -> None:
    given = HEAD | {"spec": {"foo": "x"}}
    check_applied_fields(given, compile_decoder(NODE))
    assert given == HEAD | {"spec": {"foo": "x"}}
