"""What OpenAPI v2 says of custom resources."""

from typing import Any

import pytest

from proa.apiserver.openapi.custom import GROUP_VERSION_KIND, without_v3

KIND = [{"group": "e.com", "version": "v1", "kind": "Widget"}]


@pytest.mark.parametrize(
    ("schema", "published"),
    [
        ({"type": "object", "nullable": True, "description": "d"}, {"description": "d"}),
        (
            {"type": "object", "properties": {"a": {"anyOf": [], "type": "string"}}},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}},
            {"type": "object", "properties": {"a": {"x-kubernetes-preserve-unknown-fields": True}}},
        ),
        (
            {"type": "array", "x-kubernetes-preserve-unknown-fields": True, "items": {"type": "string"}},
            {"x-kubernetes-preserve-unknown-fields": True},
        ),
        (
            {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"kind": {}}, GROUP_VERSION_KIND: KIND},
            {"type": "object", GROUP_VERSION_KIND: KIND},
        ),
    ],
)
def test_what_v2_can_not_say_is_left_out(schema: dict[str, Any], published: dict[str, Any]) -> None:
    assert without_v3(schema) == published
