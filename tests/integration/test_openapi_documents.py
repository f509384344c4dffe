"""Every OpenAPI document that the server has, read as a client generator reads it: nothing dangles, all is declared, custom kinds too."""

import re
from collections.abc import Iterator
from typing import Any

from tests.integration.conftest import Api, Run
from tests.integration.test_custom_resources import establish, until

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SHELF: Any = {
    "metadata": {"name": "shelves.example.com"},
    "spec": {
        "group": "example.com", "scope": "Namespaced", "names": {"plural": "shelves", "kind": "Shelf"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 3}}}}}}}],
    },
}  # fmt: skip
METHODS = ("get", "put", "post", "delete", "patch")
ACTIONS = {"get", "list", "post", "put", "patch", "delete", "deletecollection", "connect", "watch", "watchlist"}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str):
                yield each
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def operations(document: Any) -> Iterator[tuple[str, str, Any, list[Any]]]:
    """(path, method, operation, all its parameters)."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method], [*item.get("parameters", []), *item[method].get("parameters", [])]


def check(name: str, document: Any, ids: set[str]) -> None:
    schemas = document["components"]["schemas"]
    dangling = {each for each in references(document) if each.removeprefix("#/components/schemas/") not in schemas}
    assert not dangling, name
    for path, method, operation, parameters in operations(document):
        where = f"{method} {path}"
        assert operation["operationId"] not in ids, where
        ids.add(operation["operationId"])
        in_path = {each["name"] for each in parameters if each["in"] == "path" and each["required"]}
        assert in_path == set(re.findall(r"{(\w+)}", path)), where
        names = [(each["name"], each["in"]) for each in parameters]
        assert len(names) == len(set(names)), where
        assert {"401"} < set(operation["responses"]), where
        if "x-kubernetes-action" in operation:
            assert operation["x-kubernetes-action"] in ACTIONS, where
            assert set(operation["x-kubernetes-group-version-kind"]) == {"group", "version", "kind"}, where
        if operation.get("x-kubernetes-action") in ("post", "put", "patch"):
            assert operation["requestBody"]["required"], where
            assert {"dryRun", "fieldManager", "fieldValidation", "pretty"} <= {each["name"] for each in parameters}, where


def test_all_documents(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await establish(api, SHELF)
        index = (await api("GET", "/openapi/v3")).body["paths"]
        assert {"api", "apis", "version", "api/v1", "apis/apps/v1", "apis/example.com/v1"} <= set(index)
        ids: set[str] = set()
        for name, entry in index.items():
            answer = await api("GET", entry["serverRelativeURL"])
            assert answer.status == 200, name
            check(name, answer.body, ids)
            unchanged = await api("GET", entry["serverRelativeURL"], if_none_match=answer.headers["etag"])
            assert (unchanged.status, unchanged.raw) == (304, b"")
        assert len(ids) > 500
        shelf = (await api("GET", index["apis/example.com/v1"]["serverRelativeURL"])).body
        size = shelf["components"]["schemas"]["com.example.v1.Shelf"]["properties"]["spec"]["properties"]["size"]
        assert size["default"] == 3
        watch = shelf["paths"]["/apis/example.com/v1/watch/namespaces/{namespace}/shelves/{name}"]["get"]
        assert watch["operationId"] == "watchExampleComV1NamespacedShelf"
        await api("DELETE", f"{DEFINITIONS}/shelves.example.com")
        await until(api, "/openapi/v3", lambda answer: "apis/example.com/v1" not in answer.body["paths"])

    run(scenario)
