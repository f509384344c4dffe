"""What is said to bodies and patches that don't decode, in upstream's words: JSON, YAML, protobuf and the four kinds of patches."""

from typing import Any

import pytest

from tests.integration.conftest import TYPES, Api, Run

NS = "/api/v1/namespaces/default"
MAPS = f"{NS}/configmaps"
UNRECOGNIZED = "the object provided is unrecognized (must be of type ConfigMap): "
PARSING = f"{UNRECOGNIZED}couldn't get version/kind; json parse error: "
YAML, PROTOBUF = "application/yaml", "application/vnd.kubernetes.protobuf"

BODIES: list[tuple[bytes, str, str]] = [
    (b"", "application/json", f"{PARSING}unexpected end of JSON input (<empty>)"),
    (b"{", "application/json", f"{PARSING}unexpected end of JSON input ({{)"),
    (b"x", "application/json", f"{PARSING}invalid character 'x' looking for beginning of value (78)"),
    (b"[1]", "application/json", f"{PARSING}json: cannot unmarshal into Go value of type struct (5b315d)"),
    (b'{"metadata": {"name": "a"}, "kind', "application/json",
     f'{PARSING}unexpected end of JSON input ({{"metadata": {{"name": "a"}}, "k ...)'),
    (b"x", PROTOBUF, f"{UNRECOGNIZED}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)"),
    (b'{"kind": "Secret"}', "application/json",
     'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion'),
    (b'{"apiVersion": "v2"}', "application/json",
     "the API version in the data (v2) does not match the expected API version (v1)"),
    (b'{"metadata": {"namespace": "other"}}', "application/json",
     "the namespace of the provided object does not match the namespace sent on the request"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "content_type", "message"), BODIES, ids=[f"{row[1]} {row[0]!r}" for row in BODIES])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_bodies(run: Run, method: str, body: bytes, content_type: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a"}})
        answer = await api(method, MAPS if method == "POST" else f"{MAPS}/a", body, content_type=content_type)
        assert answer.summary == (400, "BadRequest", message)

    run(scenario)


NO_KIND = ' "" is invalid: patch: Invalid value: '
GENERAL = "the server rejected our request due to an error in our request"

PATCHES: list[tuple[str, str, Any, tuple[int, str, str]]] = [
    ("strategic", "", {"data": {"a": 1}}, (422, "Invalid", f'{NO_KIND}"map[data:map[a:1]]": ')),
    ("strategic", "?fieldValidation=Strict", {"dta": {"b": True, "a": None}, "data": {"x": "y"}},
     (422, "Invalid", f'{NO_KIND}"map[data:map[x:y] dta:map[a:<nil> b:true]]": strict decoding error: unknown field "dta"')),
    ("merge", "", {"data": 1}, (422, "Invalid", f'{NO_KIND}"{{')),
    ("merge", "?fieldValidation=Strict", {"stray": 1}, (422, "Invalid", 'strict decoding error: unknown field "stray"')),
    ("merge", "?fieldValidation=Strict", b'{"data":{"a":"1","a":"2"}}',
     (422, "Invalid", 'strict decoding error: duplicate field "data.a"')),
    ("merge", "", b"{", (400, "BadRequest", "error decoding patch: unexpected end of JSON input")),
    ("merge", "", [], (400, "BadRequest", "json: cannot unmarshal array into Go value of type map[string]interface {}")),
    ("json", "", [{"op": "remove", "path": "/data/none"}], (422, "Invalid", GENERAL)),
    ("json", "", [{"op": "test", "path": "/data/k", "value": "w"}], (422, "Invalid", GENERAL)),
    ("json", "?fieldValidation=Strict", [{"op": "add", "path": "/data/x", "value": "y", "note": 1}],
     (422, "Invalid", 'strict decoding error: json patch unknown field "[0].note"')),
    ("json", "", [{"op": "replace", "path": "/data", "value": "y"}], (422, "Invalid", f'{NO_KIND}"{{')),
    ("json", "", [{"op": "test", "path": "", "value": 1}] * 10_001,
     (413, "RequestEntityTooLarge", "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")),
    ("merge", "", {"metadata": {"name": "b"}}, (400, "BadRequest", "the name of the object (b) does not match the name on the URL (a)")),
    ("merge", "?force=true", {}, (422, "Invalid", "force: Forbidden: may not be specified for non-apply patch")),
    ("apply", "", {"apiVersion": "v1", "kind": "ConfigMap"}, (422, "Invalid", "fieldManager: Required value: is required for apply patch")),
    ("apply", "?fieldManager=m", {"kind": "ConfigMap"},
     (400, "BadRequest", "Object 'apiVersion' is missing in '{\"kind\":\"ConfigMap\"}'")),
    ("apply", "?fieldManager=m", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": [{"manager": "x"}]}},
     (400, "BadRequest", "metadata.managedFields must be nil")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "query", "body", "expected"), PATCHES, ids=[f"{row[0]}{row[1]} {str(row[2])[:60]}" for row in PATCHES])
def test_patches(run: Run, kind: str, query: str, body: Any, expected: tuple[int, str, str]) -> None:
    async def scenario(api: Api) -> None:
        made = (await api("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})).body
        answer = await api.patch(kind, f"{MAPS}/a{query}", body)
        assert answer.summary[:2] == expected[:2], answer.raw
        assert expected[2] in answer.body["message"]
        assert (await api("GET", f"{MAPS}/a")).body == made

    run(scenario)


def test_strays_of_patches_are_warned_of(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}})
        warned = await api.patch("merge", f"{MAPS}/a", b'{"stray":1,"data":{"x":"1","x":"2"}}')
        assert warned.warnings == ['299 - "duplicate field \\"data.x\\""', '299 - "unknown field \\"stray\\""']
        operation = [{"op": "add", "path": "/data/y", "value": "z", "note": 1}]
        assert (await api.patch("json", f"{MAPS}/a", operation)).warnings == ['299 - "json patch unknown field \\"[0].note\\""']
        silent = await api.patch("strategic", f"{MAPS}/a?fieldValidation=Ignore", {"stray": 1})
        assert (silent.status, silent.warnings, silent.body["data"]) == (200, [], {"k": "v", "x": "2", "y": "z"})

    run(scenario)


def test_media_types_of_patches(run: Run) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("PATCH", f"{MAPS}/a", {}, content_type="application/json")
        listed = ", ".join((TYPES["json"], TYPES["merge"], TYPES["strategic"], TYPES["apply"]))
        message = f"the body of the request was in an unknown format - accepted media types include: {listed}"
        assert answer.summary == (415, "UnsupportedMediaType", message)

    run(scenario)
