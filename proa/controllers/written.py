"""Remembers what a controller wrote until its cache shows it, so that it never plans on a cache from before its own writes.

What the cache does not show within half a minute was undone by somebody else while nobody watched; it is waited for no longer.
"""

from collections.abc import Sequence

from proa.api import meta
from proa.api.meta import Object
from proa.client.interface import Lister
from proa.lib.clock import Clock

PATIENCE_SECONDS = 30.0


class WrittenObjects:
    """Per owner key. Deletions by others are told by `observed_deletion`."""

    def __init__(self, lister: Lister, clock: Clock) -> None:
        self._lister, self._clock = lister, clock
        self._versions: dict[str, dict[str, tuple[int, float]]] = {}
        self._deleted: dict[str, set[str]] = {}

    def wrote(self, owner: str, obj: Object) -> None:
        self._versions.setdefault(owner, {})[meta.key(obj)] = (_version(obj), self._clock.monotonic())

    def deleted(self, owner: str, obj: Object) -> None:
        self._versions.get(owner, {}).pop(meta.key(obj), None)
        self._deleted.setdefault(owner, set()).add(meta.uid(obj))

    def observed_deletion(self, owner: str, obj: Object) -> None:
        self._versions.get(owner, {}).pop(meta.key(obj), None)
        self._deleted.get(owner, set()).discard(meta.uid(obj))

    def forget(self, owner: str) -> None:
        self._versions.pop(owner, None)
        self._deleted.pop(owner, None)

    def is_behind(self, owner: str, cached: Sequence[Object]) -> bool:
        """Whether the cache lacks one of our writes. What it has caught up with is forgotten."""
        waiting, now = self._versions.get(owner, {}), self._clock.monotonic()
        for key, (version, since) in list(waiting.items()):
            known = self._lister.get(key)
            if (known is None or _version(known) < version) and now - since < PATIENCE_SECONDS:
                return True
            del waiting[key]
        gone = self._deleted.get(owner, set())
        return any(meta.uid(each) in gone and not meta.is_terminating(each) for each in cached)


def _version(obj: Object) -> int:
    return int(meta.resource_version(obj) or 0)
