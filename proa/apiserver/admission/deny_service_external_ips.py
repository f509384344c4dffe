"""Nobody adds external addresses to a Service, which could draw traffic to them; what is there may stay or go."""

from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, PassiveAdmission


class DenyServiceExternalIPs(PassiveAdmission):
    name = "DenyServiceExternalIPs"
    resources = frozenset({("", "services")})

    async def validate(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE") or attributes.object is None:
            return
        addresses, before = (
            set(((obj or {}).get("spec") or {}).get("externalIPs") or ()) for obj in (attributes.object, attributes.old_object)
        )
        if addresses - before:
            raise refuse(attributes, "Use of external IPs is denied by admission control.")
