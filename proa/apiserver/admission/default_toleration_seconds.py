"""A pod that says nothing about nodes that are not ready or out of reach stays on them for five minutes."""

from proa.api.meta import Object
from proa.apiserver.interface import Attributes, PassiveAdmission

TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
SECONDS = 300


class DefaultTolerationSeconds(PassiveAdmission):
    name = "DefaultTolerationSeconds"
    resources = frozenset({("", "pods")})

    async def admit(self, attributes: Attributes) -> None:
        if attributes.group_resource != ("", "pods") or attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if attributes.object is not None:
            add_tolerations(attributes.object.setdefault("spec", {}))


def add_tolerations(spec: Object) -> None:
    present = spec.get("tolerations") or []
    missing = [taint for taint in TAINTS if not any(_tolerates(each, taint) for each in present)]
    added = [{"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS} for taint in missing]
    if added:
        spec["tolerations"] = [*present, *added]


def _tolerates(toleration: Object, taint: str) -> bool:
    return toleration.get("key", "") in ("", taint) and toleration.get("effect", "") in ("", "NoExecute")
