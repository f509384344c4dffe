"""WATCH over a WebSocket: one message per event, in the form that the Accept header asks for."""

import asyncio
from typing import Any

import orjson
import pytest
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from proa.lib.http.message import UpgradeResponse
from proa.lib.websocket.handshake import accept_key
from tests.integration.conftest import Answer, Api, Run

MAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13", "sec_websocket_key": KEY}


class Browser:
    """The other end of the connection."""

    def __init__(self, answer: UpgradeResponse) -> None:
        self._frames = Frames(ConnectionType.CLIENT)
        self._sent: asyncio.Queue[bytes] = asyncio.Queue()
        self._messages: asyncio.Queue[Any] = asyncio.Queue()
        self._task = asyncio.create_task(self._serve(answer))

    async def _serve(self, answer: UpgradeResponse) -> None:
        await answer.run(self)

    async def read(self, limit: int = 65536) -> bytes:
        return await self._sent.get()

    async def write(self, data: bytes) -> None:
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, CloseConnection):
                await self._sent.put(self._frames.send(event.response()))
                await self._messages.put(None)
            elif isinstance(event, (TextMessage, BytesMessage)):
                await self._messages.put(event.data)

    async def close(self) -> None:
        await self._messages.put(None)

    async def next(self) -> Any:
        return await asyncio.wait_for(self._messages.get(), 5)

    async def leave(self) -> None:
        await self._sent.put(self._frames.send(CloseConnection(code=1000)))
        await asyncio.wait_for(self._task, 5)


async def open_watch(api: Api, target: str, **headers: str) -> tuple[UpgradeResponse, Browser]:
    answer = await api.send("GET", target, **HANDSHAKE, **headers)
    assert isinstance(answer, UpgradeResponse), Answer(answer).raw
    return answer, Browser(answer)


def test_events_are_messages(run: Run) -> None:
    async def scenario(api: Api) -> None:
        for name in ("a", "b"):
            await api("POST", MAPS, {"metadata": {"name": name}})
        answer, browser = await open_watch(api, f"{MAPS}?watch=true", sec_websocket_protocol="binary.k8s.io")
        assert answer.headers["sec-websocket-accept"] == accept_key(KEY)
        assert answer.headers["sec-websocket-protocol"] == "binary.k8s.io"
        events = [orjson.loads(await browser.next()) for _ in range(2)]
        assert [(each["type"], each["object"]["metadata"]["name"]) for each in events] == [("ADDED", "a"), ("ADDED", "b")]
        await api("DELETE", f"{MAPS}/a")
        assert orjson.loads(await browser.next())["type"] == "DELETED"
        metrics = "apiserver_longrunning_requests"
        assert any(line.startswith(metrics) and line.endswith(" 1") for line in (await api("GET", "/metrics")).raw.decode().splitlines())
        await browser.leave()
        assert not any(
            line.startswith(metrics) and not line.endswith(" 0") for line in (await api("GET", "/metrics")).raw.decode().splitlines()
        )

    run(scenario)


def test_the_end_of_the_watch_closes_the_socket(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a"}})
        token = "base64url.bearer.authorization.k8s.io.eA"
        answer, browser = await open_watch(
            api, "/api/v1/watch/namespaces/default/configmaps/a?timeoutSeconds=-1", sec_websocket_protocol=token
        )
        assert "sec-websocket-protocol" not in answer.headers
        assert orjson.loads(await browser.next())["type"] == "ADDED"
        assert await browser.next() is None

    run(scenario)


def test_other_forms(run: Run) -> None:
    async def scenario(api: Api) -> None:
        await api("POST", MAPS, {"metadata": {"name": "a"}})
        _, browser = await open_watch(api, f"{MAPS}?watch=1", accept=PROTOBUF)
        message = await browser.next()
        assert message[:7] == b"\x0a\x05ADDED"
        _, browser = await open_watch(api, f"{MAPS}?watch=1", accept="application/json;as=Table;g=meta.k8s.io;v=v1")
        assert orjson.loads(await browser.next())["object"]["kind"] == "Table"

    run(scenario)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"sec_websocket_version": "8"}, "the WebSocket version must be 13"),
        ({"sec_websocket_key": ""}, "Sec-WebSocket-Key is missing"),
    ],
)
def test_refused(run: Run, headers: dict[str, str], message: str) -> None:
    async def scenario(api: Api) -> None:
        answer = await api("GET", f"{MAPS}?watch=1", **{**HANDSHAKE, **headers})
        assert answer.summary == (400, "BadRequest", message)
        too_old = await api("GET", f"{MAPS}?watch=1&resourceVersion=x", **HANDSHAKE)
        assert too_old.status == 400

    run(scenario)
