"""pods/exec, pods/attach and pods/portforward: joined with the kubelet of the pod's node."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlencode

from proa.api import meta
from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.authz.denial import forbidden
from proa.apiserver.call import Call
from proa.apiserver.connect.kubelet import Kubelets, dial_error, unknown_error
from proa.apiserver.connect.pod import admit_connect, choose_container, find_pod, node_of
from proa.client.streaming import gateway
from proa.client.streaming.command import CommandOptions
from proa.client.streaming.target import StreamTarget
from proa.lib.http.client import Endpoint
from proa.lib.http.message import AnyResponse


class Streams:
    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets

    async def exec(self, call: Call) -> AnyResponse:
        return await self._command(call, "exec", "PodExecOptions")

    async def attach(self, call: Call) -> AnyResponse:
        return await self._command(call, "attach", "PodAttachOptions")

    async def _command(self, call: Call, kind: str, options_kind: str) -> AnyResponse:
        await _may_create(call)
        pod = find_pod(call)
        await admit_connect(call, options_kind)
        container = choose_container(pod, call.request.parameter("container"))
        endpoint = self._kubelets.endpoint(node_of(pod))
        options = gateway.command_options(call.request.query)
        target = StreamTarget(endpoint, command_path(kind, pod, container, options, call.request.query.get("command", [])))
        try:
            return await gateway.command(call.request, options, target)
        except OSError as error:
            raise dialing(endpoint, error) from None

    async def port_forward(self, call: Call) -> AnyResponse:
        await _may_create(call)
        pod = find_pod(call)
        await admit_connect(call, "PodPortForwardOptions")
        endpoint = self._kubelets.endpoint(node_of(pod))

        async def target(ports: Sequence[int]) -> StreamTarget:
            query = "&".join(f"port={port}" for port in ports)
            path = f"/portForward/{quote(meta.namespace(pod))}/{quote(meta.name(pod))}"
            return StreamTarget(endpoint, f"{path}?{query}" if query else path)

        try:
            return await gateway.port_forward(call.request, target)
        except OSError as error:
            raise dialing(endpoint, error) from None


def command_path(kind: str, pod: Object, container: str, options: CommandOptions, command: Sequence[str]) -> str:
    """The kubelet's own names for the streams."""
    streams = {"input": options.stdin, "output": options.stdout, "error": options.stderr, "tty": options.tty}
    query = [*((name, "1") for name, wanted in streams.items() if wanted), *(("command", word) for word in command)]
    return f"/{kind}/{quote(meta.namespace(pod))}/{quote(meta.name(pod))}/{quote(container)}?{urlencode(query)}"


def dialing(endpoint: Endpoint, error: OSError) -> ApiError:
    return unknown_error(f"error dialing backend: {dial_error(endpoint, error)}")


async def _may_create(call: Call) -> None:
    """A WebSocket can only begin with GET, but to run something in a pod takes the right to create, whatever the protocol."""
    if call.request.method != "GET" or not gateway.is_websocket(call.request):
        return
    info = replace(call.info, verb="create")
    decision = await call.server.authorizer.authorize(call.user, info)
    if not decision.allowed:
        raise forbidden(call.user, info, decision.reason)
