"""Turns a pod's priority class into the number that the scheduler sorts by, and keeps one class the default.

A user may not set the number: it must be what the class says. Source: Kubernetes' "Pod Priority and Preemption".
"""

from proa.api import meta
from proa.api.errors import Forbidden
from proa.api.meta import Object
from proa.apiserver.admission.refusal import object_name, refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

GROUP = "scheduling.k8s.io"
SYSTEM_CLASSES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
DEFAULT_POLICY = "PreemptLowerPriority"


class Priority(PassiveAdmission):
    name = "Priority"
    resources = frozenset({("", "pods"), ("scheduling.k8s.io", "priorityclasses")})

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if attributes.group_resource != ("", "pods") or attributes.subresource or pod is None:
            return
        if attributes.operation == "CREATE":
            self._resolve(attributes, pod)
        elif attributes.operation == "UPDATE" and attributes.old_object is not None:
            _keep(pod.setdefault("spec", {}), attributes.old_object.get("spec", {}))

    def _resolve(self, attributes: Attributes, pod: Object) -> None:
        spec = pod.setdefault("spec", {})
        given = spec.get("priority")
        if not spec.get("priorityClassName"):
            self._use_default(spec)
        priority, policy = self._class(attributes, spec)
        if given is not None and given != priority:
            raise refuse(
                attributes, f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {priority} from the given PriorityClass name"
            )  # fmt: skip
        if spec.get("preemptionPolicy") not in (None, policy):
            raise refuse(
                attributes, f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name"
            )  # fmt: skip
        spec |= {"priority": priority, "preemptionPolicy": policy}

    def _use_default(self, spec: Object) -> None:
        default = default_class(self._reader.list(GROUP, "priorityclasses"))
        if default is not None:
            spec["priorityClassName"] = meta.name(default)

    def _class(self, attributes: Attributes, spec: Object) -> tuple[int, str]:
        name = spec.get("priorityClassName")
        if not name:
            return 0, DEFAULT_POLICY
        found = self._reader.get(GROUP, "priorityclasses", name)
        if found is not None:
            return int(found.get("value", 0)), found.get("preemptionPolicy") or DEFAULT_POLICY
        if name in SYSTEM_CLASSES:
            return SYSTEM_CLASSES[name], DEFAULT_POLICY
        raise refuse(attributes, f"no PriorityClass with name {name} was found")

    async def validate(self, attributes: Attributes) -> None:
        wanted = attributes.object
        if attributes.group_resource != (GROUP, "priorityclasses") or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if wanted is None or attributes.subresource or not wanted.get("globalDefault"):
            return
        default = default_class(self._reader.list(GROUP, "priorityclasses"))
        if default is not None and meta.name(default) != object_name(attributes):
            why = f"PriorityClass {meta.name(default)} is already marked as default. Only one default can exist"
            raise Forbidden.of(GROUP, "priorityclasses", object_name(attributes), why)


def default_class(classes: list[Object]) -> Object | None:
    """The globalDefault class; the lowest, if there are several by mistake."""
    return min((each for each in classes if each.get("globalDefault")), key=lambda each: int(each.get("value", 0)), default=None)


def _keep(spec: Object, old: Object) -> None:
    """An update that leaves the fields out does not clear them."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and old.get(field) is not None and spec.get("priorityClassName") == old.get("priorityClassName"):
            spec[field] = old[field]
