"""The APIServices that the API server registers itself: one for each group version that it serves, built in or of a custom resource.

`plan` decides what happens to each of them. What is built in is registered once, when the server starts, and is the administrator's from
then on; what belongs to a definition comes and goes with it. An APIService without the label is nobody's but its author's.
Source: kube-aggregator's auto-registration and its priorities.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.discovery.groups import CUSTOM_GROUP_PRIORITY, GROUP_PRIORITIES, OWN_GROUP
from proa.lib.dataclass import dataclass

LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START, ALWAYS = "onstart", "true"
CUSTOM_VERSION_PRIORITY = 100
VERSION_PRIORITIES: Mapping[tuple[str, str], int] = {
    ("", "v1"): 1,
    ("events.k8s.io", "v1beta1"): 5,
    ("autoscaling", "v2"): 30,
    ("admissionregistration.k8s.io", "v1beta1"): 12,
    ("admissionregistration.k8s.io", "v1alpha1"): 9,
    ("coordination.k8s.io", "v1beta1"): 13,
    ("coordination.k8s.io", "v1alpha2"): 12,
    ("flowcontrol.apiserver.k8s.io", "v1"): 21,
    ("flowcontrol.apiserver.k8s.io", "v1beta3"): 18,
    ("internal.apiserver.k8s.io", "v1alpha1"): 9,
    ("resource.k8s.io", "v1"): 20,
    ("resource.k8s.io", "v1beta2"): 15,
}
"""What differs from the rule: 15 for a stable version, 9 for a beta, 1 for an alpha."""

Action = tuple[Literal["create", "update", "delete"], Object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A group version that is served here."""

    group: str
    version: str
    custom: bool

    @property
    def name(self) -> str:
        return f"{self.version}.{self.group}"


def api_service(wanted: Wanted) -> Object:
    group_priority = CUSTOM_GROUP_PRIORITY if wanted.custom else GROUP_PRIORITIES.get(wanted.group, CUSTOM_GROUP_PRIORITY)
    spec: Object = {"version": wanted.version, "groupPriorityMinimum": group_priority, "versionPriority": _version_priority(wanted)}
    if wanted.group:
        spec["group"] = wanted.group
    labels = {LABEL: ALWAYS if wanted.custom else ON_START}
    head = {"apiVersion": f"{OWN_GROUP}/v1", "kind": "APIService"}
    return head | {"metadata": {"name": wanted.name, "labels": labels}, "spec": spec}


def _version_priority(wanted: Wanted) -> int:
    if wanted.custom:
        return CUSTOM_VERSION_PRIORITY
    by_stage = 9 if "beta" in wanted.version else 1 if "alpha" in wanted.version else 15
    return VERSION_PRIORITIES.get((wanted.group, wanted.version), by_stage)


def plan(wanted: Iterable[Wanted], present: Mapping[str, Object], old: frozenset[str], settled: frozenset[str]) -> list[Action]:
    """What to do. `old` are those that were there when the server started, `settled` the built-in ones that have had their turn."""
    by_name = {each.name: each for each in wanted if each.group != OWN_GROUP}
    actions: list[Action] = []
    for name, each in by_name.items():
        if name not in present and (each.custom or name not in settled):
            actions.append(("create", api_service(each)))
    for name, found in present.items():
        managed = meta.labels(found).get(LABEL)
        if managed == ON_START and (name not in old or name in settled):
            continue
        if managed in (ON_START, ALWAYS):
            actions += _mend(found, by_name.get(name))
    return actions


def _mend(found: Object, wanted: Wanted | None) -> list[Action]:
    if wanted is None:
        return [("delete", found)]
    right = api_service(wanted)
    label = right["metadata"]["labels"][LABEL]
    if found.get("spec") == right["spec"] and meta.labels(found)[LABEL] == label:
        return []
    metadata = found["metadata"] | {"labels": meta.labels(found) | {LABEL: label}}
    return [("update", found | {"metadata": metadata, "spec": right["spec"]})]
