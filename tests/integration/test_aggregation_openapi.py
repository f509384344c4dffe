"""OpenAPI documents of extension servers, as clients of this server read them."""

from typing import Any

import orjson
import pytest

from proa.apiserver.openapi import gnostic_pb2 as pb
from proa.lib.http.message import Response
from tests.integration.conftest import Api
from tests.integration.extension_server import API_SERVICES, GROUP, NAME, VERSION, ExtensionServer, RunExtended, comes_up, until

PATH = f"/apis/{GROUP}/{VERSION}/namespaces/{{namespace}}/flunders"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
FLUNDER_KIND = {"group": GROUP, "kind": "Flunder", "version": VERSION}
OPERATION = {
    "operationId": "readFlunder", "tags": ["wardle"], "produces": ["application/json"], "consumes": ["*/*"],
    "parameters": [
        {"$ref": "#/parameters/pretty-1"}, {"in": "body", "name": "body", "schema": {"$ref": f"#/definitions/{META}DeleteOptions"}},
    ],
    "responses": {"200": {"description": "OK", "schema": {"$ref": "#/definitions/com.example.Flunder"}}},
    "x-kubernetes-group-version-kind": FLUNDER_KIND,
}  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "swagger": "2.0", "info": {"title": "sample", "version": "v0"},
    "paths": {path: {"get": OPERATION} for path in (PATH, "/apis/other.example.com/v1/", f"/apis/{GROUP}/{VERSION}2/x")},
    "parameters": {"pretty-1": {"in": "query", "name": "pretty", "type": "string", "uniqueItems": True}},
    "definitions": {
        "com.example.Flunder": {
            "type": "object", "x-kubernetes-group-version-kind": [FLUNDER_KIND],
            "properties": {"metadata": {"$ref": f"#/definitions/{META}ObjectMeta"}, "spec": {"$ref": "#/definitions/com.example.Spec"}},
        },
        "com.example.Spec": {"type": "object", "properties": {"reference": {"type": "string"}}},
        "com.example.Unused": {"type": "object"},
        f"{META}ObjectMeta": {"type": "object", "description": "An older one.", "properties": {"name": {"type": "string"}}},
        f"{META}DeleteOptions": {"type": "object", "description": "An older one."},
    },
}  # fmt: skip


def json(document: Any, etag: str = '"1"') -> Response:
    return Response(200, {"content-type": "application/json", "etag": etag}, orjson.dumps(document))


async def index(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = (await api("GET", "/openapi/v3")).body["paths"]
    return found


def test_v2_of_another_server_joins_ours(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        other.answers["/openapi/v2"] = json(DOCUMENT)
        before = (await api("GET", "/openapi/v2")).body
        await comes_up(api, other)
        document: dict[str, Any] = {}

        async def joined() -> bool:
            nonlocal document
            document = (await api("GET", "/openapi/v2")).body
            return PATH in document["paths"]

        await until(api, joined)
        assert set(document["paths"]) - set(before["paths"]) == {PATH}
        new = set(document["definitions"]) - set(before["definitions"])
        assert new == {"com.example.Flunder", "com.example.Spec", f"{META}ObjectMeta_v2", f"{META}DeleteOptions_v2"}
        flunder = document["definitions"]["com.example.Flunder"]
        assert flunder["properties"]["metadata"] == {"$ref": f"#/definitions/{META}ObjectMeta_v2"}
        assert document["definitions"][f"{META}ObjectMeta"] == before["definitions"][f"{META}ObjectMeta"]
        parameters = document["paths"][PATH]["get"]["parameters"]
        assert [each["name"] for each in parameters] == ["pretty", "body"]
        assert parameters[1]["schema"] == {"$ref": f"#/definitions/{META}DeleteOptions_v2"}
        raw = (await api("GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")).raw
        names = {each.name for each in pb.Document.FromString(raw).definitions.additional_properties}
        assert "com.example.Flunder" in names
        await api("DELETE", f"{API_SERVICES}/{NAME}")
        assert PATH not in (await api("GET", "/openapi/v2")).body["paths"]

    run_extended(scenario)


def test_v3_of_another_server_is_in_our_index_and_passed_on(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        own = f"apis/{GROUP}/{VERSION}"
        entries = {own: {"serverRelativeURL": f"/openapi/v3/{own}?hash=ABC"}, "apis/apps/v1": {"serverRelativeURL": "/mine"}}
        other.answers["/openapi/v3"] = json({"paths": entries})
        other.answers[f"/openapi/v3/{own}"] = json({"openapi": "3.0.0", "paths": {PATH: {}}}, '"ABC"')
        await comes_up(api, other)

        async def listed() -> bool:
            return own in await index(api)

        await until(api, listed)
        found = await index(api)
        assert found[own] == {"serverRelativeURL": f"/openapi/v3/{own}?hash=ABC"}
        assert found["apis/apps/v1"]["serverRelativeURL"] != "/mine"
        answer = await api("GET", f"/openapi/v3/{own}?hash=ABC")
        assert (answer.body["paths"], answer.headers["etag"]) == ({PATH: {}}, '"ABC"')
        assert other.requests[-1].raw_query == "hash=ABC"
        entries[own] = {"serverRelativeURL": f"/openapi/v3/{own}?hash=DEF"}
        other.answers["/openapi/v3"] = json({"paths": entries}, '"2"')
        await api.clock.advance(31)

        async def renewed() -> bool:
            return bool((await index(api))[own] == entries[own])

        await until(api, renewed)

    run_extended(scenario)


def test_v3_is_made_of_v2_for_a_server_that_has_none(run_extended: RunExtended) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        own = f"apis/{GROUP}/{VERSION}"
        other.answers["/openapi/v2"] = json(DOCUMENT)
        await comes_up(api, other)

        async def listed() -> bool:
            return own in await index(api)

        await until(api, listed)
        url = (await index(api))[own]["serverRelativeURL"]
        answer = await api("GET", url)
        operation = answer.body["paths"][PATH]["get"]
        schema = {"schema": {"$ref": "#/components/schemas/com.example.Flunder"}}
        assert operation["responses"]["200"]["content"] == {"application/json": schema}
        assert operation["requestBody"]["content"]["*/*"]["schema"]["$ref"] == f"#/components/schemas/{META}DeleteOptions"
        assert operation["parameters"] == [{"name": "pretty", "in": "query", "schema": {"type": "string", "uniqueItems": True}}]
        assert set(answer.body["components"]["schemas"]) == {
            "com.example.Flunder", "com.example.Spec", f"{META}ObjectMeta", f"{META}DeleteOptions",
        }  # fmt: skip
        assert (await api("GET", url, **{"if-none-match": answer.headers["etag"]})).status == 304

    run_extended(scenario)


@pytest.mark.parametrize("body", [b"{", b'{"paths": [1]}', b'{"paths": {"%s": {"get": {"parameters": [{"in": 5}]}}}}' % PATH.encode()])
def test_a_document_that_is_none_harms_nobody(run_extended: RunExtended, body: bytes) -> None:
    async def scenario(api: Api, other: ExtensionServer) -> None:
        other.answers["/openapi/v2"] = Response(200, {"content-type": "application/json"}, body)
        other.answers["/openapi/v3"] = Response(200, {"content-type": "application/json"}, b"[]")
        await comes_up(api, other)
        await api.clock.advance(31)
        assert (await api("GET", "/openapi/v2")).status == 200
        assert f"apis/{GROUP}/{VERSION}" not in await index(api)

    run_extended(scenario)
