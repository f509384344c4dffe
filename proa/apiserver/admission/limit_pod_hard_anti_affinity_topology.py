"""A pod that demands to be away from others may demand it of nodes only, not of whole zones, which it could keep for itself."""

from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, PassiveAdmission

HOSTNAME = "kubernetes.io/hostname"


class LimitPodHardAntiAffinityTopology(PassiveAdmission):
    name = "LimitPodHardAntiAffinityTopology"
    resources = frozenset({("", "pods")})

    async def validate(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        rules = ((attributes.object.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
        for term in rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
            key = term.get("topologyKey", "")
            if key != HOSTNAME:
                why = f"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey {key} but only key {HOSTNAME} is allowed"
                raise refuse(attributes, why)
