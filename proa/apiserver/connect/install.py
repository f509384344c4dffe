"""The table of subresources that stream, and who answers them.

What they need (SPDY, WebSockets, a client) is imported by the first request, as a starting server has no time for it.
"""

import re
from functools import cached_property
from typing import TYPE_CHECKING

from proa.apiserver.call import Call, Connect, ServerContext
from proa.apiserver.config import ApiServerConfig
from proa.lib.http.message import AnyResponse

if TYPE_CHECKING:
    from proa.apiserver.connect.kubelet import Kubelets

Key = tuple[str, str, str]
STREAMING: tuple[Key, ...] = (
    ("", "pods", "exec"),
    ("", "pods", "attach"),
    ("", "pods", "portforward"),
    ("", "pods", "log"),
    ("", "pods", "proxy"),
    ("", "services", "proxy"),
    ("", "nodes", "proxy"),
)
_PROXIED = re.compile(rb"/api/v1/(?:namespaces/[^/?]+/(?:pods|services)|nodes)/[^/?]+/proxy(?:[/?]|$)")


def has_long_body(target: bytes) -> bool:
    """Whether a request for this target may be the proxies', which pass bodies of any length on as they come."""
    return _PROXIED.match(target) is not None


def install(context: ServerContext, config: ApiServerConfig) -> None:
    handlers = _Handlers(context, config)
    context.connect.update(dict.fromkeys(STREAMING, handlers.answer))


class _Handlers:
    def __init__(self, context: ServerContext, config: ApiServerConfig) -> None:
        self._context, self._config = context, config

    async def answer(self, call: Call) -> AnyResponse:
        return await self._table["", call.info.resource, call.info.subresource](call)

    @cached_property
    def _table(self) -> dict[Key, Connect]:
        from proa.apiserver.connect.kubelet import Kubelets

        return table(Kubelets(self._config, self._context.reader))


def table(kubelets: "Kubelets") -> dict[Key, Connect]:
    from proa.apiserver.connect.log import PodLog
    from proa.apiserver.connect.proxied import Proxies
    from proa.apiserver.connect.streams import Streams

    streams, proxies, log = Streams(kubelets), Proxies(kubelets), PodLog(kubelets)
    answers = (streams.exec, streams.attach, streams.port_forward, log.serve, proxies.pod, proxies.service, proxies.node)
    return dict(zip(STREAMING, answers, strict=True))
