"""Which watchers an event concerns, found without asking each of them.

Watchers are grouped by the namespace they look at, and those that demand one value of a field (a kubelet: spec.nodeName) by that value,
so an event costs the watchers that get it, not all that exist.
"""

import logging
from collections import Counter
from collections.abc import Iterator

from proa.storage.interface import Predicate, StoreEvent
from proa.storage.watcher import CacheWatcher

logger = logging.getLogger(__name__)

Group = tuple[str, str, str]
"""(scope up to its last slash, field, value); field and value are "" for who demands none."""

EVERYTHING: Group = "", "", ""


def group_of(scope: str, field: tuple[str, str] | None) -> Group:
    return (scope[: scope.rfind("/") + 1], *(field or ("", "")))


def within(scope: str, predicate: Predicate | None) -> Predicate | None:
    """The predicate for a scope that is narrower than its group."""
    if not scope or scope.endswith("/"):
        return predicate
    if predicate is None:
        return lambda entry: entry.key.startswith(scope)
    return lambda entry: entry.key.startswith(scope) and predicate(entry)


def demand(field: tuple[str, str] | None) -> Predicate | None:
    if field is None:
        return None
    name, value = field
    return lambda entry: entry.fields.get(name, "") == value


class FanOut:
    """All watchers of a collection."""

    def __init__(self) -> None:
        self._groups: dict[Group, dict[CacheWatcher, None]] = {}
        self._fields: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def watching(self, scope: str) -> int:
        """How many look at everything, or at everything in the scope."""
        count = len(self._groups.get(EVERYTHING, ()))
        return count + len(self._groups.get((scope, "", ""), ())) if scope else count

    def add(self, group: Group, watcher: CacheWatcher) -> None:
        self._groups.setdefault(group, {})[watcher] = None
        self._fields[group[1]] += 1

    def remove(self, group: Group, watcher: CacheWatcher) -> None:
        members = self._groups.get(group, {})
        if watcher not in members:
            return
        del members[watcher]
        if not members:
            del self._groups[group]
        self._fields[group[1]] -= 1
        if not self._fields[group[1]]:
            del self._fields[group[1]]

    def publish(self, event: StoreEvent) -> None:
        """A predicate that fails ends its own watch and nothing else."""
        ended: list[CacheWatcher] = []
        for group in self._concerned(event):
            for watcher in self._groups.get(group, ()):
                try:
                    if not watcher.offer(event):
                        ended.append(watcher)
                except Exception:
                    logger.exception("the predicate of a watch failed")
                    ended.append(watcher)
        for watcher in ended:
            watcher.close()

    def close_all(self) -> None:
        for members in list(self._groups.values()):
            for watcher in list(members):
                watcher.close()

    def _concerned(self, event: StoreEvent) -> Iterator[Group]:
        key = event.entry.key
        scope = key[: key.rfind("/") + 1]
        for field in self._fields:
            values = {event.entry.fields.get(field, "")} if field else {""}
            if field and event.previous is not None:
                values.add(event.previous.fields.get(field, ""))
            for value in values:
                yield "", field, value
                if scope:
                    yield scope, field, value
