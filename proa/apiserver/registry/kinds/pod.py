"""Pods: born Pending with their QoS class, and nearly immutable afterwards.

An update may set another image, shorten activeDeadlineSeconds, add tolerations, open scheduling gates; a gated pod may narrow its node
selector. /ephemeralcontainers, /resize and /binding change one part each and keep the rest.
"""

from collections.abc import Callable, Sequence

from proa.api import meta
from proa.api.errors import Cause, forbidden
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.api.pod_annotations import MIRROR
from proa.api.pod_template import qos_class
from proa.api.resource import StrategyContext
from proa.api.spec_memory import SpecMemory, spec_key, spec_of
from proa.apiserver.registry.kinds.pod_update import validate_changed_spec, validate_pod_change
from proa.apiserver.registry.normalize import Normalizer
from proa.apiserver.registry.pod_spec.annotations import validate_annotation_changes, validate_pod_annotations
from proa.apiserver.registry.pod_spec.app_armor import profiles_from_annotations
from proa.apiserver.registry.pod_spec.defaults import fill_pod
from proa.apiserver.registry.pod_spec.label_keys import merge_label_keys
from proa.apiserver.registry.pod_spec.profiles_agree import validate_app_armor_agrees, validate_seccomp_agrees
from proa.apiserver.registry.pod_spec.validation import validate_pod_spec
from proa.apiserver.registry.pod_spec.volumes import validate_claims_of_pod
from proa.apiserver.registry.pod_spec.warnings import annotation_warnings, spec_warnings
from proa.apiserver.registry.strategy import KindStrategy, not_kept

_ANNOTATIONS = "metadata.annotations"
_HOSTNAME_WARNING = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"


class PodStrategy(KindStrategy):
    graceful_deletion = True
    tracks_generation = True

    def __init__(self, namespaced: bool = True, normalizer: Callable[[], Normalizer | None] = lambda: None) -> None:
        super().__init__(namespaced, normalizer)
        self._completed: SpecMemory[bytes, bytes] = SpecMemory()
        """What defaults make of a spec."""
        self._warned: SpecMemory[bytes, list[str]] = SpecMemory()
        self._checked: tuple[Object, bytes] = ({}, b"")
        """The spec that was checked last, and its key: warnings follow on the check."""
        self._valid: SpecMemory[bytes, bool] = SpecMemory()
        self._profile_warnings: list[str] = []
        """Of the pod that was prepared last: by the time of the other warnings its annotations are fields."""

    def fill(self, obj: Object) -> None:
        fill_pod(obj)

    def default(self, obj: Object) -> None:
        """Defaults of a pod's spec depend on nothing but the spec."""
        key, name = spec_key(obj.get("spec"))
        completed = self._completed.get(key)
        if completed is None:
            super().default(obj)
            done, after = spec_key(obj["spec"])
            if key and after == name:
                self._completed.put(key, done)
            return
        spec = obj["spec"]
        obj["spec"] = {}
        self.normalize(obj)
        obj["spec"] = spec if completed == key else spec_of(completed, name)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.get("spec", {})
        status: Object = {"phase": "Pending", "qosClass": qos_class(spec)}
        if spec.get("schedulingGates"):
            message = "Scheduling is blocked due to non-empty scheduling gates"
            gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": message}
            status["conditions"] = [gated | {"lastProbeTime": None, "lastTransitionTime": context.now or None}]
        obj["status"] = status
        merge_label_keys(obj)
        annotations = meta.annotations(obj)
        self._profile_warnings = profiles_from_annotations(annotations, spec) if annotations else []

    def check(self, obj: Object) -> list[Cause]:
        annotations, spec = meta.annotations(obj), obj.get("spec", {})
        causes = self._check_spec(spec) + validate_claims_of_pod(meta.name(obj), spec, "spec.volumes")
        if not annotations:
            return causes
        causes = validate_pod_annotations(annotations, spec, _ANNOTATIONS) + causes
        if MIRROR in annotations:
            causes += [forbidden("", "static pods do not support resource claims") for _ in spec.get("resourceClaims") or ()]
        return causes + validate_seccomp_agrees(annotations, spec, "spec") + validate_app_armor_agrees(annotations, spec, "spec")

    def _check_spec(self, spec: Object) -> list[Cause]:
        """Nothing but the spec is looked at, so one that was found valid stays so."""
        key, _ = spec_key(spec)
        self._checked = spec, key
        if self._valid.get(key):
            return []
        causes = _validate_new_spec(spec)
        if key and not causes:
            self._valid.put(key, True)
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new_spec, old_spec = obj.get("spec", {}), old.get("spec", {})
        annotations, former = meta.annotations(obj), meta.annotations(old)
        causes: list[Cause] = []
        if annotations != former:
            causes += validate_annotation_changes(annotations, former, _ANNOTATIONS)
            wrong = validate_pod_annotations(annotations, new_spec, _ANNOTATIONS)
            causes += not_kept(wrong, validate_pod_annotations(former, old_spec, _ANNOTATIONS)) if wrong else []
        if new_spec == old_spec:
            return causes
        return causes + validate_changed_spec(new_spec, old_spec) + validate_pod_change(new_spec, old_spec)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        """Of new pods alone: whoever changes one is rarely a human."""
        if old is not None:
            return ()
        spec = obj.get("spec", {})
        problems = dns1123_label(meta.name(obj))
        named = [f"{_HOSTNAME_WARNING}: [{' '.join(problems)}]"] if problems else []
        return self._profile_warnings + named + annotation_warnings(meta.annotations(obj), spec, "metadata") + self._warnings_of(spec)

    def _warnings_of(self, spec: Object) -> list[str]:
        checked, key = self._checked
        if checked is not spec:
            key, _ = spec_key(spec)
        known = self._warned.get(key)
        if known is None:
            known = spec_warnings(spec, "spec")
            if key:
                self._warned.put(key, known)
        return known


def _validate_new_spec(spec: Object) -> list[Cause]:
    causes = validate_pod_spec(spec, "spec", is_pod=True)
    if spec.get("ephemeralContainers"):
        causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        causes.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return causes
