"""What a check of the Pod Security Standards is, and the words that all of them are told in."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from proa.api.meta import Object
from proa.api.pod_template import CONTAINER_LISTS
from proa.lib.dataclass import dataclass

LATEST = 10_000
"""The version that is never older than any other."""


@dataclass(frozen=True, slots=True)
class Violation:
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


Examine = Callable[[Object, Object], Violation | None]
"""Of a pod's (or template's) metadata and spec."""


@dataclass(frozen=True, slots=True)
class Check:
    """`versions` are (first minor version, function), ascending: the policy of a version is the last that is not newer. A restricted check
    takes the place of the baseline checks that it `overrides`, as what it demands says more."""

    id: str
    versions: tuple[tuple[int, Examine], ...]
    overrides: tuple[str, ...] = ()

    def of(self, minor: int) -> Examine | None:
        return next((examine for first, examine in reversed(self.versions) if first <= minor), None)


def containers(spec: Object) -> Iterator[Object]:
    for field in CONTAINER_LISTS:
        yield from spec.get(field) or ()


def security(holder: Object) -> Object:
    return holder.get("securityContext") or {}


def plural(word: str, count: int, words: str = "") -> str:
    return word if count == 1 else words or f"{word}s"


def quoted(values: Collection[Any]) -> str:
    return ", ".join(f'"{value}"' for value in values)


def named(names: Sequence[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{plural('container', len(names))} {quoted(names)}"


def setters(pod: bool, names: Sequence[str]) -> str:
    """`pod`, `container "a"`, `pod and containers "a", "b"`; empty if nobody is to blame."""
    return " and ".join([*(["pod"] if pod else []), *([named(names)] if names else [])])


def is_windows(spec: Object) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def has_user_namespace(spec: Object) -> bool:
    """Root in such a pod is nobody on the host, so later versions relax what is asked of it."""
    return spec.get("hostUsers") is False
