"""WATCH: events as lines of JSON, flushed in batches as they come, with bookmarks, initial events, and 410 as an ERROR event.

The object's bytes are those of the cache; a watcher costs a concatenation an event. The stream ends at its time-out, when the client
leaves, or when it was too slow; the client then resumes from the last resource version it saw.
"""

import functools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field, replace

from proa.api.errors import BadRequest, Expired
from proa.api.fields import parse_field_selector
from proa.apiserver.call import Call
from proa.apiserver.negotiation import CBOR, CBOR_SEQUENCE, PROTOBUF, Encoding, negotiate
from proa.apiserver.options import ListOptions, too_large_revision
from proa.apiserver.served import ServedResource
from proa.apiserver.verbs.list import scope_of, selection
from proa.apiserver.verbs.watch_frames import Frame, bookmark, error_frame, framer
from proa.lib.clock import Clock
from proa.lib.dataclass import dataclass
from proa.lib.http.message import StreamResponse, UpgradeResponse, Writer
from proa.lib.websocket.handshake import is_upgrade
from proa.storage.interface import Compacted, FutureRevision, StoreEvent, WatchClosed, Watcher

BOOKMARK_INTERVAL = 60.0
LARGEST_WRITE = 256 * 1024

STREAM_TYPES = {PROTOBUF: f"{PROTOBUF};stream=watch", CBOR: CBOR_SEQUENCE}


async def watch(call: Call) -> StreamResponse | UpgradeResponse:
    """Opens the watch before the answer starts, so that nothing between is missed; refusals are ordinary errors."""
    options = selection(call, watching=True)
    if call.info.name:
        options = _only(options, call.info.name)
    encoding = negotiate(call.request, watching=True, definition=call.served.resource.definition)
    frame = framer(call, encoding)
    headers = {"content-type": STREAM_TYPES.get(encoding.media_type, encoding.media_type)}
    if options.send_initial_events and options.resource_version:
        await _reach(call, options.resource_version)
    try:
        watcher = _open(call, options)
    except Compacted as error:
        text = f"too old resource version: {options.resource_version} ({error.oldest})"
        return _answer(call, encoding, _single(error_frame(Expired(text), encoding)), headers)
    count = functools.partial(call.server.watch_started, call.info)
    stream = WatchStream(
        call.server.clock, call.served, watcher, options, frame, encoding, count, call.server.watch_events(call.info),
        call.initialized, call.server.min_request_timeout,
    )  # fmt: skip
    return _answer(call, encoding, stream.run, headers, stream)


Run = Callable[[Writer], Awaitable[None]]


def _answer(
    call: Call, encoding: Encoding, run: Run, headers: dict[str, str], stream: "WatchStream | None" = None
) -> StreamResponse | UpgradeResponse:  # fmt: skip
    if "upgrade" not in call.request.headers or not is_upgrade(call.request.headers, "websocket"):
        return StreamResponse(run, 200, headers)
    from proa.apiserver.verbs.watch_socket import upgrade

    if stream is None:
        return upgrade(call.request, encoding.media_type, run, lambda: None)
    stream.one_by_one = True
    return upgrade(call.request, encoding.media_type, run, stream.watcher.close)


async def _reach(call: Call, revision: int) -> None:
    """Initial events show a state that is not older than the asked one; raises Timeout if that doesn't come."""
    try:
        await call.served.objects.get("", minimum_revision=revision)
    except FutureRevision as error:
        raise too_large_revision(revision, error.current) from None


def _only(options: ListOptions, name: str) -> ListOptions:
    """What the URL or the selector says of the name must be the same. Raises BadRequest."""
    if options.fields:
        if options.fields.exact("metadata.name") != name:
            raise BadRequest("fieldSelector metadata.name doesn't match requested name")
        return options
    return replace(options, fields=parse_field_selector(f"metadata.name={name}"))


