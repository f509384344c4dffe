"""The API server's own work for a request: the whole handler chain in one process, without sockets, in CPU time of its event loop.

`python -m benchmarks.handler [ROUNDS [FLAG=VALUE...]]`. CPU time of one thread depends less on the neighbours than a rate does, so two
versions can be compared in alternation on a busy machine; each figure is the lowest of its rounds. The store's writer is a thread of its
own and not in the figures.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs

import orjson

from benchmarks.workload import DEPLOYMENTS, NAMESPACE, PODS, deployment, pod
from proa.apiserver.config import ApiServerConfig
from proa.apiserver.server import ApiServer, build
from proa.lib.http.message import Request, Response
from proa.lib.pki import load_or_create_private_key

USER, RBAC = "benchmark", "rbac.authorization.k8s.io"
WRITERS, WRITES, READS = 32, 1_000, 5_000
Ask = Callable[[int], Request]


def _request(method: str, target: str, body: bytes = b"", content_type: str = "application/json") -> Request:
    path, _, query = target.partition("?")
    headers = {
        "content-type": content_type, "user-agent": "benchmark/1", "x-remote-user": USER, "x-remote-group": "system:authenticated",
    }  # fmt: skip
    return Request(method, path, parse_qs(query) if query else {}, headers, body, path, query, "unix")


def _bodies(document: object) -> Callable[[int], bytes]:
    text = orjson.dumps(document)
    return lambda number: text.replace(b"NUMBER", b"%d" % number)


async def _cost(server: ApiServer, ask: Ask, count: int, writers: int) -> float:
    """Microseconds of this thread's CPU a request."""

    async def work(numbers: range) -> None:
        for number in numbers:
            answer = await server.handler(ask(number))
            assert isinstance(answer, Response)
            assert answer.status < 300, answer.body
            await asyncio.sleep(0)  # so that turns of the loop end, and with them what is done once a turn

    began = time.thread_time()
    await asyncio.gather(*(work(range(first, count, writers)) for first in range(writers)))
    return (time.thread_time() - began) / count * 1e6


async def _round(server: ApiServer, number: int) -> dict[str, float]:
    pods, specs = _bodies(pod(f"one-{number}")), _bodies(pod(f"own-{number}"))
    applied = orjson.dumps(deployment()).replace(b"%", b"%%").replace(b"NUMBER", b"%d").replace(b"COUNT", b"%d")
    first = number * WRITES

    def own_spec(i: int) -> Request:
        return _request("POST", PODS, specs(i).replace(b'"hello"', b'"hello %d"' % (first + i)))

    def apply(i: int) -> Request:
        body = applied % (i % 100, first + i)
        return _request("PATCH", f"{DEPLOYMENTS}/web-{i % 100}?fieldManager=benchmark&force=true", body, "application/apply-patch+yaml")

    asked: dict[str, tuple[Ask, int, int]] = {
        "create of a Pod, all of one spec": (lambda i: _request("POST", PODS, pods(i)), WRITES, WRITERS),
        "create of a Pod, each with a spec of its own": (own_spec, WRITES, WRITERS),
        "GET of a Pod": (lambda i: _request("GET", f"{PODS}/one-{number}-{i % WRITES}"), READS, 1),
        "server-side apply of a Deployment, changed each time": (apply, WRITES, WRITERS),
    }
    return {title: await _cost(server, ask, count, writers) for title, (ask, count, writers) in asked.items()}


async def measure(rounds: int, arguments: tuple[str, ...] = ()) -> dict[str, float]:
    """The lowest cost of each kind of request; `arguments` are flags of the API server."""
    from proa.apiserver.flags import with_flags

    with TemporaryDirectory(prefix="proa-handler-") as folder:
        key = Path(folder) / "key"
        load_or_create_private_key(key)
        config = ApiServerConfig(
            data_directory=Path(folder),
            listen=(),
            unix_socket=None,
            certificate=key,
            private_key=key,
            client_ca=key,
            service_account_key=key,
        )
        server = await build(with_flags(config, arguments))
        await server.start(listen=False)
        await _prepare(server)
        found = [await _round(server, number) for number in range(rounds)]
        await server.stop(0)
    return {title: min(each[title] for each in found) for title in found[0]}


async def _prepare(server: ApiServer) -> None:
    """The namespace, its service account, and a user whose rights RBAC has to look up."""
    binding = {
        "metadata": {"name": USER}, "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": USER}],
    }  # fmt: skip
    await server.writer.request("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    await server.writer.request("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
    await server.writer.request("POST", f"/apis/{RBAC}/v1/clusterrolebindings", binding)


def main() -> None:
    import uvloop

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for title, cost in uvloop.run(measure(rounds, tuple(sys.argv[2:]))).items():
        print(f"{title}: {cost:.0f} us")


if __name__ == "__main__":
    main()
