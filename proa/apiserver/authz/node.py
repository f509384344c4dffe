"""What a kubelet may do: only what the pods on its own node need. Source: Kubernetes' "Using Node Authorization", KEP-4601 for selectors.

NodeRestriction admission completes it: here the object's content is not known yet.
"""

from collections.abc import Callable

from proa.api.errors import BadRequest
from proa.api.fields import parse_field_selector
from proa.api.meta import Object
from proa.apiserver.authz.node_graph import NodeGraph
from proa.apiserver.authz.policy_rule import CompiledRules, allows, allows_path
from proa.apiserver.interface import Decision, ObjectReader, RequestInfo, User

NODES_GROUP = "system:nodes"
NODE_PREFIX = "system:node:"
LEASE_NAMESPACE = "kube-node-lease"
ALLOW = Decision(True)
NO_OPINION = Decision(None)
OWN_VERBS = ("get", "create", "update", "patch", "delete")


def node_identity(user: User) -> str | None:
    """The node's name, "" for a node that can't be told, None for whoever isn't a node."""
    if not user.name.startswith(NODE_PREFIX) or NODES_GROUP not in user.groups:
        return None
    return user.name.removeprefix(NODE_PREFIX)


class NodeAuthorizer:
    """`rules` (those of the ClusterRole system:node) hold for what is not divided among nodes."""

    def __init__(self, reader: ObjectReader, rules: CompiledRules) -> None:
        self._reader = reader
        self.graph = NodeGraph()
        self.graph.follow(reader)
        self._rules = rules
        self._rules_by_resource: dict[tuple[str, str], Callable[[str, RequestInfo], Decision]] = {
            ("", "secrets"): self._read,
            ("", "configmaps"): self._read,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get,
            ("resource.k8s.io", "resourceclaims"): self._get,
            ("storage.k8s.io", "volumeattachments"): self._get,
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
            ("certificates.k8s.io", "podcertificaterequests"): self._pod_certificate_request,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
        }

    async def authorize(self, user: User, info: RequestInfo) -> Decision:
        node = node_identity(user)
        if node is None:
            return NO_OPINION
        if not node:
            return Decision(None, f'unknown node for user "{user.name}"')
        if not info.is_resource:
            return Decision(allows_path(self._rules, info.verb, info.path) or None)
        rule = self._rules_by_resource.get((info.group, info.resource))
        if rule is not None:
            return rule(node, info)
        return Decision(allows(self._rules, info.verb, info.group, info.resource, info.subresource, info.name) or None)

    def rules_for(self, user: User, namespace: str) -> tuple[list[Object], list[Object], str]:
        """A node's permissions depend on its pods and can't be listed."""
        return [], [], "" if node_identity(user) is None else "node authorizer does not support user rule resolution"

    def _related(self, node: str, info: RequestInfo) -> Decision:
        name = info.name or selected(info.field_selector, "metadata.name")
        if not name:
            return Decision(None, "No Object name found")
        if self.graph.has_path(node, info.resource, info.namespace, name):
            return ALLOW
        return Decision(None, f"no relationship found between node '{node}' and this object")

    def _read(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in ("get", "list", "watch"):
            return Decision(None, "can only read resources of this type")
        if info.subresource:
            return Decision(None, "cannot read subresource")
        if not info.namespace:
            return Decision(None, "can only read namespaced object of this type")
        return self._related(node, info)

    def _get(self, node: str, info: RequestInfo) -> Decision:
        if info.verb != "get":
            return Decision(None, "can only get individual resources of this type")
        if info.subresource:
            return Decision(None, "cannot get subresource")
        return self._related(node, info)

    def _claim(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource != "status":
            return self._get(node, info)
        if info.verb not in ("update", "patch"):
            return Decision(None, "can only get/update/patch this type")
        return self._related(node, info)

    def _service_account(self, node: str, info: RequestInfo) -> Decision:
        if info.verb == "get" and not info.subresource:
            return self._related(node, info)
        if info.verb != "create" or not info.name:
            return Decision(None, "can only create tokens for individual service accounts")
        if info.subresource != "token":
            return Decision(None, "can only create token subresource of serviceaccount")
        return self._related(node, info)

    def _lease(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in OWN_VERBS:
            return Decision(None, "can only get, create, update, patch, or delete a node lease")
        if info.namespace != LEASE_NAMESPACE:
            return Decision(None, f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
        if info.verb != "create" and info.name != node:
            return Decision(None, "can only access node lease with the same name as the requesting node")
        return ALLOW

    def _csi_node(self, node: str, info: RequestInfo) -> Decision:
        if info.verb not in OWN_VERBS:
            return Decision(None, "can only get, create, update, patch, or delete a CSINode")
        if info.subresource:
            return Decision(None, "cannot authorize CSINode subresources")
        if info.verb != "create" and info.name != node:
            return Decision(None, "can only access CSINode with the same name as the requesting node")
        return ALLOW

    def _resource_slice(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource:
            return Decision(None, "cannot authorize ResourceSlice subresources")
        if info.verb == "create":
            return ALLOW
        if info.verb in ("get", "update", "patch", "delete"):
            return self._related(node, info)
        if selected(info.field_selector, "spec.nodeName") == node or selected(info.field_selector, "nodeName") == node:
            return ALLOW
        return Decision(None, "can only list/watch/deletecollection resourceslices with nodeName field selector")

    def _pod_certificate_request(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource:
            return Decision(None, "nodes may not access the status subresource of PodCertificateRequests")
        if info.verb == "create":
            return ALLOW
        if info.verb == "get":
            found = self._reader.get(info.group, info.resource, info.name, info.namespace) or {}
            of_node = (found.get("spec") or {}).get("nodeName") == node
            return ALLOW if of_node else Decision(None, f"no relationship found between node '{node}' and this object")
        if info.verb in ("list", "watch"):
            if selected(info.field_selector, "spec.nodeName") == node:
                return ALLOW
            return Decision(None, "can only list/watch podcertificaterequests with nodeName field selector")
        return Decision(None, f"{info.verb} is not allowed on PodCertificateRequests")

    def _node(self, node: str, info: RequestInfo) -> Decision:
        if info.subresource == "status":
            return Decision(True if info.verb in ("update", "patch") else None)
        if info.subresource or info.verb not in ("create", "update", "patch", "get", "list", "watch"):
            return Decision(None)
        if info.verb in ("create", "update", "patch"):
            return ALLOW
        name = info.name or selected(info.field_selector, "metadata.name")
        if name == node:
            return ALLOW
        if not name:
            return Decision(None, f"node '{node}' cannot read all nodes, only its own Node object")
        return Decision(None, f"node '{node}' cannot read '{name}', only its own Node object")

    def _pod(self, node: str, info: RequestInfo) -> Decision:
        writes = {"": ("create", "delete"), "status": ("update", "patch"), "eviction": ("create",)}
        if info.verb in writes.get(info.subresource, ()):
            return ALLOW
        if info.subresource or info.verb not in ("get", "list", "watch"):
            return Decision(None)
        if info.verb != "get" and selected(info.field_selector, "spec.nodeName") == node:
            return ALLOW
        if info.verb == "get" or info.name or selected(info.field_selector, "metadata.name"):
            return self._related(node, info)
        return Decision(None, "can only list/watch pods with spec.nodeName field selector")


def selected(selector: str, field: str) -> str:
    """The value that a field selector demands of `field`, "" if it demands none."""
    try:
        return (parse_field_selector(selector).exact(field) or "") if selector else ""
    except BadRequest:
        return ""
