"""What an Accept header gets."""

import pytest

from proa.api.errors import NotAcceptable
from proa.apiserver.negotiation import JSON, PROTOBUF, YAML, Encoding, negotiate
from proa.lib.http.message import Request

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

CASES: list[tuple[str, Encoding]] = [
    ("", Encoding()),
    ("*/*", Encoding()),
    ("application/json", Encoding()),
    (f"{TABLE},application/json", Encoding(JSON, "Table", "v1")),
    (f"{TABLE.replace('v1', 'v9')},application/json", Encoding()),
    ("application/json;as=Other;v=v1;g=meta.k8s.io, */*", Encoding()),
    ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Encoding(JSON, "PartialObjectMetadataList", "v1")),
    ("application/vnd.kubernetes.protobuf, application/json", Encoding()),
    ("application/json;q=0.5, application/yaml", Encoding(YAML)),
    ("application/yaml", Encoding(YAML)),
]


@pytest.mark.parametrize(("accept", "expected"), CASES, ids=[accept or "none" for accept, _ in CASES])
def test_accept(accept: str, expected: Encoding) -> None:
    assert negotiate(Request("GET", "/", {}, {"accept": accept})) == expected


MESSAGE = "io.k8s.api.core.v1.Pod"
BINARY_CASES: list[tuple[str, str, Encoding]] = [
    (f"{PROTOBUF},application/json", MESSAGE, Encoding(PROTOBUF)),
    (f"{PROTOBUF}, */*", MESSAGE, Encoding(PROTOBUF)),
    (f"{PROTOBUF}, */*", "io.example.v1.Shop", Encoding()),
    (f"application/json,{PROTOBUF}", MESSAGE, Encoding()),
    (f"{PROTOBUF};as=Table;v=v1;g=meta.k8s.io,{TABLE}", MESSAGE, Encoding(JSON, "Table")),
    (f"{PROTOBUF};as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "io.example.v1.Shop", Encoding(PROTOBUF, "PartialObjectMetadata")),
    (f"{PROTOBUF};stream=watch", MESSAGE, Encoding(PROTOBUF)),
    (f"{PROTOBUF};stream=other,application/json;stream=watch", MESSAGE, Encoding()),
]


@pytest.mark.parametrize(("accept", "definition", "expected"), BINARY_CASES)
def test_accept_of_kinds_with_and_without_a_message(accept: str, definition: str, expected: Encoding) -> None:
    assert negotiate(Request("GET", "/", {}, {"accept": accept}), definition=definition) == expected


@pytest.mark.parametrize("accept", ["application/vnd.kubernetes.protobuf", "text/plain", "application/json;q=0"])
def test_nothing_to_offer(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="only the following media types are accepted: application/json"):
        negotiate(Request("GET", "/", {}, {"accept": accept}))


def test_yaml_is_not_watched() -> None:
    with pytest.raises(NotAcceptable):
        negotiate(Request("GET", "/", {}, {"accept": "application/yaml"}), watching=True)


@pytest.mark.parametrize(
    ("query", "agent", "pretty"),
    [({"pretty": ["true"]}, "", True), ({"pretty": ["0"]}, "curl/8", False), ({}, "curl/8", True), ({}, "kubectl/v1.32", False)],
)
def test_pretty(query: dict[str, list[str]], agent: str, pretty: bool) -> None:
    assert negotiate(Request("GET", "/", query, {"user-agent": agent})).pretty is pretty
