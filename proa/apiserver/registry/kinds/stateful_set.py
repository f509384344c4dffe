"""StatefulSets: what each pod keeps (its name, its claims) is fixed; how many there are, and how they are replaced, is not."""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.int_or_string import validate_at_most_100_percent, validate_count_or_percent, written_number
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.apiserver.registry.checks import check_optional_name, not_negative
from proa.apiserver.registry.kinds.workloads import (
    WorkloadStrategy,
    always_running,
    is_unusable,
    validate_any_template,
    validate_match,
    validate_selector,
)
from proa.apiserver.registry.object_meta import NameCheck, validate_annotations
from proa.apiserver.registry.pod_spec.claim_spec import validate_claim_spec
from proa.apiserver.registry.pod_spec.volume_warnings import claim_warnings

_MUTABLE = {
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
}  # fmt: skip
_FIXED_MESSAGE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_RETENTION = "persistentVolumeClaimRetentionPolicy"
_CLAIMS = "spec.volumeClaimTemplates"
"""The names of the retention policy and the path of the claims, as messages have them."""


class StatefulSetStrategy(WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0, "availableReplicas": 0}
    warns_of_name = False

    @property
    def name_check(self) -> NameCheck:
        return dns1123_label

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)
        spec.setdefault("serviceName", "")
        spec.setdefault("podManagementPolicy", "OrderedReady")
        update = spec.setdefault("updateStrategy", {})
        if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("partition", 0)
            rolling.setdefault("maxUnavailable", 1)
        retention = spec.setdefault(_RETENTION, {})
        retention.setdefault("whenDeleted", "Retain")
        retention.setdefault("whenScaled", "Retain")
        spec.setdefault("revisionHistoryLimit", 10)
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim["status"] = {"phase": "Pending"}

    def check(self, obj: Object) -> list[Cause]:
        return _validate_spec(obj.get("spec", {}), is_new=True)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        """A template that was accepted before a rule came may stay as it is; its set can still be scaled."""
        tolerated = bool(_validate_spec(old["spec"]))
        causes = _validate_spec(obj["spec"], skip_template=tolerated)
        if _fixed_part(obj["spec"]) != _fixed_part(old["spec"]):
            causes.append(forbidden("spec", _FIXED_MESSAGE))
        return causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        found, own = list(super().warnings(obj, old)), "" if old is None else ".Spec"
        for index, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or ()):
            found += claim_warnings(claim.get("spec") or {}, f"{_CLAIMS}[{index}]{own}")
        if (obj["spec"].get("revisionHistoryLimit") or 0) < 0:
            found.append("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended")
        return found


def _fixed_part(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key not in _MUTABLE and value != ""}


def _validate_spec(spec: Object, *, is_new: bool = False, skip_template: bool = False) -> list[Cause]:
    """What never changes is checked when it comes, so that a set from before a rule can still be updated."""
    causes = _validate_management(spec.get("podManagementPolicy")) + _validate_update(spec.get("updateStrategy") or {})
    causes += _validate_retention(spec.get(_RETENTION) or {})
    if is_new:
        for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            causes += validate_claim_spec(claim.get("spec") or {}, f"{_CLAIMS}[{index}].spec")
    causes += not_negative("spec.replicas", spec.get("replicas")) + not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes += not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if is_new:
        causes += check_optional_name("spec.serviceName", spec.get("serviceName"), dns1123_label)
    causes += validate_selector(spec, "statefulset")
    if is_unusable(spec.get("selector")):
        causes.append(invalid("spec.selector", spec["selector"], ""))
    else:
        causes += validate_match(spec) + _validate_template(spec, skip=skip_template)
    return causes + always_running(spec.get("template") or {}, "StatefulSet")


def _validate_management(policy: str | None) -> list[Cause]:
    if not policy:
        return [required("spec.podManagementPolicy")]
    if policy in ("OrderedReady", "Parallel"):
        return []
    return [invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")]


def _validate_update(update: Object) -> list[Cause]:
    kind, rolling = update.get("type"), update.get("rollingUpdate")
    if not kind:
        return [required("spec.updateStrategy")]
    if kind not in ("RollingUpdate", "OnDelete"):
        return [invalid("spec.updateStrategy", update, "must be 'RollingUpdate' or 'OnDelete'")]
    if rolling is None:
        return []
    path = "spec.updateStrategy.rollingUpdate"
    if kind == "OnDelete":
        return [invalid(path, rolling, "only allowed for updateStrategy 'RollingUpdate'")]
    causes, unavailable = not_negative(f"{path}.partition", rolling.get("partition")), rolling.get("maxUnavailable")
    if unavailable is None:
        return causes
    causes += validate_count_or_percent(f"{path}.maxUnavailable", unavailable)
    if written_number(unavailable) == 0:
        causes.append(invalid(f"{path}.maxUnavailable", unavailable, "cannot be 0"))
    return causes + validate_at_most_100_percent(f"{path}.maxUnavailable", unavailable)


def _validate_retention(retention: Object) -> list[Cause]:
    return [
        not_supported(f"spec.{_RETENTION}.{field}", retention.get(field, ""), ("Retain", "Delete"), in_order=False)
        for field in ("whenDeleted", "whenScaled")
        if retention and retention.get(field) not in ("Retain", "Delete")
    ]


def _validate_template(spec: Object, *, skip: bool) -> list[Cause]:
    """The template as its pods will have it. Labels and annotations are told twice, as upstream does, which skips only the first time."""
    template = spec.get("template") or {}
    meta = template.get("metadata") or {}
    causes = [] if skip else validate_any_template(_completed(spec, template), "spec.template")
    causes += validate_labels(meta.get("labels") or {}, "spec.template.labels")
    return causes + validate_annotations(meta.get("annotations") or {}, "spec.template.annotations")


def _completed(spec: Object, template: Object) -> Object:
    """With the volumes that the claims will give its pods, so that mounts find them, and without the names that each pod gets itself."""
    names = [(claim.get("metadata") or {}).get("name") for claim in spec.get("volumeClaimTemplates") or ()]
    pod = {field: value for field, value in (template.get("spec") or {}).items() if field not in ("hostname", "subdomain")}
    if names:
        claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in dict.fromkeys(names)]
        pod["volumes"] = claimed + [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
    return template | {"spec": pod}
