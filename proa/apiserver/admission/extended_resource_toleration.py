"""A pod that asks for devices tolerates the taint that keeps others off the nodes that have them: its key is the resource's name."""

from proa.api.meta import Object
from proa.api.quota.usage import is_extended
from proa.apiserver.interface import Attributes, PassiveAdmission


class ExtendedResourceToleration(PassiveAdmission):
    name = "ExtendedResourceToleration"
    resources = frozenset({("", "pods")})

    async def admit(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        spec = attributes.object.setdefault("spec", {})
        tolerations = list(spec.get("tolerations") or ())
        for name in sorted(_extended(spec)):
            wanted = {"key": name, "operator": "Exists", "effect": "NoSchedule"}
            if wanted not in tolerations:
                tolerations.append(wanted)
        if tolerations:
            spec["tolerations"] = tolerations


def _extended(spec: Object) -> set[str]:
    containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return {name for each in containers for name in ((each.get("resources") or {}).get("requests") or {}) if is_extended(name)}
