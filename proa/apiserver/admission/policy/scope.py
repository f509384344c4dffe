"""What expressions of admission may name, with the types that they are checked against.

`object`, `oldObject` and `params` are of any kind and so dynamic; `request` and `namespaceObject` are typed, and `variables` has the types
that the policy's own expressions gave. Source: k8s.io/apiserver/pkg/admission/plugin/cel.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from proa.api.cel.environment import Environment
from proa.api.cel.library.authorizer import AUTHORIZER, RESOURCE
from proa.api.cel.types import BOOL, DYN, INT, STRING, TIMESTAMP, Field, Type, list_of, map_of, object_type
from proa.lib.dataclass import dataclass

VARIABLES = "variables"
REQUEST_RESOURCE = "authorizer.requestResource"
_GVK = object_type("kubernetes.GroupVersionKind", dict.fromkeys(("group", "version", "kind"), STRING))
_GVR = object_type("kubernetes.GroupVersionResource", dict.fromkeys(("group", "version", "resource"), STRING))
_USER = object_type(
    "kubernetes.UserInfo",
    {"username": STRING, "uid": STRING, "groups": list_of(STRING), "extra": map_of(STRING, list_of(STRING))},
)
REQUEST = object_type(
    "kubernetes.AdmissionRequest",
    {
        "kind": _GVK, "resource": _GVR, "subResource": STRING, "requestKind": _GVK, "requestResource": _GVR, "requestSubResource": STRING,
        "name": STRING, "namespace": STRING, "operation": STRING, "userInfo": _USER, "dryRun": BOOL, "options": DYN,
    },
)  # fmt: skip
_CONDITION = object_type(
    "kubernetes.NamespaceCondition",
    {"status": STRING, "type": STRING, "lastTransitionTime": TIMESTAMP, "message": STRING, "reason": STRING},
)
_NAMESPACE_METADATA = object_type(
    "kubernetes.NamespaceMetadata",
    {
        "name": STRING, "generateName": STRING, "namespace": STRING, "labels": map_of(STRING, STRING),
        "annotations": map_of(STRING, STRING), "UID": STRING, "creationTimestamp": TIMESTAMP, "deletionGracePeriodSeconds": INT,
        "deletionTimestamp": TIMESTAMP, "generation": INT, "resourceVersion": STRING, "finalizers": list_of(STRING),
    },
)  # fmt: skip
NAMESPACE = object_type(
    "kubernetes.Namespace",
    {
        "metadata": _NAMESPACE_METADATA,
        "spec": object_type("kubernetes.NamespaceSpec", {"finalizers": list_of(STRING)}),
        "status": object_type("kubernetes.NamespaceStatus", {"conditions": list_of(_CONDITION), "phase": STRING}),
    },
)


class _AnyFields(Mapping[str, Field]):
    """Every name is a field of any type: objects of patches are checked without a schema."""

    def __getitem__(self, name: str) -> Field:
        return Field(DYN, name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


OBJECT = Type("object", "Object", fields=_AnyFields())
JSON_PATCH = object_type("JSONPatch", {"op": STRING, "path": STRING, "from": STRING, "value": DYN})


def patch_type(name: str) -> Type | None:
    """`Object`, `Object.spec` and so on, and `JSONPatch`: what mutating policies construct."""
    if name == "JSONPatch":
        return JSON_PATCH
    if name == "Object" or name.startswith("Object."):
        return Type("object", name, fields=_AnyFields())
    return None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of the variables are there."""

    params: bool = False
    authorizer: bool = True
    patches: bool = False

    def environment(self, variables: Mapping[str, Type] | None = None) -> Environment:
        """`variables` None for expressions that may not use the policy's."""
        made = _environment(self)
        return made if variables is None else with_variables(made, variables)


def with_variables(environment: Environment, variables: Mapping[str, Type]) -> Environment:
    return environment.extended({VARIABLES: object_type("kubernetes.variables", variables)})


@functools.cache
def _environment(scope: Scope) -> Environment:
    variables = {"object": DYN, "oldObject": DYN, "namespaceObject": NAMESPACE, "request": REQUEST}
    if scope.params:
        variables["params"] = DYN
    if scope.authorizer:
        variables |= {"authorizer": AUTHORIZER, REQUEST_RESOURCE: RESOURCE}
    if scope.patches:
        return Environment(variables, message=patch_type, patches=True)
    return Environment(variables)


MATCH_CONDITION = Scope()
"""Of webhooks; those of policies may have params."""
