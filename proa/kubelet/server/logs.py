"""/containerLogs: finds the attempt whose log is asked for and streams it."""

from proa.api import meta
from proa.api.errors import BadRequest
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.cri.errors import RuntimeFailure, RuntimeNotFound
from proa.kubelet.cri.runtime import Container
from proa.kubelet.server.container_log import read_log
from proa.kubelet.server.log_options import LogOptions, logged_container_id, parse_log_options
from proa.kubelet.server.node import Node
from proa.kubelet.server.streaming import StreamFailure
from proa.lib.http.message import AnyResponse, Request, StreamResponse, Writer


class Logs:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def serve(self, request: Request, namespace: str, name: str, container: str) -> AnyResponse:
        """Raises StreamFailure or BadRequest."""
        pod = self._node.find_pod(namespace, name)
        if pod is None:
            raise StreamFailure(404, f'pod "{name}" does not exist\n')
        if pod_spec.container(pod, container) is None:
            raise StreamFailure(404, f'container "{container}" not found in pod "{name}"\n')
        options = parse_log_options(request.query, self._node.clock.now())
        logged = await self._logged(pod, container, options)
        pieces = read_log(logged.log_path, options, self._node.clock, lambda: self._runs(logged.id))
        try:
            first = await anext(pieces, b"") if not options.follow else b""
        except OSError as error:
            raise BadRequest(f"failed to open log file {logged.log_path!r}: {error.strerror}") from None

        async def run(writer: Writer) -> None:
            try:
                await writer.write(first)
                async for piece in pieces:
                    await writer.write(piece)
            finally:
                await pieces.aclose()  # type: ignore[attr-defined]

        return StreamResponse(run, headers={"content-type": "text/plain"}, patient=True)

    async def _logged(self, pod: Object, container: str, options: LogOptions) -> Container:
        """What the runtime says of the newest attempt counts before the status, which is a little behind."""
        if not options.previous:
            found = await self._node.find_container(meta.namespace(pod), meta.name(pod), container, meta.uid(pod))
            if found is not None and found.status is not None and (found.status.is_running or found.status.is_exited):
                return found.status
        identifier = logged_container_id(pod, container, previous=options.previous)
        try:
            return await self._node.runtime.container_status(identifier)
        except RuntimeFailure:
            raise BadRequest(f"unable to retrieve container logs for containerd://{identifier}") from None

    async def _runs(self, container_id: str) -> bool:
        try:
            return (await self._node.runtime.container_status(container_id)).is_running
        except RuntimeNotFound:
            return False
        except RuntimeFailure:
            return True
