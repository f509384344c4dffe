"""Nothing is created in a namespace that does not exist or is on its way out, and the three namespaces that every cluster needs stay.

What is in a terminating namespace can still be updated and deleted, or it could never be emptied.
"""

from proa.api.errors import Forbidden, NotFound
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

IMMORTAL = ("default", "kube-public", "kube-system")
ALWAYS_ALLOWED = {("authorization.k8s.io", "localsubjectaccessreviews")}
"""May be asked about namespaces that aren't there."""
NAMESPACES = ("", "namespaces")
TERMINATING = "NamespaceTerminating"


class NamespaceLifecycle(PassiveAdmission):
    name = "NamespaceLifecycle"

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def admit(self, attributes: Attributes) -> None:
        kind = attributes.group_resource
        if attributes.operation == "DELETE" and kind == NAMESPACES and not attributes.subresource and attributes.name in IMMORTAL:
            raise refuse(attributes, "this namespace may not be deleted")
        if kind == NAMESPACES or not attributes.namespace or kind in ALWAYS_ALLOWED or attributes.operation == "DELETE":
            return
        self._check(attributes)

    def _check(self, attributes: Attributes) -> None:
        namespace = self._reader.get("", "namespaces", attributes.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", attributes.namespace)
        if attributes.operation == "CREATE" and namespace.get("status", {}).get("phase") == "Terminating":
            raise _terminating(attributes)


def _terminating(attributes: Attributes) -> Forbidden:
    error = refuse(attributes, f"unable to create new content in namespace {attributes.namespace} because it is being terminated")
    error.details["causes"] = [
        {"reason": TERMINATING, "message": f"namespace {attributes.namespace} is being terminated", "field": "metadata.namespace"}
    ]
    return error
