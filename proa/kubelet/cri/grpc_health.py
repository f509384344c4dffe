"""One gRPC health check, as a grpc probe makes it."""

import grpc
import grpc.aio

from proa.kubelet.cri import grpc_health_pb2 as health_pb2
from proa.kubelet.cri.channel import translate


async def check_health(host: str, port: int, service: str, timeout: float) -> str:
    """The serving status ("SERVING", "NOT_SERVING", ...); raises RuntimeFailure where there is none."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # A channel of its own: a shared one would remember a refused connection in its back-off. No proxy between a node and its pods.
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(service=service), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            raise translate(error) from None
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
