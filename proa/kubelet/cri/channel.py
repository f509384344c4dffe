"""Calls over one gRPC channel, by method name: requests are built from keyword arguments, errors become `RuntimeFailure`."""

from typing import Any

import grpc
import grpc.aio

from proa.kubelet.cri import errors

_BY_CODE: dict[grpc.StatusCode, type[errors.RuntimeFailure]] = {
    grpc.StatusCode.NOT_FOUND: errors.RuntimeNotFound,
    grpc.StatusCode.UNAVAILABLE: errors.RuntimeUnavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.RuntimeTimeout,
}
# Without a quick reconnect a node would stay NotReady for up to two minutes after its runtime came back.
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


def translate(error: grpc.aio.AioRpcError) -> errors.RuntimeFailure:
    kind = _BY_CODE.get(error.code(), errors.RuntimeFailure)
    return kind(error.details() or str(error.code()), error.code().name)


class Channel:
    """A channel to `target` (`unix:///run/containerd/containerd.sock`)."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        self._methods: dict[str, Any] = {}

    async def call(self, service: str, method: str, messages: Any, *, limit: float | None = None, **fields: Any) -> Any:
        """`messages` is the module that has `{method}Request` and `{method}Response`; `limit` is in seconds."""
        invoke = self._methods.get(f"{service}/{method}") or self._bind(service, method, messages)
        try:
            return await invoke(getattr(messages, f"{method}Request")(**fields), timeout=limit)
        except grpc.aio.AioRpcError as error:
            raise translate(error) from None

    def _bind(self, service: str, method: str, messages: Any) -> Any:
        invoke = self._channel.unary_unary(
            f"/{service}/{method}",
            request_serializer=getattr(messages, f"{method}Request").SerializeToString,
            response_deserializer=getattr(messages, f"{method}Response").FromString,
        )
        self._methods[f"{service}/{method}"] = invoke
        return invoke

    def stream(self, service: str, method: str, request: Any, response: Any, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
        """The responses of a server-streaming method, as an async iterator that raises grpc's own errors."""
        invoke: Any = self._channel.unary_stream(
            f"/{service}/{method}", request_serializer=type(request).SerializeToString, response_deserializer=response.FromString
        )
        return invoke(request, metadata=metadata)

    async def close(self) -> None:
        await self._channel.close(None)
