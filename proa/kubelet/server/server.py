"""The kubelet API on port 10250: what the API server, scrapers and debuggers ask of a node, over TLS, for those who may.

Every request is identified and authorized before its path is looked at. Refusals are plain text, as kubelets have always given them.
"""

import asyncio
import logging
from pathlib import Path

import orjson

from proa.api.errors import ApiError
from proa.client.interface import Client
from proa.kubelet.config import KubeletConfiguration
from proa.kubelet.server.authorization import Authorization
from proa.kubelet.server.identity import Authentication
from proa.kubelet.server.logs import Logs
from proa.kubelet.server.node import Node
from proa.kubelet.server.node_usage import node_usage
from proa.kubelet.server.routes import Route, RouteHandler, find_route
from proa.kubelet.server.samples import cadvisor_samples, render, resource_samples
from proa.kubelet.server.stats import Rates, Reading, summary
from proa.kubelet.server.streaming import StreamFailure, Streaming
from proa.lib.http.message import AnyResponse, Request, Response
from proa.lib.http.server import HttpServer
from proa.lib.http.tls import server_context
from proa.lib.metrics import Counter, GaugeFunction, Registry

log = logging.getLogger(__name__)
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
READ, STREAM = ("GET", "HEAD"), ("GET", "POST")


class KubeletServer:
    """`run` serves until it is cancelled; `handler` answers without sockets."""

    def __init__(self, config: KubeletConfiguration, node: Node, client: Client) -> None:
        self._config, self._node = config, node
        self._authentication = Authentication(client, node.clock)
        self._authorization = Authorization(client, config.node_name, node.clock)
        self._streaming, self._logs = Streaming(node), Logs(node)
        self._rates = Rates()
        self._metrics = Registry()
        self._requests = self._metrics.add(
            Counter("kubelet_http_requests_total", "Number of the http requests received", ("method", "path"))
        )
        self._metrics.add(GaugeFunction("kubelet_running_pods", "Number of pods that have a running pod sandbox", (), self._running_pods))
        self._routes = self._table()
        self._http = HttpServer(self.handler)
        self.port = 0

    def _table(self) -> tuple[Route, ...]:
        streaming = self._streaming
        return (
            Route(READ, "/healthz", self._health),
            Route(READ, "/healthz/ping", self._ping),
            Route(READ, "/healthz/syncloop", self._health),
            Route(READ, "/pods", self._pods),
            Route(READ, "/runningpods", self._running),
            Route(READ, "/metrics", self._own_metrics),
            Route(READ, "/metrics/resource", self._resource_metrics),
            Route(READ, "/metrics/cadvisor", self._cadvisor_metrics),
            Route(READ, "/stats/summary", self._summary),
            Route(READ, "/containerLogs/{namespace}/{pod}/{container}", self._logs.serve),
            Route(STREAM, "/exec/{namespace}/{pod}/{container}", streaming.exec),
            Route(STREAM, "/exec/{namespace}/{pod}/{uid}/{container}", _uid_last(streaming.exec)),
            Route(STREAM, "/attach/{namespace}/{pod}/{container}", streaming.attach),
            Route(STREAM, "/attach/{namespace}/{pod}/{uid}/{container}", _uid_last(streaming.attach)),
            Route(STREAM, "/portForward/{namespace}/{pod}", streaming.port_forward),
            Route(STREAM, "/portForward/{namespace}/{pod}/{uid}", streaming.port_forward),
            Route(("POST",), "/run/{namespace}/{pod}/{container}", streaming.run),
            Route(("POST",), "/run/{namespace}/{pod}/{uid}/{container}", _uid_last(streaming.run)),
        )

    async def run(self) -> None:
        config = self._config
        client_ca = Path(config.client_ca_file) if config.client_ca_file else None
        tls = server_context(Path(config.tls_cert_file), Path(config.tls_private_key_file), client_ca)
        self.port = await self._http.listen(config.address, config.port, tls)
        log.info("kubelet API on %s:%s", config.address, self.port)
        try:
            await asyncio.Event().wait()
        finally:
            await self._http.stop(grace=0.5)

    async def handler(self, request: Request) -> AnyResponse:
        try:
            caller = await self._authentication.identify(request)
            await self._authorization.check(caller, request)
            return await self._serve(request)
        except StreamFailure as failure:
            return _text(failure.code, failure.message)
        except ApiError as error:
            return _text(error.status_code, error.message)
        except OSError as error:
            return _text(502, f"the container runtime's streaming server does not answer: {error}")

    async def _serve(self, request: Request) -> AnyResponse:
        found = find_route(self._routes, request)
        if found is None:
            return _text(404, "404 page not found\n")
        if found.handler is None:
            return _text(405, "405: Method Not Allowed")
        self._requests.increment(request.method, request.path.strip("/").partition("/")[0])
        return await found.handler(request, *found.arguments)

    async def _health(self, request: Request) -> Response:
        return _text(200, "ok") if self._node.is_healthy else _text(500, "[-]syncloop failed: the container runtime was not seen lately\n")

    async def _ping(self, request: Request) -> Response:
        return _text(200, "ok")

    async def _pods(self, request: Request) -> Response:
        return _pod_list(list(self._node.pods))

    async def _running(self, request: Request) -> Response:
        """What the runtime runs, as pods with no more than names and images."""
        pods: dict[str, dict[str, object]] = {}
        for each in await self._node.runtime.list_pod_sandboxes():
            if each.ready:
                metadata = {"name": each.name, "namespace": each.namespace, "uid": each.uid, "creationTimestamp": None}
                pods[each.id] = {"metadata": metadata, "spec": {"containers": []}, "status": {}}
        for container in await self._node.runtime.list_containers():
            pod = pods.get(container.sandbox_id)
            if pod is not None and container.is_running:
                pod["spec"]["containers"].append({"name": container.name, "image": container.image, "resources": {}})  # type: ignore[index]
        return _pod_list(list(pods.values()))

    async def _own_metrics(self, request: Request) -> Response:
        return Response(200, {"content-type": PROMETHEUS}, self._metrics.render())

    def _running_pods(self) -> list[tuple[tuple[str, ...], float]]:
        return [((), sum((pod.get("status") or {}).get("phase") == "Running" for pod in self._node.pods))]

    async def _reading(self) -> Reading:
        containers, sandboxes = await asyncio.gather(self._node.container_stats(), self._node.sandbox_stats())
        now = int(self._node.clock.now().timestamp() * 10**9)
        return Reading(list(self._node.pods), containers, sandboxes, node_usage(self._config.cgroup_root, now))

    async def _summary(self, request: Request) -> Response:
        document = summary(await self._reading(), self._config.node_name, self._rates)
        return Response(200, {"content-type": "application/json"}, orjson.dumps(document))

    async def _resource_metrics(self, request: Request) -> Response:
        return Response(200, {"content-type": PROMETHEUS}, render(resource_samples(await self._reading())))

    async def _cadvisor_metrics(self, request: Request) -> Response:
        return Response(200, {"content-type": PROMETHEUS}, render(cadvisor_samples(await self._reading())))


def _uid_last(handler: RouteHandler) -> RouteHandler:
    async def serve(request: Request, namespace: str, pod: str, uid: str, container: str) -> AnyResponse:
        answer: AnyResponse = await handler(request, namespace, pod, container, uid)
        return answer

    return serve


def _pod_list(items: list[dict[str, object]]) -> Response:
    return Response(
        200, {"content-type": "application/json"}, orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})
    )


def _text(code: int, message: str) -> Response:
    return Response(code, {"content-type": "text/plain; charset=utf-8"}, message.encode())
