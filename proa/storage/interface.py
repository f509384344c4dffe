"""The two interfaces of persistence: `Backend` keeps bytes under keys with revisions; `Collection` keeps objects of one resource.

A backend is a log of revisions (MVCC, as etcd v3 has it): every write gets the next revision of the whole store, history stays until
compaction, and a watch starts from any revision that is not compacted. An answer to a write means that it is durable.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

from proa.api.meta import Object
from proa.lib.dataclass import dataclass


class Unavailable(Exception):
    """The backend can't answer: the disk is full or broken, the connection is lost, or it has been stopped. An embedded store has
    not made the write; over a connection nobody knows."""


class KeyExists(Exception):
    """Create of a key that is there."""


class RevisionConflict(Exception):
    """The key is not at the expected revision. `current` is what is there now, None if it is gone."""

    def __init__(self, current: "Record | None") -> None:
        super().__init__("revision conflict")
        self.current = current


class Compacted(Exception):
    """The asked revision is older than the history. `oldest` is the compaction revision."""

    def __init__(self, oldest: int) -> None:
        super().__init__(f"revision compacted, oldest is {oldest}")
        self.oldest = oldest


class FutureRevision(Exception):
    """The asked revision has not happened yet. `current` is the newest."""

    def __init__(self, current: int) -> None:
        super().__init__(f"revision is in the future, current is {current}")
        self.current = current


@dataclass(frozen=True, slots=True)
class Record:
    """A key's value at the revision that wrote it."""

    key: str
    value: bytes
    revision: int
    create_revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """One revision of the log. `record` is the new value, or for a delete the last one; `previous` what it replaced."""

    type: Literal["put", "delete"]
    revision: int
    record: Record
    previous: Record | None


@dataclass(frozen=True, slots=True)
class Page:
    """A list's answer: records in key order, the revision they were read at, whether more follow."""

    records: Sequence[Record]
    revision: int
    more: bool


class ChangeStream(Protocol):
    """A watch: iterate over it, close it when done. It ends by itself when the backend stops."""

    def __aiter__(self) -> AsyncIterator[Change]: ...
    async def __anext__(self) -> Change: ...
    async def aclose(self) -> None: ...


class Backend(Protocol):
    """Bytes under keys, with revisions. Every method may be called concurrently."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        """The record now, or as it was at `revision`; raises Compacted, FutureRevision."""
        ...

    async def list(self, prefix: str, *, revision: int = 0, after: str = "", limit: int = 0) -> Page:
        """Records whose key starts with `prefix` and comes after `after`, in key order; raises Compacted, FutureRevision."""
        ...

    async def create(self, key: str, value: bytes) -> int:
        """The revision of the write, once durable; raises KeyExists."""
        ...

    async def update(self, key: str, value: bytes, *, expected_revision: int) -> int:
        """Replace the value if the key is still at `expected_revision`; raises RevisionConflict."""
        ...

    async def delete(self, key: str, *, expected_revision: int) -> int:
        """Delete if still at `expected_revision`; the revision of the deletion; raises RevisionConflict."""
        ...

    def watch(self, prefix: str, *, after_revision: int, with_previous: bool = True) -> "ChangeStream":
        """Every change under the prefix with a revision greater than that, in order, then each new one once durable; raises Compacted.

        Closing the stream ends the watch. Who keeps the state itself asks without `with_previous`: then a new change may come with no
        `previous`, and a delete's record with an empty value."""
        ...

    def history(self, prefix: str, *, after_revision: int, until_revision: int) -> AsyncIterator[Change]:
        """The changes under the prefix with a revision greater than the first and not greater than the second, in order, each with what it
        replaced; raises Compacted."""
        ...

    async def compact(self, revision: int) -> None:
        """Forget history older than `revision` (what is current stays)."""
        ...

    async def current_revision(self) -> int: ...
    async def compacted_revision(self) -> int: ...


