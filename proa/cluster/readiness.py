"""Waiting until a cluster is what its user expects: the API answers, nodes are Ready, names resolve. Polls at 20 ms, with a clear end.

It asks with the standard library's HTTP client, over TLS with the administrator's certificate: just what the user is about to do.
"""

import http.client
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from proa.api.node import ready_status
from proa.cluster import cgroup
from proa.cluster.errors import ClusterError
from proa.cluster.namespaces import enter
from proa.cluster.network import node_namespace
from proa.cluster.paths import ClusterPaths, NodePaths
from proa.cluster.settings import ClusterSettings, NodeSettings
from proa.cluster.supervisor_process import last_words, pid
from proa.lib.netlink.namespaces import DIRECTORY

PATIENCE = 60.0
INTERVAL = 0.02
VAIN_RESTARTS = 4
NAME = "kubernetes.default.svc.cluster.local"


class ApiProbe:
    """A kept connection to the API server as the administrator."""

    def __init__(self, paths: ClusterPaths, settings: ClusterSettings) -> None:
        context = ssl.create_default_context(cafile=str(paths.pki / "ca.crt"))
        context.load_cert_chain(paths.pki / "admin.crt", paths.pki / "admin.key")
        self._connection = http.client.HTTPSConnection("127.0.0.1", settings.api_port, context=context, timeout=5)

    def __enter__(self) -> "ApiProbe":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(self, method: str, path: str) -> tuple[int, bytes]:
        """(status, body); status 0 when there is no answer."""
        try:
            self._connection.request(method, path)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, b""

    def get(self, path: str) -> Any:
        """The decoded object, None for any failure."""
        status, body = self.request("GET", path)
        return json.loads(body) if status == 200 else None


def wait_for_api(paths: ClusterPaths, settings: ClusterSettings) -> None:
    """Sooner than in a minute it fails if the server ends again and again."""
    before = _state(paths).get("apiserver", {}).get("restarts", 0)

    def complaint() -> str:
        return f"the API server is not ready: {last_words(paths.logs / 'apiserver.log')}"

    with ApiProbe(paths, settings) as api:

        def ready() -> bool:
            if not pid(paths):
                raise ClusterError(f"the supervisor ended: {last_words(paths.logs / 'supervisor.log')}")
            if _state(paths).get("apiserver", {}).get("restarts", 0) >= before + VAIN_RESTARTS:
                raise ClusterError(complaint())
            return api.request("GET", "/readyz")[0] == 200

        _wait(ready, complaint)


def wait_for_nodes(paths: ClusterPaths, settings: ClusterSettings, names: Sequence[str]) -> None:
    with ApiProbe(paths, settings) as api:
        waiting = set(names)

        def ready() -> bool:
            listed = api.get("/api/v1/nodes") or {"items": []}
            said = {node["metadata"]["name"] for node in listed["items"] if ready_status(node) == "True"}
            waiting.difference_update([name for name in waiting & said if _agent_answers(api, name)])
            return not waiting

        def complaint() -> str:
            return "; ".join(f"node {name!r} is not Ready: {last_words(paths.logs / f'{name}-agent.log')}" for name in sorted(waiting))

        _wait(ready, complaint)


def _agent_answers(api: ApiProbe, node: str) -> bool:
    """A node that was cut off a moment ago is still called Ready."""
    return api.request("GET", f"/api/v1/nodes/{node}/proxy/healthz")[0] == 200


def delete_node(paths: ClusterPaths, settings: ClusterSettings, name: str) -> None:
    """Remove the Node object of a node that is gone for good."""
    with ApiProbe(paths, settings) as api:
        _wait(
            lambda: api.request("DELETE", f"/api/v1/nodes/{name}")[0] in (200, 404),
            f"the API server does not remove node {name!r}; try: kubectl delete node {name}",
        )


def wait_for_containerd(node: NodePaths) -> None:
    def accepts() -> bool:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(node.containerd_socket))
            return True
        return False

    log = node.cluster.logs / f"{node.name}-containerd.log"
    _wait(accepts, lambda: f"containerd of node {node.name!r} does not answer: {last_words(log)}")


def wait_until_off(paths: ClusterPaths, node: str) -> None:
    """Until the supervisor no longer runs the node's parts."""

    def stopped() -> bool:
        return not pid(paths) or not any(part.partition("/")[0] == node for part in _state(paths))

    _wait(stopped, f"node {node!r} does not stop: {len(cgroup.processes(f'proa/{paths.name}/{node}'))} processes are left")


def wait_for_names(settings: ClusterSettings, nodes: Sequence[NodeSettings]) -> None:
    """Until the cluster DNS address answers with the `kubernetes` Service, asked on each node."""
    for node in nodes:
        namespace = node_namespace(settings.name, node.name)
        message = f"{NAME} does not resolve at {settings.dns_address} on node {node.name!r}"
        _wait(lambda name=namespace: _resolves(name, settings.dns_address), message)  # type: ignore[misc]


def _state(paths: ClusterPaths) -> dict[str, dict[str, int]]:
    """What the supervisor says that it runs."""
    try:
        found: dict[str, dict[str, int]] = json.loads(paths.state.read_text())
    except FileNotFoundError:
        return {}
    return found


def _resolves(namespace: str, server: str) -> bool:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            enter(network=DIRECTORY / namespace)
            code = 0 if _ask(server) else 1
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def _ask(server: str) -> bool:
    """One A query over UDP (RFC 1035); true for an answer without error that has a record."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in NAME.split("."))
    query = struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.5)
        try:
            udp.sendto(query, (server, 53))
            answer = udp.recv(1500)
        except OSError:
            return False
    return len(answer) > 12 and answer[:2] == query[:2] and answer[3] & 0x0F == 0 and answer[7] > 0


def _wait(condition: Callable[[], bool], failure: str | Callable[[], str], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"after {patience:.0f} s {failure if isinstance(failure, str) else failure()}")
        time.sleep(INTERVAL)
