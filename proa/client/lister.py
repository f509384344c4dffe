"""The cache behind an informer: objects by key and by index, for reading without a request."""

from collections.abc import Iterable, Mapping, Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.client.interface import IndexFunction


class IndexedCache:
    """A `Lister` that can be changed. Objects are kept by namespace, as most reads ask for one."""

    def __init__(self, indexers: Mapping[str, IndexFunction] | None = None) -> None:
        self._namespaces: dict[str, dict[str, Object]] = {}
        self._indexers: dict[str, IndexFunction] = {}
        self._indexes: dict[str, dict[str, dict[str, Object]]] = {}
        self.add_indexers(indexers or {})

    def get(self, key: str) -> Object | None:
        return self._namespaces.get(meta.split_key(key)[0], {}).get(key)

    def list(self, namespace: str = "") -> Sequence[Object]:
        if namespace:
            return list(self._namespaces.get(namespace, {}).values())
        return [obj for objects in self._namespaces.values() for obj in objects.values()]

    def by_index(self, index: str, value: str) -> Sequence[Object]:
        return list(self._indexes[index].get(value, {}).values())

    def keys(self) -> Iterable[str]:
        return [key for objects in self._namespaces.values() for key in objects]

    def __len__(self) -> int:
        return sum(len(objects) for objects in self._namespaces.values())

    def add_indexers(self, indexers: Mapping[str, IndexFunction]) -> None:
        """Add indexes by name; one that is there already stays."""
        for name, function in indexers.items():
            if name not in self._indexers:
                self._indexers[name] = function
                self._indexes[name] = {}
                for objects in self._namespaces.values():
                    for key, obj in objects.items():
                        self._index(name, function, key, obj)

    def put(self, obj: Object) -> Object | None:
        """Store, and return what was there before."""
        key = meta.key(obj)
        objects = self._namespaces.setdefault(meta.namespace(obj), {})
        old = objects.get(key)
        if old is not None:
            self._unindex(key, old)
        objects[key] = obj
        for name, function in self._indexers.items():
            self._index(name, function, key, obj)
        return old

    def remove(self, key: str) -> Object | None:
        namespace = meta.split_key(key)[0]
        objects = self._namespaces.get(namespace, {})
        old = objects.pop(key, None)
        if old is not None:
            self._unindex(key, old)
            if not objects:
                del self._namespaces[namespace]
        return old

    def _index(self, name: str, function: IndexFunction, key: str, obj: Object) -> None:
        """The same key string everywhere: of many small objects, the indexes are a good part."""
        for value in function(obj):
            self._indexes[name].setdefault(value, {})[key] = obj

    def _unindex(self, key: str, obj: Object) -> None:
        for name, function in self._indexers.items():
            index = self._indexes[name]
            for value in function(obj):
                found = index.get(value, {})
                found.pop(key, None)
                if not found:
                    index.pop(value, None)
