"""The order of API groups and versions, which clients take as preference: `kubectl get events` means the first group that has them.

Groups and versions come by the priorities that their APIServices state; what has none comes as upstream registers it, versions by
stability and number: GA before beta before alpha, v2 before v1.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any

from proa.api.resource import Resource
from proa.lib.dataclass import dataclass

GROUP_PRIORITIES: Mapping[str, int] = {
    "": 18000,
    "apiregistration.k8s.io": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "admissionregistration.k8s.io": 16700,
    "apiextensions.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "lifecycle.k8s.io": 16400,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "resource.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
    "internal.apiserver.k8s.io": 16000,
    "storagemigration.k8s.io": 15800,
}
CUSTOM_GROUP_PRIORITY = 1000
OWN_GROUP = "apiregistration.k8s.io"
"""Has no APIService and comes first."""
_STAGES = {"": 2, "beta": 1, "alpha": 0}

GroupVersions = dict[str, dict[str, list[Resource]]]


@dataclass(frozen=True, slots=True)
class Registered:
    """What APIServices say: `groups` by their highest groupPriorityMinimum, `versions` by versionPriority, and `remote`, what another
    server answers for, as an APIVersionDiscovery each."""

    groups: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    remote: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def group_rank(self, group: str, versions: Iterable[str]) -> tuple[bool, int, str]:
        """Equal priorities are ordered by the names of the APIServices."""
        priority = self.groups.get(group) or GROUP_PRIORITIES.get(group, CUSTOM_GROUP_PRIORITY)
        return group not in ("", OWN_GROUP), -priority, min(f"{version}.{group}" for version in versions)

    def version_rank(self, group: str, version: str) -> tuple[int, tuple[int, int, int, int, str]]:
        return -self.versions.get((group, version), 0), _preference(version)


NOTHING = Registered()


def by_group(resources: Iterable[Resource], registered: Registered = NOTHING) -> GroupVersions:
    """{group: {version: resources}}, all in the order in which discovery shows them; nobody here knows resources of other servers."""
    grouped: GroupVersions = {}
    for resource in resources:
        if (resource.id.group, resource.id.version) not in registered.remote:
            grouped.setdefault(resource.id.group, {}).setdefault(resource.id.version, []).append(resource)
    for group, version in registered.remote:
        grouped.setdefault(group, {}).setdefault(version, [])
    return {
        group: {
            version: sorted(grouped[group][version], key=lambda each: each.id.plural) for version in _in_order(group, grouped, registered)
        }
        for group in sorted(grouped, key=lambda group: registered.group_rank(group, grouped[group]))
    }


def _in_order(group: str, grouped: GroupVersions, registered: Registered) -> list[str]:
    return sorted(grouped[group], key=lambda version: registered.version_rank(group, version))


def order_versions(versions: Iterable[str]) -> Sequence[str]:
    """Most preferred first: v2, v1, v1beta2, v1beta1, v1alpha1, and what is no Kubernetes version last, by name."""
    return sorted(versions, key=_preference)


def _preference(version: str) -> tuple[int, int, int, int, str]:
    match = re.fullmatch(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?", version)
    if match is None:
        return 1, 0, 0, 0, version
    return 0, -_STAGES[match[2] or ""], -int(match[1]), -int(match[3] or 0), version


def group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version
