"""An API server under load, ours or any other, and the few plain requests that prepare one: over TLS with a bearer token."""

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """`pid` is 0 where the process is not on this machine or not ours to look at."""

    name: str
    url: str
    token: str
    pid: int = 0

    def request(self, method: str, path: str, body: Document | None = None) -> Document:
        """The answer's document; raises RuntimeError for a refusal."""
        return exchange(self.url, method, path, body, {"Authorization": f"Bearer {self.token}"})

    def ensure(self, path: str, body: Document) -> None:
        """Create what may exist already."""
        with suppress(FileExistsError):
            self.request("POST", path, body)


def exchange(
    url: str, method: str, path: str, body: Document | None, headers: Mapping[str, str], identity: tuple[Path, Path] | None = None
) -> Document:  # fmt: skip
    """One request on a connection of its own. The server's certificate is not looked at; `identity` is ours (certificate, key)."""
    context = unverified()
    if identity is not None:
        context.load_cert_chain(*identity)
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, context=context, timeout=60)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    if response.status == 409:
        raise FileExistsError(path)
    if response.status >= 400:
        raise RuntimeError(f"{method} {path}: {response.status} {text[:500].decode()}")
    found: Document = json.loads(text) if text.startswith(b"{") else {}
    return found


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def wait_until_ready(url: str, deadline: float) -> None:
    """Ask /readyz until it says 200; `deadline` as time.monotonic counts."""
    while True:
        try:
            exchange(url, "GET", "/readyz", None, {})
            return
        except (OSError, RuntimeError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.003)


def cluster_admin_token(url: str, identity: tuple[Path, Path]) -> str:
    """A service account that may do everything, made with the administrator's certificate: wrk can send a token, but no certificate."""

    def post(path: str, body: Document) -> Document:
        with suppress(FileExistsError):
            return exchange(url, "POST", path, body, {}, identity)
        return {}

    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "benchmark"}}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "benchmark"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "benchmark", "namespace": "kube-system"}],
    }  # fmt: skip
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86400}}
    post("/api/v1/namespaces/kube-system/serviceaccounts", account)
    post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    token: str = post("/api/v1/namespaces/kube-system/serviceaccounts/benchmark/token", request)["status"]["token"]
    return token
