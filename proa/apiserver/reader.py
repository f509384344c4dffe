"""What the server's own parts see of the objects: straight from the caches, decoded once per version of an object and shared.

Whoever gets an object here must treat it as frozen.
"""

from collections.abc import Callable

from proa.api.meta import Object
from proa.storage.interface import Collection, Entry, StoreEvent

Handler = Callable[[str, Object], None]
MEMORY = 512
"""Decoded objects that one collection keeps for those who ask again."""


class CacheReader:
    """The `ObjectReader`. Collections are added while the server is assembled and when custom resources come."""

    def __init__(self) -> None:
        self._collections: dict[tuple[str, str], _DecodedCollection] = {}

    def add(self, group: str, plural: str, collection: Collection) -> None:
        self._of(group, plural).attach(collection)

    def remove(self, group: str, plural: str) -> None:
        """The collection is no longer kept; who observes it sees the next one of that name."""
        self._of(group, plural).detach()

    def get(self, group: str, plural: str, name: str, namespace: str = "") -> Object | None:
        found = self._collections.get((group, plural)) or self._of(group, plural)
        return found.get(f"{namespace}/{name}" if namespace else name)

    def list(self, group: str, plural: str, namespace: str = "") -> list[Object]:
        return self._of(group, plural).list(f"{namespace}/" if namespace else "")

    def observe(self, group: str, plural: str, handler: Handler) -> None:
        """May be called before the collection is there."""
        self._of(group, plural).observe(handler)

    def offer(self, group: str, plural: str, key: str, obj: Object) -> None:
        """An object that is about to be created: whoever observes gets it as it is, instead of decoding what was encoded a moment ago."""
        self._of(group, plural).offer(key, obj)

    def withdraw(self, group: str, plural: str, key: str) -> None:
        """The creation is over, or came to nothing."""
        self._of(group, plural).offered.pop(key, None)

    def _of(self, group: str, plural: str) -> "_DecodedCollection":
        found = self._collections.get((group, plural))
        if found is None:
            found = self._collections[group, plural] = _DecodedCollection()
        return found


class _DecodedCollection:
    def __init__(self) -> None:
        self._collection: Collection | None = None
        self._decoded: dict[str, tuple[Entry, Object]] = {}
        self._handlers: list[Handler] = []
        self._observed = False
        self.offered: dict[str, Object] = {}

    def offer(self, key: str, obj: Object) -> None:
        if self._handlers:
            self.offered[key] = obj

    def attach(self, collection: Collection) -> None:
        if collection is self._collection:
            return
        self._collection = collection
        self._decoded.clear()
        if self._handlers:
            self._observed = True
            collection.observe(self._on_event)

    def detach(self) -> None:
        self._collection = None
        self._observed = False
        self._decoded.clear()

    def get(self, key: str) -> Object | None:
        if self._collection is None:
            return None
        entry = self._collection.peek(key)
        if entry is None:
            return None
        known = self._decoded.get(key)
        return known[1] if known is not None and known[0] is entry else self._decode(entry)

    def list(self, scope: str) -> list[Object]:
        if self._collection is None:
            return []
        return [self._decode(entry) for entry in self._collection.current(scope)]

    def observe(self, handler: Handler) -> None:
        if self._collection is not None and self._observed:
            for entry in self._collection.current():
                handler("ADDED", self._decode(entry))
        self._handlers.append(handler)
        if self._collection is not None and not self._observed:
            self._observed = True
            self._collection.observe(self._on_event)

    def _on_event(self, event: StoreEvent) -> None:
        obj = self._taken(event) or event.entry.decode()
        if event.type != "ADDED":
            self._decoded.pop(event.entry.key, None)
        for handler in self._handlers:
            handler(event.type, obj)

    def _taken(self, event: StoreEvent) -> Object | None:
        """The offered object, if this is the creation that it was offered for: its UID is nobody else's."""
        if event.type != "ADDED" or not self.offered:
            return None
        obj = self.offered.pop(event.entry.key, None)
        if obj is None or obj["metadata"]["uid"].encode() not in event.entry.value:
            return None
        obj["metadata"]["resourceVersion"] = str(event.revision)
        return obj

    def _decode(self, entry: Entry) -> Object:
        known = self._decoded.get(entry.key)
        if known is not None and known[0] is entry:
            return known[1]
        if len(self._decoded) >= MEMORY:
            self._decoded.clear()
        obj = entry.decode()
        self._decoded[entry.key] = (entry, obj)
        return obj
