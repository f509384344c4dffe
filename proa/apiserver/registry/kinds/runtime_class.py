"""RuntimeClasses: named handlers of the nodes' container runtimes."""

from collections.abc import Sequence

from proa.api.errors import Cause, duplicate
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label
from proa.apiserver.registry.checks import check_key
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.node_labels import label_warnings
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.scheduling import validate_tolerations


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
        for index, toleration in enumerate(tolerations):
            if toleration in tolerations[:index]:
                causes.append(duplicate(f"scheduling.tolerations[{index}]", toleration))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return immutable("handler", obj.get("handler"), old.get("handler"))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return label_warnings((obj.get("scheduling") or {}).get("nodeSelector") or {}, "scheduling.nodeSelector")
