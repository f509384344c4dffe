"""The API server as a program sees it that speaks HTTP itself: paths, headers and upgrades past every client library."""

import base64
import http.client
import json
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from tests.e2e.namespace import Namespace

PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.body)
        return found

    @property
    def refusal(self) -> tuple[int, object, object]:
        """(code, reason, message) of a Status."""
        return self.status, self.document.get("reason"), self.document.get("message")


class Access:
    """The administrator's address and certificates; `folder` keeps them as files."""

    def __init__(self, space: Namespace, folder: Path) -> None:
        config = json.loads(space.out("config", "view", "--minify", "--raw", "-o", "json"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        files = {"ca": cluster["certificate-authority-data"], "crt": user["client-certificate-data"], "key": user["client-key-data"]}
        for name, data in files.items():
            (folder / name).write_bytes(base64.b64decode(data))
        self.folder = folder
        self.address = urlsplit(cluster["server"])
        self.config_maps = f"/api/v1/namespaces/{space.name}/configmaps"

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / "ca"))
        context.load_cert_chain(self.folder / "crt", self.folder / "key")
        return context

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(str(self.address.hostname), self.address.port, context=self.context(), timeout=PATIENCE)

    def ask(self, method: str, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Answer:
        """An iterable is sent in chunks."""
        connection = self.connection()
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    @contextmanager
    def upgraded(self, method: str, path: str, **headers: str) -> Iterator["Upgraded"]:
        """Whatever the server switched to; fails if it didn't."""
        connection = self.connection()
        connection.connect()
        try:
            lines = [f"{method} {path} HTTP/1.1", f"host: {self.address.netloc}", "connection: Upgrade"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            connection.sock.sendall("\r\n".join([*lines, "", ""]).encode())
            yield Upgraded(connection.sock)
        finally:
            connection.close()

    @contextmanager
    def websocket(self, path: str, *protocols: str) -> Iterator["WebSocket"]:
        key = base64.b64encode(bytes(16)).decode()
        offered = {"upgrade": "websocket", "sec_websocket_version": "13", "sec_websocket_key": key}
        with self.upgraded("GET", path, **offered, sec_websocket_protocol=", ".join(protocols)) as raw:
            yield WebSocket(raw)


class Upgraded:
    """The head of the answer, and what follows it."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock, self._rest = sock, b""
        head = self.until(b"\r\n\r\n").decode().split("\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}

    def until(self, end: bytes) -> bytes:
        """Everything up to and with `end`; what is there when nothing follows."""
        while end not in self._rest and (data := self.read()):
            self._rest += data
        found, _, self._rest = self._rest.partition(end)
        return found + end

    def read(self) -> bytes:
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return self.sock.recv(65536)


class WebSocket:
    """Messages of both kinds; `None` is the end."""

    def __init__(self, raw: Upgraded) -> None:
        assert raw.status == 101, (raw.status, raw.read())
        self.protocol = raw.headers.get("sec-websocket-protocol")
        self._raw, self._frames = raw, Frames(ConnectionType.CLIENT)
        self._waiting: list[bytes | str | None] = []
        self.closed_with: int | None = None

    def send(self, data: bytes | str) -> None:
        event = BytesMessage(data=data) if isinstance(data, bytes) else TextMessage(data=data)
        self._raw.sock.sendall(self._frames.send(event))

    def receive(self) -> bytes | str | None:
        while not self._waiting:
            data = self._raw.read()
            self._frames.receive_data(data or None)
            for event in self._frames.events():
                if isinstance(event, BytesMessage | TextMessage):
                    self._waiting.append(bytes(event.data) if isinstance(event, BytesMessage) else event.data)
                elif isinstance(event, CloseConnection):
                    self.closed_with = event.code
                    self._waiting.append(None)
            if not data and not self._waiting:
                self._waiting.append(None)
        return self._waiting.pop(0)

    def everything(self) -> list[bytes | str]:
        """What comes until the end."""
        found = []
        while (message := self.receive()) is not None:
            found.append(message)
        return found
