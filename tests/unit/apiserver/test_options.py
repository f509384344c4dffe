"""Query parameters as options, and what of them is refused in which words."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from proa.api.errors import ApiError
from proa.apiserver.options import DeleteOptions, WriteOptions, delete_options, list_options, user_agent_manager, write_options
from proa.lib.http.message import Request


def request(query: str, **headers: str) -> Request:
    return Request("GET", "/", parse_qs(query, keep_blank_values=True), headers)


def listing(query: str) -> Any:
    return list_options(request(query), watching=False)


def watching(query: str) -> Any:
    return list_options(request(query), watching=True)


def creating(query: str) -> Any:
    return write_options(request(query), "CreateOptions")


def patching(query: str) -> Any:
    return write_options(request(query), "PatchOptions")


def applying(query: str) -> Any:
    return write_options(request(query), "PatchOptions", is_apply=True)


REFUSED: list[tuple[Callable[[str], Any], str, int, str]] = [
    (listing, "resourceVersionMatch=Exact", 422,
     'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    (listing, "resourceVersionMatch=Exact&resourceVersion=0", 422,
     'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    (listing, "sendInitialEvents=true", 422,
     'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'),
    (watching, "sendInitialEvents=true", 422,
     'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"),
    (watching, "resourceVersionMatch=NotOlderThan&resourceVersion=1", 422,
     'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: '
     "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"),
    (listing, "resourceVersion=x", 400,
     'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'),
    (creating, "dryRun=Some", 422, 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"'),
    (creating, "fieldManager=a%00", 422,
     'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\u0000": invalid character U+0000 (at position 1)'),
    (patching, "force=true", 422, 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'),
    (applying, "", 422, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'),
]  # fmt: skip


@pytest.mark.parametrize(("read", "query", "code", "message"), REFUSED, ids=[f"{row[0].__name__} {row[1]}" for row in REFUSED])
def test_refused(read: Callable[[str], Any], query: str, code: int, message: str) -> None:
    with pytest.raises(ApiError) as raised:
        read(query)
    assert (raised.value.status_code, raised.value.message) == (code, message)


def test_write_options() -> None:
    assert creating("dryRun=All&fieldManager=me&fieldValidation=Strict") == WriteOptions(True, "me", "Strict")
    assert applying("fieldManager=me&force=true") == WriteOptions(False, "me", "Warn", True)


def test_delete_options_of_a_body() -> None:
    body = {"gracePeriodSeconds": 0, "propagationPolicy": "Orphan", "preconditions": {"uid": "u"}, "dryRun": ["All"]}
    assert delete_options(body) == DeleteOptions(True, 0, "u", None, "Orphan", None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"propagationPolicy": "Orphan", "orphanDependents": True},
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": '
            "orphanDependents and deletionPropagation cannot be both set",
        ),
        (
            {"propagationPolicy": "Some"},
            'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Some": '
            'supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
    ],
)
def test_delete_options_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ApiError) as raised:
        delete_options(body)
    assert raised.value.message == message


@pytest.mark.parametrize(("agent", "manager"), [("kubectl/v1.32 (linux)", "kubectl"), ("", "unknown"), ("a\x01b", "ab")])
def test_manager_of_an_agent(agent: str, manager: str) -> None:
    assert user_agent_manager(Request("GET", "/", {}, {"user-agent": agent})) == manager
