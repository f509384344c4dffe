"""Pods: born Pending with their QoS class, and nearly immutable afterwards.

An update may set another image, shorten activeDeadlineSeconds, add tolerations, open scheduling gates; a gated pod may narrow its node
selector. /ephemeralcontainers, /resize and /binding change one part each and keep the rest.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from proa.api import meta
from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.api.pod_template import qos_class
from proa.api.resource import StrategyContext
from proa.apiserver.registry.object_meta import immutable, validate_object_meta_update
from proa.apiserver.registry.pod_spec.defaults import fill_pod
from proa.apiserver.registry.pod_spec.label_keys import merge_label_keys
from proa.apiserver.registry.pod_spec.validation import validate_pod_spec
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy, step_generation

_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)

_HOSTNAME_WARNING = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"


class PodStrategy(KindStrategy):
    graceful_deletion = True
    tracks_generation = True

    def fill(self, obj: Object) -> None:
        fill_pod(obj)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        spec = obj.get("spec", {})
        status: Object = {"phase": "Pending", "qosClass": qos_class(spec)}
        if spec.get("schedulingGates"):
            message = "Scheduling is blocked due to non-empty scheduling gates"
            gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": message}
            status["conditions"] = [gated | {"lastProbeTime": None, "lastTransitionTime": context.now or None}]
        obj["status"] = status
        merge_label_keys(obj)

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec", {})
        causes = validate_pod_spec(spec, "spec")
        if spec.get("ephemeralContainers"):
            causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
        if spec.get("nodeName") and spec.get("schedulingGates"):
            causes.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new_spec, old_spec = obj.get("spec", {}), old.get("spec", {})
        if new_spec == old_spec:
            return []
        return validate_pod_spec(new_spec, "spec") + validate_pod_change(new_spec, old_spec)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        if old is not None:
            return ()
        problems = dns1123_label(meta.name(obj))
        named = [f"{_HOSTNAME_WARNING}: [{' '.join(problems)}]"] if problems else []
        return named + pod_warnings(obj.get("spec", {}), "spec")


def validate_pod_change(new: Object, old: Object) -> list[Cause]:
    """Causes against what the main endpoint may not change."""
    causes: list[Cause] = []
    for field in ("containers", "initContainers", "ephemeralContainers"):
        if len(new.get(field) or ()) != len(old.get(field) or ()):
            detail = f"pod updates may not add or remove {'containers' if field != 'ephemeralContainers' else 'ephemeral containers'}"
            return [forbidden(f"spec.{field}", detail)]
    deadline = _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    causes += deadline + _validate_gates(new, old) + _validate_tolerations(new, old)
    expected = _with_allowed_changes(new, old)
    if expected != old:
        difference = _difference(expected, old, "spec")
        causes.append(forbidden("spec", f"pod updates may not change fields other than {_UPDATABLE}\n{difference}"))
    return causes


def _with_allowed_changes(new: Object, old: Object) -> Object:
    """`new` with everything that may change set back to what it was."""
    put_back = dict(new)
    for name in ("containers", "initContainers"):
        pairs = zip(new.get(name) or (), old.get(name) or (), strict=False)
        restored = [fresh | {"image": former.get("image")} for fresh, former in pairs]
        if name in new:
            put_back[name] = restored
    fields = ["activeDeadlineSeconds", "tolerations", "schedulingGates"]
    if old.get("terminationGracePeriodSeconds", 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        fields.append("terminationGracePeriodSeconds")
    if old.get("schedulingGates"):
        fields += [field for field in ("nodeSelector", "affinity") if _narrower(field, new, old)]
    for field in fields:
        put_back.pop(field, None)
        if field in old:
            put_back[field] = old[field]
    return put_back


def _narrower(field: str, new: Object, old: Object) -> bool:
    """A gated pod's node selector may gain pairs; required node affinity may be set where there was none, or gain expressions."""
    if field == "nodeSelector":
        return (old.get(field) or {}).items() <= (new.get(field) or {}).items()
    former, fresh = _required_terms(old), _required_terms(new)
    if not former:
        return True
    return len(former) == len(fresh) and all(
        all(expression in (after.get(kind) or []) for expression in before.get(kind) or [])
        for before, after in zip(former, fresh, strict=True)
        for kind in ("matchExpressions", "matchFields")
    )


