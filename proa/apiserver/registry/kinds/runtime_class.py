"""RuntimeClasses: named handlers of the nodes' container runtimes."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.apiserver.registry.checks import check_key
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.node_labels import deprecated_label
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.scheduling import validate_tolerations

_KEY = ("key", "operator", "value", "effect")
"""What makes a toleration another one; how long it tolerates doesn't."""


class RuntimeClassStrategy(StatuslessStrategy):
    def check(self, obj: Object) -> list[Cause]:
        causes = check_key("handler", obj.get("handler"), dns1123_label)
        if "overhead" in obj:
            fixed = (obj["overhead"] or {}).get("podFixed") or {}
            # Overhead is checked as limits are, and shows it in its paths.
            causes += validate_resources({"limits": fixed}, "overhead")
        scheduling = obj.get("scheduling") or {}
        causes += validate_labels(scheduling.get("nodeSelector") or {}, "scheduling.nodeSelector")
        tolerations = scheduling.get("tolerations") or []
        causes += validate_tolerations(tolerations, "scheduling.tolerations")
        keys = [tuple(toleration.get(field) for field in _KEY) for toleration in tolerations]
        causes += [
            duplicate(f"scheduling.tolerations[{index}]", toleration)
            for index, toleration in enumerate(tolerations)
            if keys[index] in keys[:index]
        ]
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("handler", obj.get("handler"), old.get("handler"))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        keys = (obj.get("scheduling") or {}).get("nodeSelector") or {}
        return [f"scheduling.nodeSelector: {message}" for key in keys if (message := deprecated_label(key))]
