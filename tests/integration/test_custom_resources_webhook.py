"""Conversion by webhook: a real HTTPS server that swaps two fields."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from proa.lib.pki import create_authority
from tests.integration.conftest import Api, Run
from tests.integration.test_custom_resources import WIDGETS, definition, establish, version, widget

BETA = "/apis/example.com/v1beta1/namespaces/default/widgets"


def converted(obj: dict[str, Any], api_version: str) -> dict[str, Any]:
    """What v1 calls size, v1beta1 calls replicas, and the other way round."""
    spec = dict(obj["spec"])
    spec["replicas"], spec["size"] = spec["size"], spec["replicas"]
    return {**obj, "apiVersion": api_version, "spec": spec}


class Webhook:
    """Answers ConversionReviews; `failing` makes it refuse."""

    def __init__(self) -> None:
        self.port = 0
        self.ca = b""
        self.failing = False
        self.asked: list[int] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        review = orjson.loads(await reader.readexactly(length))
        request = review["request"]
        self.asked.append(len(request["objects"]))
        result = {"status": "Failed", "message": "not today"} if self.failing else {"status": "Success"}
        objects = [converted(obj, request["desiredAPIVersion"]) for obj in request["objects"]]
        response = {"uid": request["uid"], "result": result, "convertedObjects": objects}
        body = orjson.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def webhook(directory: Path) -> AsyncIterator[Webhook]:
    authority = create_authority("test")
    certificate, key = authority.issue("webhook", ip_addresses=["127.0.0.1"], server=True)
    (directory / "tls.pem").write_bytes(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.pem")
    made = Webhook()
    made.ca = authority.certificate
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


def converting(client: dict[str, Any], ca: bytes) -> dict[str, Any]:
    config = {**client, "caBundle": base64.b64encode(ca).decode()}
    conversion = {"strategy": "Webhook", "webhook": {"clientConfig": config, "conversionReviewVersions": ["v1"]}}
    return definition(versions=[version(), version("v1beta1", storage=False)], conversion=conversion)


def test_objects_are_stored_and_shown_through_the_webhook(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with webhook(tmp_path) as hook:
            await establish(api, converting({"url": f"https://127.0.0.1:{hook.port}/convert"}, hook.ca))
            for name in ("a", "b"):
                made = await api("POST", BETA, widget(name, size=2, replicas=7) | {"apiVersion": "example.com/v1beta1"})
                assert made.status == 201, made.raw
                assert (made.body["spec"]["size"], made.body["spec"]["replicas"]) == (2, 7)
            stored = (await api("GET", f"{WIDGETS}/a")).body
            assert (stored["apiVersion"], stored["spec"]["size"], stored["spec"]["replicas"]) == ("example.com/v1", 7, 2)
            await api.restart()
            hook.asked.clear()
            shown = (await api("GET", BETA)).body["items"]
            assert [(each["apiVersion"], each["spec"]["size"]) for each in shown] == [("example.com/v1beta1", 2)] * 2
            await api("GET", BETA)
            assert hook.asked == [2]
            changed = await api.patch("merge", f"{BETA}/a", {"spec": {"size": 3}})
            assert changed.body["spec"]["size"] == 3
            assert (await api("GET", f"{WIDGETS}/a")).body["spec"]["replicas"] == 3
            watch = await api.watch(f"{BETA}?watch=true")
            events = [await watch.next() for _ in range(2)]
            assert [event["object"]["spec"]["size"] for event in events] == [3, 2]

    run(scenario)


def test_a_webhook_that_fails_fails_the_request(run: Run, tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with webhook(tmp_path) as hook:
            await establish(api, converting({"url": f"https://127.0.0.1:{hook.port}/"}, hook.ca))
            await api("POST", WIDGETS, widget())
            hook.failing = True
            assert (await api("GET", f"{BETA}/a")).summary == (
                500, "", "conversion webhook for example.com/v1, Kind=Widget failed: not today",
            )  # fmt: skip
            assert (await api("GET", f"{WIDGETS}/a")).status == 200

    run(scenario)
