"""The next hop of a stream: a server that is asked for SPDY/3.1. For the API server it is a kubelet, for a kubelet its runtime."""

from collections.abc import Sequence

from proa.lib.dataclass import dataclass
from proa.lib.http.client import Endpoint, HttpClient, Upgraded

PROTOCOL_HEADER = "x-stream-protocol-version"


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """`path` with its query, as it goes on the wire."""

    endpoint: Endpoint
    path: str
    method: str = "POST"

    async def open(self, protocols: Sequence[str]) -> Upgraded:
        """The connection, or the answer that refused it. Raises OSError when there is no answer."""
        headers = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1"), *((PROTOCOL_HEADER, each) for each in protocols)]
        client = HttpClient(self.endpoint)
        try:
            return await client.upgrade(self.method, self.path, headers)
        finally:
            await client.close()