class Entry(Protocol):
    """One version of one object in the watch cache: its bytes, and what selectors need, all made once.

    `value` is the object as JSON in its storage version with metadata.resourceVersion set. Never change what an entry holds.
    """

    key: str
    revision: int
    value: bytes
    labels: Mapping[str, str]
    fields: Mapping[str, str]

    def decode(self) -> Object:
        """A fresh dict of its own."""
        ...

    def encoded(self, variant: Hashable, encode: Callable[["Entry"], bytes]) -> bytes:
        """Memoised other encodings, for example (apiVersion, media type)."""
        ...


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """A change of one object. For DELETED, `entry` is the last state with the deletion's revision as its resourceVersion."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    revision: int
    entry: Entry
    previous: Entry | None


@dataclass(frozen=True, slots=True)
class Listing:
    """`continue_token` is "" on the last page; `remaining` counts what follows, None if a selector makes it unknown."""

    entries: Sequence[Entry]
    revision: int
    continue_token: str
    remaining: int | None


Predicate = Callable[[Entry], bool]
Update = Callable[[Object], Awaitable[Object | None]]


class Collection(Protocol):
    """All objects of one resource. Keys are relative to it: `namespace/name`, or `name`."""

    async def create(self, key: str, obj: Object) -> Entry:
        """Store a new object (its metadata.resourceVersion is ignored); raises KeyExists."""
        ...

    async def get(self, key: str, *, minimum_revision: int = 0) -> Entry | None:
        """The newest state (waits until the cache has reached `minimum_revision`; raises FutureRevision after 3 s)."""
        ...

    async def update(self, key: str, change: Update) -> tuple[Entry, bool]:
        """Guaranteed update: decode, `await change(obj)`, write if it still is what was read, else try again with the newer state.

        `change` may alter and return its argument, return None to leave things as they are, or raise to give up. If the result encodes to
        the same bytes nothing is written. Returns the entry and whether it was written. Raises KeyError if there is no such object."""
        ...

    async def delete(self, key: str, check: Callable[[Object], Awaitable[None]]) -> Entry:
        """Delete what `check` accepted (it may raise); the entry carries the deletion's revision. Raises KeyError."""
        ...

    async def list(
        self, scope: str = "", *, predicate: Predicate | None = None, limit: int = 0, continue_token: str = "", revision: int = 0,
        match: Literal["", "NotOlderThan", "Exact"] = "",
    ) -> Listing:  # fmt: skip
        """Entries whose key starts with `scope` (for example "default/"), in key order.

        Raises Compacted, FutureRevision, ValueError for a bad token."""
        ...

    def watch(
        self, scope: str = "", *, after_revision: int | None = None, predicate: Predicate | None = None,
        field: tuple[str, str] | None = None,
    ) -> "Watcher":  # fmt: skip
        """Events after a revision; None means: start with ADDED for what is there now. Raises Compacted.

        An object that starts or stops to match the predicate arrives as ADDED or DELETED. `field` is one (selectable field, value) that
        the predicate demands, for example ("spec.nodeName", "node-1"): with it, only events of that value cost this watcher anything."""
        ...

    def observe(self, handler: Callable[[StoreEvent], None]) -> None:
        """Call `handler` in the event loop for what is there now (as ADDED) and for each change, before the write is answered:
        how authorizers and allocators keep their indexes in the same process."""
        ...

    def current(self, scope: str = "") -> Iterable[Entry]:
        """What the cache holds now, in key order."""
        ...

    def peek(self, key: str) -> Entry | None:
        """`get` without waiting."""
        ...

    def count(self) -> int:
        """How many objects there are."""
        ...

    def watchers_of(self, scope: str) -> int:
        """How many watch objects of that scope (for example "default/") whatever their fields say: who gets the event of a write."""
        ...


class Watcher(Protocol):
    """One consumer of events. It is fed by the cache without blocking it; a consumer that falls too far behind is ended."""

    async def next_batch(self, timeout: float | None = None) -> Sequence[StoreEvent]:
        """At least one event, in order; [] after `timeout` seconds without one. Raises WatchClosed."""
        ...

    @property
    def revision(self) -> int:
        """Everything up to this revision has been handed out or did not match: what a bookmark may say.

        0 until the ADDED events of a watch that starts with what is there now have all been handed out."""
        ...

    def close(self) -> None: ...


class WatchClosed(Exception):
    """The consumer was too slow, or the store stops: list again."""
