"""WATCH: events as lines of JSON, flushed in batches as they come, with bookmarks, initial events, and 410 as an ERROR event.

The object's bytes are those of the cache; a watcher costs a concatenation an event. The stream ends at its time-out, when the client
leaves, or when it was too slow; the client then resumes from the last resource version it saw.
"""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import orjson

from proa.api.errors import ApiError, Expired
from proa.api.fields import parse_field_selector
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.encode import partial_metadata
from proa.apiserver.negotiation import PROTOBUF, Encoding, negotiate
from proa.apiserver.options import ListOptions, too_large_revision
from proa.apiserver.served import ServedResource
from proa.apiserver.table import Tabulator
from proa.apiserver.verbs.list import scope_of, selection
from proa.lib.clock import Clock
from proa.lib.http.message import StreamResponse, Writer
from proa.storage.interface import Compacted, Entry, FutureRevision, StoreEvent, WatchClosed, Watcher

BOOKMARK_INTERVAL = 60.0
MINIMUM_TIMEOUT = 1800
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Frame = Callable[[str, Entry], bytes]


async def watch(call: Call) -> StreamResponse:
    """Opens the watch before the answer starts, so that nothing between is missed; refusals are ordinary errors."""
    options = selection(call, watching=True)
    if call.info.name and not options.fields:
        options = _only(options, call.info.name)
    encoding = negotiate(call.request, watching=True, definition=call.served.resource.definition)
    frame = _framer(call, encoding)
    headers = {"content-type": f"{PROTOBUF};stream=watch" if encoding.media_type == PROTOBUF else encoding.media_type}
    if options.send_initial_events and options.resource_version:
        await _reach(call, options.resource_version)
    try:
        watcher = _open(call, options)
    except Compacted as error:
        text = f"too old resource version: {options.resource_version} ({error.oldest})"
        return StreamResponse(_single(error_frame(Expired(text), encoding)), 200, headers)
    stream = WatchStream(call.server.clock, call.served, watcher, options, frame, encoding, call.server.watch_started)
    return StreamResponse(stream.run, 200, headers)


async def _reach(call: Call, revision: int) -> None:
    """Initial events show a state that is not older than the asked one; raises Timeout if that doesn't come."""
    try:
        await call.served.objects.get("", minimum_revision=revision)
    except FutureRevision as error:
        raise too_large_revision(revision, error.current) from None


def _only(options: ListOptions, name: str) -> ListOptions:
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


def error_frame(error: ApiError, encoding: Encoding) -> bytes:
    return object_frame("ERROR", error.to_status(), encoding)


def object_frame(type_: str, obj: Object, encoding: Encoding) -> bytes:
    """An event about what is not in the store."""
    if encoding.media_type == PROTOBUF:
        from proa.apiserver import protobuf_body

        return protobuf_body.object_frame(type_, obj)
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), orjson.dumps(obj))


def _framer(call: Call, encoding: Encoding) -> Frame:
    served = call.served
    if encoding.media_type == PROTOBUF:
        from proa.apiserver.protobuf_body import event_frame

        return event_frame(served, encoding)
    if encoding.form == "Table":
        return _TableFrames(served, call.tabulator())
    if encoding.form:
        return lambda type_, entry: b'{"type":"%b","object":%b}\n' % (type_.encode(), partial_metadata(entry, encoding.version))
    if served.converts:
        return lambda type_, entry: b'{"type":"%b","object":%b}\n' % (type_.encode(), served.value(entry))
    return plain_frame


_HEADS = {type_: b'{"type":"%b","object":' % type_.encode() for type_ in ("ADDED", "MODIFIED", "DELETED")}


def plain_frame(type_: str, entry: Entry) -> bytes:
    return _HEADS[type_] + entry.value + b"}\n"


class _TableFrames:
    """Each event is a Table of one row; the columns are named only once."""

    def __init__(self, served: ServedResource, tabulator: Tabulator) -> None:
        self._served = served
        self._tabulator = tabulator
        self._first = True

    def __call__(self, type_: str, entry: Entry) -> bytes:
        document = self._tabulator.document([self._served.decode(entry)], {"resourceVersion": str(entry.revision)}, headers=self._first)
        self._first = False
        return b'{"type":"%b","object":%b}\n' % (type_.encode(), orjson.dumps(document))


def bookmark(served: ServedResource, encoding: Encoding, revision: int, *, initial_end: bool = False) -> bytes:
    metadata: dict[str, object] = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    identity = served.resource.id
    obj: dict[str, object] = {"kind": identity.kind, "apiVersion": identity.api_version, "metadata": metadata}
    if encoding.form == "Table":
        obj = {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": [],
            "rows": [],
        }
        if initial_end:
            obj["rows"] = [{"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}}]
    elif encoding.form:
        obj["kind"], obj["apiVersion"] = "PartialObjectMetadata", f"meta.k8s.io/{encoding.version}"
    return object_frame("BOOKMARK", obj, encoding)


@dataclass(slots=True)
class WatchStream:
    """The running side of one watch."""

    clock: Clock
    served: ServedResource
    watcher: Watcher
    options: ListOptions
    frame: Frame
    encoding: Encoding
    count: Callable[[str, int], None]
    initial_pending: bool = field(init=False)

    def __post_init__(self) -> None:
        self.initial_pending = bool(self.options.send_initial_events and self.options.bookmarks)

    async def run(self, writer: Writer) -> None:
        self.count(self.served.resource.id.plural, 1)
        try:
            await self._pump(writer)
        except WatchClosed:
            return
        finally:
            self.count(self.served.resource.id.plural, -1)
            self.watcher.close()

    async def _pump(self, writer: Writer) -> None:
        timeout = self.options.timeout_seconds or MINIMUM_TIMEOUT * (1 + random.random())
        deadline = self.clock.monotonic() + timeout
        bookmark_at = self._next_bookmark()
        while True:
            now = self.clock.monotonic()
            wait = min(deadline, bookmark_at) - now
            if self.initial_pending:
                wait = 0 if self.watcher.revision else min(wait, 0.05)
            events = await self.watcher.next_batch(max(wait, 0))
            if events:
                await writer.write(self._lines(events))
            now = self.clock.monotonic()
            if self.initial_pending and self.watcher.revision and not events:
                self.initial_pending = False
                await writer.write(bookmark(self.served, self.encoding, self.watcher.revision, initial_end=True))
            if now >= deadline:
                break
            if now >= bookmark_at:
                bookmark_at = self._next_bookmark()
                await self._bookmark(writer)
        await self._bookmark(writer)

    async def _bookmark(self, writer: Writer) -> None:
        if self.options.bookmarks and self.watcher.revision and not self.initial_pending:
            await writer.write(bookmark(self.served, self.encoding, self.watcher.revision))

    def _next_bookmark(self) -> float:
        return self.clock.monotonic() + BOOKMARK_INTERVAL if self.options.bookmarks else float("inf")

    def _lines(self, events: Sequence[StoreEvent]) -> bytes:
        frame = self.frame
        return b"".join([frame(event.type, event.entry) for event in events])
