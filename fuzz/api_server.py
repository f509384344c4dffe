"""The API server that fuzzers ask: started alone over a throw-away store with all versions of the API, or one that runs already."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from benchmarks.api_server import PATIENCE, Installation, stop
from benchmarks.target import wait_until_ready
from fuzz.seeds import Object
from fuzz.steering import Sent

TIMEOUT = 30.0


class Server:
    """Asked with an administrator's certificate or a token. `log` is None where it isn't ours to read."""

    def __init__(self, url: str, log: Path | None = None) -> None:
        self.url = url
        self.log = log
        self.session = requests.Session()
        self.session.verify = False
        self.session.trust_env = False  # no proxy, no other authority

    def ask(self, method: str, path: str, body: Object | None = None) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=TIMEOUT)

    def send(self, path: str, sent: Sent) -> requests.Response:
        headers = {"Accept": sent.accept} | ({"Content-Type": sent.content_type} if sent.content_type else {})
        return self.session.request(sent.method, self.url + path, params=sent.query, data=sent.body, headers=headers, timeout=TIMEOUT)


@contextmanager
def started() -> Iterator[Server]:
    """One of our own; RuntimeError if it has ended before its time."""
    with TemporaryDirectory(prefix="proa-fuzz-") as directory:
        installed = Installation(Path(directory))
        config = json.loads(installed.config.read_text())
        config["runtime_config"] = {"api/all": True}
        installed.config.write_text(json.dumps(config))
        process = installed.start()
        try:
            wait_until_ready(installed.url, time.monotonic() + PATIENCE)
            server = Server(installed.url, installed.log)
            server.session.cert = (str(installed.paths.pki / "admin.crt"), str(installed.paths.pki / "admin.key"))
            yield server
            if process.poll() is not None:
                raise RuntimeError(f"the API server has ended with {process.returncode}: {installed.log.read_text()[-2000:]}")
        finally:
            stop(process)


def named(url_and_token: str) -> Server:
    """URL,TOKEN"""
    url, _, token = url_and_token.partition(",")
    server = Server(url)
    server.session.headers["Authorization"] = f"Bearer {token}"
    return server