def _open(call: Call, options: ListOptions) -> Watcher:
    after = options.resource_version or None
    if options.send_initial_events:
        after = None
    elif options.send_initial_events is False and after is None:
        return call.served.objects.watch(scope_of(call, options), after_revision=call.server.revision(), predicate=options.predicate())
    pinned = _pinned_field(call.served, options)
    return call.served.objects.watch(scope_of(call, options), after_revision=after, predicate=options.predicate(), field=pinned)


def _pinned_field(served: ServedResource, options: ListOptions) -> tuple[str, str] | None:
    """One field whose value the selector fixes, for example spec.nodeName: the cache then asks nobody else's watchers."""
    resource = served.resource
    names = {resource.stored_field_labels.get(name, name) for name in resource.selectable_field_names} if options.fields else ()
    for requirement in options.fields.requirements:
        if requirement.operator == "=" and requirement.field in names and requirement.value:
            return requirement.field, requirement.value
    return None


def _single(line: bytes) -> Callable[[Writer], Awaitable[None]]:
    async def run(writer: Writer) -> None:
        await writer.write(line)

    return run


@dataclass(slots=True)
class WatchStream:
    """The running side of one watch."""

    clock: Clock
    served: ServedResource
    watcher: Watcher
    options: ListOptions
    frame: Frame
    encoding: Encoding
    count: Callable[[int], None]
    sent: list[float]
    """The counter of events."""
    initialized: Callable[[], None]
    shortest: float
    """Seconds that it lasts at least, if the client does not say how long."""
    initial_pending: bool = field(init=False)
    one_by_one: bool = field(init=False, default=False)
    """Each event is a write of its own (a WebSocket's message)."""

    def __post_init__(self) -> None:
        self.initial_pending = bool(self.options.send_initial_events and self.options.bookmarks)

    async def run(self, writer: Writer) -> None:
        self.count(1)
        try:
            await self._pump(writer)
        except WatchClosed:
            return
        finally:
            self.initialized()
            self.count(-1)
            self.watcher.close()

    async def _pump(self, writer: Writer) -> None:
        timeout = self.options.timeout_seconds or self.shortest * (1 + random.random())
        deadline = self.clock.monotonic() + timeout
        bookmark_at = self._next_bookmark()
        starting = True
        while True:
            if starting and self.watcher.revision:
                starting = False
                self.initialized()
            now = self.clock.monotonic()
            wait = min(deadline, bookmark_at) - now
            if self.initial_pending:
                wait = 0 if self.watcher.revision else min(wait, 0.05)
            events = await self.watcher.next_batch(max(wait, 0))
            if events:
                await self._write(writer, events)
            now = self.clock.monotonic()
            if not events:
                await self._end_of_initial(writer)
            if now >= deadline:
                break
            if now >= bookmark_at:
                bookmark_at = self._next_bookmark()
                await self._bookmark(writer)
        await self._end_of_initial(writer)
        await self._bookmark(writer)

    async def _end_of_initial(self, writer: Writer) -> None:
        if self.initial_pending and self.watcher.revision:
            self.initial_pending = False
            await writer.write(bookmark(self.served, self.encoding, self.watcher.revision, initial_end=True))

    async def _bookmark(self, writer: Writer) -> None:
        if self.options.bookmarks and self.watcher.revision and not self.initial_pending:
            await writer.write(bookmark(self.served, self.encoding, self.watcher.revision))

    def _next_bookmark(self) -> float:
        return self.clock.monotonic() + BOOKMARK_INTERVAL if self.options.bookmarks else float("inf")

    async def _write(self, writer: Writer, events: Sequence[StoreEvent]) -> None:
        """In pieces, as a client that doesn't read would else hold all initial events of its watch in memory."""
        self.sent[0] += len(events)
        frames: list[bytes] = []
        size = 0
        largest = 0 if self.one_by_one else LARGEST_WRITE
        for event in events:
            frames.append(made := self.frame(event.type, event.entry))
            size += len(made)
            if size > largest:
                await writer.write(b"".join(frames))
                frames, size = [], 0
        if frames:
            await writer.write(b"".join(frames))
