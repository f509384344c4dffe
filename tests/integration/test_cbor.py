"""CBOR through the front door (KEP-4222), read by an independent decoder; without the feature gate nobody knows the media type."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from proa.apiserver.server import build
from proa.lib.http.message import StreamResponse
from tests.integration.conftest import Answer, Api, Run, Scenario

CBOR = "application/cbor"
NS = "/api/v1/namespaces/default"
SECRETS = f"{NS}/secrets"
TAG = b"\xd9\xd9\xf7"


@pytest.fixture
def run_cbor(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scenario], None]:
    """The same server with the gate on."""

    async def gated(config: Any, **more: Any) -> Any:
        return await build(replace(config, feature_gates={"CBORServingAndStorage": True}), **more)

    monkeypatch.setattr("tests.integration.conftest.build", gated)
    return run


def opened(body: bytes) -> Any:
    assert body.startswith(TAG)
    return plain(cbor2.loads(body))


def plain(value: Any) -> Any:
    """Texts for byte strings; a tag stays, as (number, content)."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, cbor2.CBORTag):
        return (value.tag, value.value)
    if isinstance(value, dict) or hasattr(value, "items"):
        return {plain(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


async def send(api: Api, method: str, target: str, body: Any, content_type: str = CBOR, **more: str) -> Answer:
    return await api(method, target, body if isinstance(body, bytes) else cbor2.dumps(body), content_type=content_type, **more)


def test_a_request_and_its_answer(run_cbor: Run) -> None:
    async def scenario(api: Api) -> None:
        secret = {"apiVersion": "v1", "kind": "Secret", b"metadata": {"name": b"s"}, "data": {"k": cbor2.CBORTag(22, b"\0\1\2")}}
        made = await send(api, "POST", SECRETS, cbor2.CBORTag(55799, secret), accept=CBOR)
        assert (made.status, made.headers["content-type"]) == (201, CBOR)
        assert opened(made.raw)["data"] == {"k": (22, b"\0\1\2")}
        assert all(isinstance(key, bytes) for key in cbor2.loads(made.raw))
        assert (await api("GET", f"{SECRETS}/s")).body["data"] == {"k": "AAEC"}
        listed = opened((await api("GET", SECRETS, accept=CBOR)).raw)
        assert (listed["kind"], listed["items"][0]["data"]["k"]) == ("SecretList", (22, b"\0\1\2"))
        partial = opened((await api("GET", f"{SECRETS}/s", accept=f"{CBOR};as=PartialObjectMetadata;g=meta.k8s.io;v=v1")).raw)
        assert (partial["kind"], "data" in partial) == ("PartialObjectMetadata", False)
        missing = await api("GET", f"{SECRETS}/none", accept=CBOR)
        assert (missing.status, opened(missing.raw)["reason"]) == (404, "NotFound")
        applied = await send(
            api, "PATCH", f"{SECRETS}/s?fieldManager=m&force=true", {"apiVersion": "v1", "kind": "Secret", "stringData": {"x": "y"}},
            "application/apply-patch+cbor", accept="application/json",
        )  # fmt: skip
        assert (applied.status, applied.body["data"]) == (200, {"k": "AAEC", "x": "eQ=="})
        gone = await send(api, "DELETE", f"{SECRETS}/s", {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "x"}})
        assert gone.status == 409

    run_cbor(scenario)


def test_a_watch_is_a_sequence(run_cbor: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", SECRETS, {"metadata": {"name": "s"}, "data": {"k": "AAEC"}})
        answers = {}
        for accept in (CBOR, "application/cbor-seq", f"{CBOR};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"):
            stream = await api.send("GET", f"{SECRETS}?watch=1&timeoutSeconds=-1&allowWatchBookmarks=1", accept=accept)
            assert isinstance(stream, StreamResponse)
            assert stream.headers["content-type"] == "application/cbor-seq"
            answers[accept] = await collect(stream)
        for items in answers.values():
            assert [(each["type"], each["object"]["metadata"].get("name")) for each in items] == [
                ("ADDED", "s"), ("BOOKMARK", None), ("BOOKMARK", None),
            ]  # fmt: skip
            assert items[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}

    run_cbor(scenario)


class Bytes:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        self.data += data

    async def wait_closed(self) -> None:
        raise AssertionError("not asked")


async def collect(stream: StreamResponse) -> list[Any]:
    """Every item begins with the tag; an object within has its own."""
    kept = Bytes()
    await stream.run(kept)
    head = TAG + b"\xa2\x44type"
    return [plain(cbor2.loads(head + part)) for part in kept.data.split(head)[1:]]


REFUSED: list[tuple[str, bytes, str]] = [
    ("a key twice", bytes.fromhex("a2616101616102"), "cbor"),
    ("a key as text and as bytes", bytes.fromhex("a26161014161" + "02"), 'duplicate map key "a"'),
    ("not a number", cbor2.dumps({"data": float("nan")}), "NaN"),
    ("infinity", cbor2.dumps({"data": float("inf")}), "infinities"),
    ("more than 64 bits", cbor2.dumps({"data": 2**63}), "int64"),
    ("a number as a key", cbor2.dumps({1: 2}), "cbor"),
    ("cut off", b"\xa2", "cbor"),
    ("bytes that are no text", cbor2.dumps({"kind": b"\xff"}), "UTF-8"),
    ("too deep", b"\x81" * 300 + b"\x01", "cbor"),
]


@pytest.mark.parametrize(("body", "part"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(run_cbor: Run, body: bytes, part: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await send(api, "POST", SECRETS, body)
        assert answer.summary[:2] == (400, "BadRequest")
        assert part in answer.body["message"]

    run_cbor(scenario)


def test_tables_have_no_such_form(run_cbor: Run) -> None:
    async def scenario(api: Api) -> None:
        table = ";as=Table;g=meta.k8s.io;v=v1"
        assert (await api("GET", SECRETS, accept=f"{CBOR}{table}")).status == 406
        assert (await api("GET", SECRETS, accept=f"{CBOR}{table},application/json{table}")).body["kind"] == "Table"

    run_cbor(scenario)


def test_off_by_default(run: Run) -> None:
    async def scenario(api: Api) -> None:
        assert (await api("GET", SECRETS, accept=CBOR)).summary[:2] == (406, "NotAcceptable")
        assert (await api("GET", SECRETS, accept=f"{CBOR}, application/json;q=0.5")).body["kind"] == "SecretList"
        assert (await send(api, "POST", SECRETS, {"metadata": {"name": "s"}})).summary[:2] == (415, "UnsupportedMediaType")
        apply = await send(api, "PATCH", f"{SECRETS}/s?fieldManager=m", {}, "application/apply-patch+cbor")
        assert apply.summary[:2] == (415, "UnsupportedMediaType")

    run(scenario)
