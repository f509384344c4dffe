"""Controllers of pods: Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet, and the PodTemplate.

All share one rule: the selector must match the template's labels, and never changes afterwards.
"""

from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.int_or_string import validate_count_or_percent
from proa.api.labels import selector_from_object, selector_from_set, validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice, check_optional_name, not_negative
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.claim_spec import validate_claim_spec
from proa.apiserver.registry.pod_spec.defaults import fill_template
from proa.apiserver.registry.pod_spec.validation import validate_template
from proa.apiserver.registry.pod_spec.warnings import template_warnings
from proa.apiserver.registry.strategy import KindStrategy

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""How apps/v1 carries a field of the API before it; DaemonSets still show it."""
SELECTOR_MISMATCH = "`selector` does not match template `labels`"
_EMPTY_SELECTOR = "empty selector is invalid for {}"


def validate_selector(spec: Object, kind: str, path: str = "spec") -> list[Cause]:
    """The label selector of an apps/v1 kind against its own template."""
    selector = spec.get("selector")
    if selector is None:
        return [required(f"{path}.selector")]
    causes = validate_label_selector(selector, f"{path}.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        causes.append(invalid(f"{path}.selector", {}, _EMPTY_SELECTOR.format(kind)))
    if causes:
        return causes
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not selector_from_object(selector).matches(labels):
        return [invalid(f"{path}.template.metadata.labels", labels, SELECTOR_MISMATCH)]
    return []


class _WorkloadStrategy(KindStrategy):
    tracks_generation = True
    empty_status: ClassVar[Object | None] = {}

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        fill_template(spec.setdefault("template", {}))
        self.fill_workload(obj, spec)

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec.selector", obj["spec"].get("selector"), old["spec"].get("selector"))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        template = (obj.get("spec") or {}).get("template") or {}
        if old is not None and (old.get("spec") or {}).get("template") == template:
            return ()
        return template_warnings(template, "spec.template")


class DeploymentStrategy(_WorkloadStrategy):
    annotations_count = True

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)
        strategy = spec.setdefault("strategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.replicas", spec.get("replicas"))
        causes += validate_selector(spec, "deployment") + validate_template(spec.get("template") or {}, "spec.template")
        causes += _validate_deployment_strategy(spec.get("strategy") or {}, "spec.strategy")
        causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        causes += not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
        deadline = spec.get("progressDeadlineSeconds")
        causes += not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            causes.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
        return causes


def _validate_deployment_strategy(strategy: Object, path: str) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        detail = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(f"{path}.rollingUpdate", detail)] if rolling is not None else []
    if kind != "RollingUpdate":
        return [not_supported(path, strategy, ("Recreate", "RollingUpdate"))]
    if rolling is None:
        return [required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")]
    return validate_rolling_update(rolling, f"{path}.rollingUpdate")


def validate_rolling_update(rolling: Object, path: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    causes = validate_count_or_percent(f"{path}.maxUnavailable", unavailable, at_most_100=True)
    causes += validate_count_or_percent(f"{path}.maxSurge", surge)
    if unavailable in (0, "0%") and surge in (0, "0%"):
        causes.append(invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return causes


class ReplicaSetStrategy(_WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0}

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.replicas", spec.get("replicas")) + not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        return causes + validate_selector(spec, "replicaset") + validate_template(spec.get("template") or {}, "spec.template")


class ReplicationControllerStrategy(_WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0}

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)
        labels = spec["template"]["metadata"].get("labels")
        if labels:
            spec.setdefault("selector", dict(labels))
            obj.setdefault("metadata", {}).setdefault("labels", dict(labels))

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        if not spec.get("selector"):
            causes.append(required("spec.selector"))
        causes += not_negative("spec.replicas", spec.get("replicas"))
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
        if spec.get("selector") and not selector_from_set(spec["selector"]).matches(labels):
            causes.append(invalid("spec.template.metadata.labels", labels, SELECTOR_MISMATCH))
        return causes + validate_template(spec.get("template") or {}, "spec.template")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj)


def _validate_fixed_part(spec: Object) -> list[Cause]:
    """What never changes is checked when it comes, so that a set from before a rule can still be updated."""
    causes = check_optional_name("spec.serviceName", spec.get("serviceName"), dns1123_label)
    for index, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        causes += validate_claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    return causes


class StatefulSetStrategy(_WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {"replicas": 0}

    def fill_workload(self, obj: Object, spec: Object) -> None:
        spec.setdefault("replicas", 1)
        spec.setdefault("podManagementPolicy", "OrderedReady")
        update = spec.setdefault("updateStrategy", {})
        if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("partition", 0)
        retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
        retention.setdefault("whenDeleted", "Retain")
        retention.setdefault("whenScaled", "Retain")
        spec.setdefault("revisionHistoryLimit", 10)
        for claim in spec.get("volumeClaimTemplates") or ():
            claim.setdefault("apiVersion", "v1")
            claim.setdefault("kind", "PersistentVolumeClaim")
            claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
            claim["status"] = {"phase": "Pending"}

    def check(self, obj: Object) -> list[Cause]:
        return self._check(obj) + _validate_fixed_part(obj.get("spec", {}))

    def _check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = check_choice("spec.podManagementPolicy", spec.get("podManagementPolicy"), ("OrderedReady", "Parallel"))
        update = spec.get("updateStrategy") or {}
        causes += check_choice("spec.updateStrategy", update.get("type"), ("OnDelete", "RollingUpdate"))
        if update.get("type") == "OnDelete" and "rollingUpdate" in update:
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            causes.append(invalid("spec.updateStrategy.rollingUpdate", update["rollingUpdate"], detail))
        causes += not_negative("spec.updateStrategy.rollingUpdate.partition", (update.get("rollingUpdate") or {}).get("partition"))
        causes += not_negative("spec.replicas", spec.get("replicas")) + not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        causes += not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
        retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
        for field in ("whenDeleted", "whenScaled"):
            own = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            causes += check_choice(own, retention.get(field), ("Delete", "Retain"))
        template = _with_claimed_volumes(spec)
        return causes + validate_selector(spec, "statefulset") + validate_template(template, "spec.template")

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self._check(obj)
        if _fixed_part(obj["spec"]) != _fixed_part(old["spec"]):
            causes.append(forbidden("spec", _STATEFUL_SET_MESSAGE))
        return causes


_STATEFUL_SET_MUTABLE = {
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
}  # fmt: skip
_STATEFUL_SET_MESSAGE = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', "
    "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def _fixed_part(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key not in _STATEFUL_SET_MUTABLE}


def _with_claimed_volumes(spec: Object) -> Object:
    """The template with the volumes that the claim templates will give its pods, so that mounts find them."""
    template: Object = spec.get("template") or {}
    names = [(claim.get("metadata") or {}).get("name") for claim in spec.get("volumeClaimTemplates") or ()]
    if not names:
        return template
    pod = template.get("spec") or {}
    volumes = [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
    claimed = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    return template | {"spec": pod | {"volumes": volumes + claimed}}


class DaemonSetStrategy(_WorkloadStrategy):
    empty_status: ClassVar[Object | None] = {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = "1"

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        former = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        count = int(former) if former.isdigit() else 1
        step = obj["spec"].get("template") != old["spec"].get("template")
        obj["metadata"].setdefault("annotations", {})[TEMPLATE_GENERATION] = str(count + step)

    def fill_workload(self, obj: Object, spec: Object) -> None:
        update = spec.setdefault("updateStrategy", {})
        if update.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = update.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
        spec.setdefault("revisionHistoryLimit", 10)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        update = spec.get("updateStrategy") or {}
        causes = validate_selector(spec, "daemonset") + validate_template(spec.get("template") or {}, "spec.template")
        if (spec.get("template") or {}).get("spec", {}).get("activeDeadlineSeconds") is not None:
            causes.append(forbidden("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in DaemonSet is not Supported"))
        causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
        causes += check_choice("spec.updateStrategy.type", update.get("type"), ("OnDelete", "RollingUpdate"))
        if update.get("type") == "RollingUpdate":
            causes += _validate_daemon_rollout(update.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate")
        return causes + not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _validate_daemon_rollout(rolling: Object, path: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    causes = validate_count_or_percent(f"{path}.maxUnavailable", unavailable, at_most_100=True)
    causes += validate_count_or_percent(f"{path}.maxSurge", surge, at_most_100=True)
    has_unavailable, has_surge = unavailable not in (0, "0%"), surge not in (0, "0%")
    if has_unavailable and has_surge:
        causes.append(invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero"))
    if not has_unavailable and not has_surge:
        causes.append(required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return causes


class PodTemplateStrategy(KindStrategy):
    has_status = False
    tracks_generation = True

    def fill(self, obj: Object) -> None:
        fill_template(obj.setdefault("template", {}))

    def check(self, obj: Object) -> list[Cause]:
        return validate_template(obj.get("template") or {}, "template", ("Always", "Never", "OnFailure"))


class ControllerRevisionStrategy(KindStrategy):
    has_status = False

    def check(self, obj: Object) -> list[Cause]:
        return not_negative("revision", obj.get("revision"))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("data", obj.get("data"), old.get("data"))
