"""Discovery in both of its forms."""

import asyncio
from typing import Any

import orjson
import pytest

from proa.api.errors import ApiError
from proa.api.kinds import DEPLOYMENTS, PODS
from proa.api.resource import ResourceId
from proa.client.discovery import Discovered, discover
from proa.client.fake import FakeClient

POD_VERBS = ["delete", "get", "list", "watch"]


class Documents(FakeClient):
    """Answers from a table of paths; what is not there is a 503."""

    def __init__(self, table: dict[str, Any]) -> None:
        super().__init__()
        self.table = table

    async def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        return (200, {}, orjson.dumps(self.table[path])) if path in self.table else (503, {}, b"unavailable")


def found(table: dict[str, Any]) -> Discovered:
    return asyncio.run(discover(Documents(table)))


def aggregated(group: str, *versions: tuple[str, str]) -> dict[str, Any]:
    pods = {"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": POD_VERBS}
    listed = [{"version": version, "freshness": freshness, "resources": [pods]} for version, freshness in versions]
    return {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": group}, "versions": listed}]}


EMPTY = {"kind": "APIGroupDiscoveryList", "items": []}


def test_aggregated_documents() -> None:
    answer = found({"/api": aggregated("", ("v1", "Current")), "/apis": EMPTY})
    assert answer == Discovered({PODS: frozenset(POD_VERBS)}, {})
    assert (answer.with_verbs("list", "delete"), answer.with_verbs("create")) == ([PODS], [])


def test_the_first_version_counts_and_stale_ones_are_told() -> None:
    answer = found({"/api": EMPTY, "/apis": aggregated("g", ("v2", "Current"), ("v1", "Stale"))})
    assert list(answer.resources) == [ResourceId("g", "v2", "pods", "Pod", True)]
    assert answer.failures == {"g/v1": "stale GroupVersion discovery"}


def test_separate_documents_and_one_that_fails() -> None:
    groups = [
        {"name": name, "versions": [{"version": "v1beta1"}, {"version": "v1"}], "preferredVersion": {"version": "v1"}}
        for name in ("apps", "down")
    ]
    listed = [
        {"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": ["list"]},
        {"name": "deployments/scale", "kind": "Scale"},
    ]
    answer = found(
        {
            "/api": {"kind": "APIVersions", "versions": []},
            "/apis": {"kind": "APIGroupList", "groups": groups},
            "/apis/apps/v1": {"resources": listed},
            "/apis/apps/v1beta1": {"resources": listed[:1]},
        }
    )
    assert answer.resources == {DEPLOYMENTS: frozenset({"list"})}
    assert sorted(answer.failures) == ["down/v1", "down/v1beta1"]


def test_without_the_root_there_is_nothing_to_say() -> None:
    with pytest.raises(ApiError, match="GET /api answered 503"):
        found({"/apis": EMPTY})
