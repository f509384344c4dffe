"""URL shapes and what they ask for."""

from urllib.parse import parse_qs

import pytest

from proa.apiserver.interface import RequestInfo
from proa.apiserver.request_info import request_info
from proa.lib.http.message import Request


def info_of(method: str, target: str) -> RequestInfo:
    path, _, query = target.partition("?")
    return request_info(Request(method, path, parse_qs(query, keep_blank_values=True), {}))


def resource(verb: str, path: str, name: str = "", **more: object) -> RequestInfo:
    return RequestInfo(verb, path, True, **{"version": "v1", "resource": "pods", "name": name, **more})  # type: ignore[arg-type]


NS = "/api/v1/namespaces"
CASES: list[tuple[str, str, RequestInfo]] = [
    ("GET", "/api/v1/pods", resource("list", "/api/v1/pods")),
    ("GET", "/api/v1/pods?watch=true", resource("watch", "/api/v1/pods")),
    ("GET", "/api/v1/pods?watch=1", resource("watch", "/api/v1/pods")),
    ("GET", "/api/v1/pods?watch", resource("watch", "/api/v1/pods")),
    ("GET", "/api/v1/pods?watch=false", resource("list", "/api/v1/pods")),
    ("HEAD", f"{NS}/a/pods/b", resource("get", f"{NS}/a/pods/b", "b", namespace="a")),
    ("POST", f"{NS}/a/pods", resource("create", f"{NS}/a/pods", namespace="a")),
    ("PUT", f"{NS}/a/pods/b", resource("update", f"{NS}/a/pods/b", "b", namespace="a")),
    ("PATCH", f"{NS}/a/pods/b", resource("patch", f"{NS}/a/pods/b", "b", namespace="a")),
    ("DELETE", f"{NS}/a/pods/b", resource("delete", f"{NS}/a/pods/b", "b", namespace="a")),
    ("DELETE", f"{NS}/a/pods", resource("deletecollection", f"{NS}/a/pods", namespace="a")),
    ("PUT", f"{NS}/a/pods/b/status", resource("update", f"{NS}/a/pods/b/status", "b", namespace="a", subresource="status")),
    (
        "GET", f"{NS}/a/pods/b/proxy/x/y",
        resource("get", f"{NS}/a/pods/b/proxy/x/y", "b", namespace="a", subresource="proxy", parts=("x", "y")),
    ),
    ("GET", f"{NS}/a", resource("get", f"{NS}/a", "a", namespace="a", resource="namespaces")),
    ("PUT", f"{NS}/a/finalize", resource("update", f"{NS}/a/finalize", "a", namespace="a", resource="namespaces", subresource="finalize")),
    ("GET", NS, resource("list", NS, resource="namespaces")),
    ("GET", "/api/v1/watch/pods", resource("watch", "/api/v1/watch/pods")),
    ("GET", "/api/v1/watch/namespaces/a/pods/b", resource("watch", "/api/v1/watch/namespaces/a/pods/b", "b", namespace="a")),
    ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Db", resource("list", "/api/v1/pods", "b", field_selector="metadata.name=b")),
    ("GET", "/api/v1/pods?fieldSelector=metadata.name!%3Db", resource("list", "/api/v1/pods", field_selector="metadata.name!=b")),
    (
        "GET", "/apis/apps/v1/namespaces/a/deployments/b/scale",
        resource("get", "/apis/apps/v1/namespaces/a/deployments/b/scale", "b", group="apps", namespace="a", resource="deployments",
                 subresource="scale"),
    ),
    ("GET", "/api/v1", RequestInfo("get", "/api/v1")),
    ("GET", "/apis/apps/v1", RequestInfo("get", "/apis/apps/v1")),
    ("POST", "/version", RequestInfo("post", "/version")),
    ("GET", "/", RequestInfo("get", "/")),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "expected"), CASES, ids=[f"{method} {target}" for method, target, _ in CASES])
def test_request_info(method: str, target: str, expected: RequestInfo) -> None:
    assert info_of(method, target) == expected
