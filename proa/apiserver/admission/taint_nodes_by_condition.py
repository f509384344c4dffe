"""A new node is tainted as not ready until the node lifecycle controller has seen it ready: no pod lands on it in between."""

from proa.apiserver.interface import Attributes, PassiveAdmission

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(PassiveAdmission):
    name = "TaintNodesByCondition"
    resources = frozenset({("", "nodes")})

    async def admit(self, attributes: Attributes) -> None:
        node = attributes.object
        if attributes.group_resource != ("", "nodes") or attributes.subresource or attributes.operation != "CREATE" or node is None:
            return
        spec = node.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any(taint.get("key") == NOT_READY["key"] and taint.get("effect") == NOT_READY["effect"] for taint in taints):
            spec["taints"] = [*taints, dict(NOT_READY)]