def _required_terms(spec: Object) -> list[Object]:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Object] = (node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or []
    return terms


def _validate_deadline(new: int | None, old: int | None) -> list[Cause]:
    path = "spec.activeDeadlineSeconds"
    if old is None or new == old:
        return []
    if new is None:
        return [invalid(path, new, "must not update from a positive integer to nil value")]
    return [invalid(path, new, f"must be less than or equal to previous value {old}")] if new > old else []


def _validate_gates(new: Object, old: Object) -> list[Cause]:
    former = [gate.get("name") for gate in old.get("schedulingGates") or ()]
    fresh = [gate.get("name") for gate in new.get("schedulingGates") or ()]
    added = [name for name in fresh if name not in former]
    if not added:
        return []
    return [forbidden("spec.schedulingGates", f"only deletion is allowed, but found new scheduling gates {', '.join(map(str, added))}")]


def _validate_tolerations(new: Object, old: Object) -> list[Cause]:
    former, fresh = old.get("tolerations") or [], new.get("tolerations") or []
    bare = [{key: value for key, value in each.items() if key != "tolerationSeconds"} for each in fresh]
    for toleration in former:
        if toleration not in fresh and {key: value for key, value in toleration.items() if key != "tolerationSeconds"} not in bare:
            return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")]
    return []


def _difference(new: Any, old: Any, path: str) -> str:
    """The fields that differ, one a line: old after `-`, new after `+`."""
    if isinstance(new, dict) and isinstance(old, dict):
        keys = sorted(key for key in new.keys() | old.keys() if new.get(key) != old.get(key))
        return "\n".join(_difference(new.get(key), old.get(key), f"{path}.{key}") for key in keys)
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        return "\n".join(_difference(new[i], old[i], f"{path}[{i}]") for i in range(len(new)) if new[i] != old[i])
    return f"  {path}:\n- \t{orjson.dumps(old).decode()}\n+ \t{orjson.dumps(new).decode()}"


def pod_warnings(spec: Object, path: str) -> list[str]:
    """What upstream warns of at creation and in templates."""
    found: list[str] = []
    for index, volume in enumerate(spec.get("volumes") or ()):
        if "gitRepo" in volume:
            found.append(f"{path}.volumes[{index}].gitRepo: deprecated in v1.11, and removed in v1.33")
    for name in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(name) or ()):
            found += _duplicate_env(container, f"{path}.{name}[{index}]")
    return found


def _duplicate_env(container: Object, path: str) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for index, variable in enumerate(container.get("env") or ()):
        name = variable.get("name", "")
        if name in seen:
            found.append(f'{path}.env[{index}]: hides previous definition of "{name}", which may be unexpected')
        seen[name] = index
    return found


class PodStatusStrategy(StatusStrategy):
    """Owners don't change here, and the QoS class that creation chose stays."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, ("ownerReferences",), check_pod_status)

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        super().prepare_for_update(obj, old, context)
        chosen = (old.get("status") or {}).get("qosClass")
        if chosen and not (obj.get("status") or {}).get("qosClass"):
            obj.setdefault("status", {})["qosClass"] = chosen
        _keep_observed_generation(obj.get("status") or {}, old.get("status") or {})


def _keep_observed_generation(new: Object, old: Object) -> None:
    """A client that doesn't know the field must not clear it."""
    if not new.get("observedGeneration") and old.get("observedGeneration"):
        new["observedGeneration"] = old["observedGeneration"]
    former = {each.get("type"): each.get("observedGeneration") for each in old.get("conditions") or ()}
    for condition in new.get("conditions") or ():
        if not condition.get("observedGeneration") and former.get(condition.get("type")):
            condition["observedGeneration"] = former[condition.get("type")]


