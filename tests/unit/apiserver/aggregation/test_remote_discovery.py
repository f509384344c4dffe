"""Resource lists of servers that know nothing of aggregated discovery, in the new form; names in headers."""

from typing import Any

import pytest

from proa.apiserver.aggregation.discovery import from_resource_list, version_discovery
from proa.apiserver.aggregation.identity import InvalidHeader, escaped, identity_headers
from proa.apiserver.interface import User


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "singularName": "", "namespaced": True, "kind": "Flunder", "verbs": ["list", "get"], **more}


def test_subresources_stand_within_their_resources_wherever_they_come() -> None:
    scale = entry("flunders/scale", kind="Scale", group="autoscaling", version="v1")
    listed = [scale, entry("flunders", singularName="flunder", shortNames=["fl"]), entry("flunders/status"), entry("lone/sub")]
    made = from_resource_list({"resources": listed}, "g", "v1")
    kind = {"group": "g", "version": "v1", "kind": "Flunder"}
    verbs = ["get", "list"]
    assert made == {
        "version": "v1",
        "resources": [
            {
                "resource": "flunders", "responseKind": kind, "scope": "Namespaced", "singularResource": "flunder", "verbs": verbs,
                "shortNames": ["fl"],
                "subresources": [
                    {"subresource": "scale", "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"}, "verbs": verbs},
                    {"subresource": "status", "responseKind": kind, "verbs": verbs},
                ],
            },
            {
                "resource": "lone", "scope": "Namespaced", "verbs": [],
                "subresources": [{"subresource": "sub", "responseKind": kind, "verbs": verbs}],
            },
        ],
    }  # fmt: skip


def test_a_version_that_the_server_does_not_list_is_empty() -> None:
    listed = {"items": [{"metadata": {"name": "g"}, "versions": [{"version": "v1", "resources": [{"resource": "a"}]}]}]}
    assert version_discovery(listed, "g", "v1") == {"version": "v1", "resources": [{"resource": "a"}]}
    assert version_discovery(listed, "g", "v2") == {"version": "v2"}
    assert version_discovery(listed, "h", "v1") == {"version": "v1"}


def test_what_may_not_stand_in_a_headers_name_is_escaped() -> None:
    assert escaped("example.com/Scope %:é") == "example.com%2FScope%20%25%3A%C3%A9"


def test_who_asks_is_told_in_headers() -> None:
    user = User("jäne", ("a", "b"), "7", {"k": ("1", "2")})
    headers = [(name, value.encode("latin-1").decode()) for name, value in identity_headers(user)]
    assert headers == [
        ("x-remote-user", "jäne"), ("x-remote-group", "a"), ("x-remote-group", "b"), ("x-remote-uid", "7"), ("x-remote-extra-k", "1"),
        ("x-remote-extra-k", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize("user", [User("a\nb"), User("a", ("b\rc",)), User("a", extra={"k": ("\0",)})])
def test_no_value_may_become_a_header(user: User) -> None:
    with pytest.raises(InvalidHeader):
        identity_headers(user)
