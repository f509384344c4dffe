"""The API server's own reading and writing, in memory: what admission, authorizers and bootstrap are tried against, without a store."""

from collections.abc import Callable, Mapping
from typing import Any

from proa.api import meta
from proa.api.errors import NotFound
from proa.api.meta import Object

Handler = Callable[[str, Object], None]


class FakeReader:
    """`put` and `remove` play the watch cache: every observer hears of them at once."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self._handlers: dict[tuple[str, str], list[Handler]] = {}

    def put(self, group: str, plural: str, obj: Object) -> Object:
        objects = self._objects.setdefault((group, plural), {})
        key = meta.namespace(obj), meta.name(obj)
        event = "MODIFIED" if key in objects else "ADDED"
        objects[key] = obj
        self._tell(group, plural, event, obj)
        return obj

    def remove(self, group: str, plural: str, name: str, namespace: str = "") -> None:
        self._tell(group, plural, "DELETED", self._objects[group, plural].pop((namespace, name)))

    def _tell(self, group: str, plural: str, event: str, obj: Object) -> None:
        for handler in self._handlers.get((group, plural), ()):
            handler(event, obj)

    def get(self, group: str, plural: str, name: str, namespace: str = "") -> Object | None:
        return self._objects.get((group, plural), {}).get((namespace, name))

    def list(self, group: str, plural: str, namespace: str = "") -> list[Object]:
        objects = self._objects.get((group, plural), {})
        return [obj for (scope, _), obj in sorted(objects.items()) if not namespace or scope == namespace]

    def observe(self, group: str, plural: str, handler: Handler) -> None:
        self._handlers.setdefault((group, plural), []).append(handler)
        for obj in self.list(group, plural):
            handler("ADDED", obj)


class FakeWriter:
    """Writes into a FakeReader without any of the server's checks; `requests` remembers (method, path)."""

    def __init__(self, reader: FakeReader) -> None:
        self._reader = reader
        self.requests: list[tuple[str, str]] = []

    async def request(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Object:
        self.requests.append((method, path))
        group, plural, namespace, name = split_path(path)
        if method in ("POST", "PUT"):
            obj: Object = body if not namespace else body | {"metadata": body["metadata"] | {"namespace": namespace}}
            return self._reader.put(group, plural, obj)
        found = self._reader.get(group, plural, name, namespace)
        if found is None:
            raise NotFound.of(group, plural, name)
        if method == "DELETE":
            self._reader.remove(group, plural, name, namespace)
            return found
        return found if method == "GET" else self._reader.put(group, plural, found | body)


def split_path(path: str) -> tuple[str, str, str, str]:
    """(group, plural, namespace, name) of a resource path."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    return group, rest[0], namespace, rest[1] if len(rest) > 1 else ""
