"""The order of API groups and versions, which clients take as preference: `kubectl get events` means the first group that has them.

Groups come by the priority that their APIService has upstream, versions by stability and number: GA before beta before alpha, v2 before v1.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from proa.api.resource import Resource

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
    "storagemigration.k8s.io": 16800,
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
}
CUSTOM_GROUP_PRIORITY = 1000
_STAGES = {"": 2, "beta": 1, "alpha": 0}

GroupVersions = dict[str, dict[str, list[Resource]]]


def by_group(resources: Iterable[Resource]) -> GroupVersions:
    """{group: {version: resources}}, all in the order in which discovery shows them."""
    grouped: GroupVersions = {}
    for resource in resources:
        grouped.setdefault(resource.id.group, {}).setdefault(resource.id.version, []).append(resource)
    ordered = sorted(grouped, key=lambda group: (-GROUP_PRIORITIES.get(group, CUSTOM_GROUP_PRIORITY), group))
    return {
        group: {version: sorted(grouped[group][version], key=lambda each: each.id.plural) for version in order_versions(grouped[group])}
        for group in ordered
    }


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
