"""What the names of resources mean: standard ones, huge pages, extended ones; which of them come whole and which can be overcommitted.

Source: the API's helpers for resource names (core/v1).
"""

from proa.api.names import qualified_name

HUGE_PAGES = "hugepages-"
REQUESTS = "requests."
STANDARD_CONTAINER_NAMES = frozenset({"cpu", "memory", "ephemeral-storage"})
_OBJECTS = frozenset({
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims", "services.nodeports",
    "services.loadbalancers",
})  # fmt: skip
STANDARD_QUOTA_NAMES = _OBJECTS | {
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage", "limits.cpu",
    "limits.memory", "limits.ephemeral-storage",
}  # fmt: skip
_STANDARD = STANDARD_QUOTA_NAMES | {"storage"}
_INTEGERS = _OBJECTS


def is_huge_page(name: str) -> bool:
    return name.startswith(HUGE_PAGES)


def is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith((HUGE_PAGES, f"{REQUESTS}{HUGE_PAGES}"))


def is_standard_container_name(name: str) -> bool:
    return name in STANDARD_CONTAINER_NAMES or is_huge_page(name)


def is_standard_quota_name(name: str) -> bool:
    return name in STANDARD_QUOTA_NAMES or name.startswith((HUGE_PAGES, f"{REQUESTS}{HUGE_PAGES}"))


def is_native(name: str) -> bool:
    """Unprefixed, or with a prefix of Kubernetes' own."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """A foreign name that also fits a quota, `requests.NAME`."""
    return not is_native(name) and not name.startswith(REQUESTS) and not qualified_name(f"{REQUESTS}{name}")


def is_overcommit_allowed(name: str) -> bool:
    return is_native(name) and not is_huge_page(name)


def is_integer(name: str) -> bool:
    """What can't be had in halves."""
    return name in _INTEGERS or is_extended(name)
