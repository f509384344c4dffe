"""A request between its parsing and its answer: what its framing says, and how a handler started outside of a task goes on in one."""

from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any

from proa.lib.http.message import AnyResponse, Request


class Pending:
    """A parsed request and what its framing says about the connection."""

    __slots__ = ("keep_alive", "old", "request", "upgrade")

    def __init__(self, request: Request, *, keep_alive: bool, old: bool, upgrade: bool) -> None:
        self.request = request
        self.keep_alive = keep_alive
        self.old = old
        self.upgrade = upgrade

    @property
    def is_unread(self) -> bool:
        """Whether a part of the body is still to come: no other request can follow then."""
        return self.request.stream is not None and not self.request.stream.is_complete


@coroutine
def resume(handler: Coroutine[Any, Any, AnyResponse], awaited: Any) -> Generator[Any, Any, AnyResponse]:
    """Go on, inside a task, with a coroutine that already waits for `awaited`."""
    step: Callable[[Any], Any]
    while True:
        try:
            argument: Any = yield awaited
            step = handler.send
        except BaseException as error:
            argument, step = error, handler.throw
        try:
            awaited = step(argument)
        except StopIteration as done:
            response: AnyResponse = done.value
            return response
