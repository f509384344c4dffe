"""The kubelet API's paths as a table: segments in braces are handed to the handler by position."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote

from proa.lib.dataclass import dataclass
from proa.lib.http.message import AnyResponse, Request

RouteHandler = Callable[..., Awaitable[AnyResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    methods: tuple[str, ...]
    pattern: str
    handler: RouteHandler


@dataclass(frozen=True, slots=True)
class Found:
    """`handler` None: the path is known, the method is not."""

    handler: RouteHandler | None
    arguments: tuple[str, ...] = ()


def find_route(routes: Sequence[Route], request: Request) -> Found | None:
    segments = [unquote(each) for each in (request.raw_path or request.path).strip("/").split("/")]
    known = False
    for route in routes:
        arguments = _match(route.pattern.strip("/").split("/"), segments)
        if arguments is not None:
            if request.method in route.methods:
                return Found(route.handler, arguments)
            known = True
    return Found(None) if known else None


def _match(pattern: list[str], segments: list[str]) -> tuple[str, ...] | None:
    if len(pattern) != len(segments):
        return None
    arguments = []
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted.startswith("{"):
            if not given:
                return None
            arguments.append(given)
        elif wanted != given:
            return None
    return tuple(arguments)