class PodPartStrategy:
    """An endpoint of a pod that changes one part of it: `put(old, sent)` gives the new object, `check` refuses."""

    allow_create_on_update = False
    graceful_deletion = False

    def __init__(self, main: KindStrategy, put: Callable[[Object, Object], None], check: Callable[[Object, Object], list[Cause]]) -> None:
        self._main, self._put, self._check = main, put, check

    def default(self, obj: Object) -> None:
        self._main.default(obj)

    def prepare_for_create(self, obj: Object, context: StrategyContext) -> None:
        return None

    def validate(self, obj: Object) -> Sequence[Cause]:
        return ()

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        sent = dict(obj)
        version = sent.get("metadata", {}).get("resourceVersion")
        obj.clear()
        obj.update(orjson.loads(orjson.dumps(old)))
        if version:
            obj["metadata"]["resourceVersion"] = version
        self._put(obj, sent)
        step_generation(obj, old, True)

    def validate_update(self, obj: Object, old: Object) -> Sequence[Cause]:
        return validate_object_meta_update(obj["metadata"], old["metadata"]) + self._check(obj, old)

    def canonicalize(self, obj: Object) -> None:
        return None

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return ()


def put_ephemeral_containers(obj: Object, sent: Object) -> None:
    obj["spec"]["ephemeralContainers"] = (sent.get("spec") or {}).get("ephemeralContainers") or []


def check_ephemeral_containers(obj: Object, old: Object) -> list[Cause]:
    """Ephemeral containers are only ever added."""
    causes = validate_pod_spec(obj["spec"], "spec")
    fresh = {each.get("name"): each for each in obj["spec"].get("ephemeralContainers") or ()}
    path = "spec.ephemeralContainers"
    for container in old["spec"].get("ephemeralContainers") or ():
        name = container.get("name")
        if name not in fresh:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif fresh[name] != container:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n'))
    return causes


def put_resources(obj: Object, sent: Object) -> None:
    """In-place resize: resources and resize policies of containers, matched by name."""
    for field in ("containers", "initContainers"):
        wanted = {each.get("name"): each for each in (sent.get("spec") or {}).get(field) or ()}
        for container in obj["spec"].get(field) or ():
            if (given := wanted.get(container.get("name"))) is not None:
                container["resources"] = given.get("resources") or {}
                if "resizePolicy" in given:
                    container["resizePolicy"] = given["resizePolicy"]
    if "resources" in (sent.get("spec") or {}):
        obj["spec"]["resources"] = sent["spec"]["resources"]


def check_resize(obj: Object, old: Object) -> list[Cause]:
    causes = validate_pod_spec(obj["spec"], "spec")
    if qos_class(obj["spec"]) != (old.get("status") or {}).get("qosClass", qos_class(old["spec"])):
        causes.append(invalid("spec", qos_class(obj["spec"]), "Pod QOS Class may not change as a result of resizing"))
    return causes


def check_pod_status(obj: Object, old: Object) -> list[Cause]:
    """A container that must not restart stays terminated; the QoS class is fixed at creation."""
    new, former = obj.get("status") or {}, old.get("status") or {}
    causes = immutable("status.qosClass", new.get("qosClass"), former.get("qosClass")) if new.get("qosClass") else []
    policy = old.get("spec", {}).get("restartPolicy", "Always")
    if policy == "Always":
        return causes
    fresh = {each.get("name"): each for each in new.get("containerStatuses") or ()}
    for index, status in enumerate(former.get("containerStatuses") or ()):
        ended = (status.get("state") or {}).get("terminated")
        if not ended or (policy == "OnFailure" and ended.get("exitCode")):
            continue
        state = (fresh.get(status.get("name")) or {}).get("state") or {}
        if status.get("name") in fresh and "terminated" not in state:
            causes.append(forbidden(f"status.containerStatuses[{index}].state", "may not be transitioned to non-terminated state"))
    return causes
