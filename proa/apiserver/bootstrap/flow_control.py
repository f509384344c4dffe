"""The FlowSchemas and PriorityLevelConfigurations that every cluster has, and who keeps them right: pure decisions.

The mandatory ones always are what they should be. The suggested ones come back when deleted, and their spec is kept as long as the
annotation says so; without one, as long as nobody has changed it. Source: "API Priority and Fairness", "Maintenance of the Mandatory and
Suggested Configuration Objects".
"""

from collections.abc import Iterable
from typing import Any

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import ResourceId

GROUP = "flowcontrol.apiserver.k8s.io"
FLOW_SCHEMAS = ResourceId(GROUP, "v1", "flowschemas", "FlowSchema", False)
PRIORITY_LEVELS = ResourceId(GROUP, "v1", "prioritylevelconfigurations", "PriorityLevelConfiguration", False)
AUTOUPDATE = "apf.kubernetes.io/autoupdate-spec"
ALL = ["*"]
EVERYONE = ("Group", "system:unauthenticated"), ("Group", "system:authenticated")
KUBE_SYSTEM = (("ServiceAccount", "*"),)
CONTROLLER_MANAGER, SCHEDULER = ("User", "system:kube-controller-manager"), ("User", "system:kube-scheduler")

LEVELS: dict[str, tuple[int, int, tuple[int, int, int] | None]] = {
    "system": (30, 33, (64, 6, 50)),
    "node-high": (40, 25, (64, 6, 50)),
    "leader-election": (10, 0, (16, 4, 50)),
    "workload-high": (40, 50, (128, 6, 50)),
    "workload-low": (100, 90, (128, 6, 50)),
    "global-default": (20, 50, (128, 6, 50)),
    "catch-all": (5, 0, None),
}
"""Shares, lendable percent, and (queues, hand size, length limit); no queues: reject."""
FlowControl = tuple[ResourceId, Object]


def _level(name: str, spec: Object) -> Object:
    return _object(PRIORITY_LEVELS, name, spec)


def _limited(shares: int, lendable: int, queues: tuple[int, int, int] | None) -> Object:
    response: Object = {"type": "Reject"}
    if queues is not None:
        response = {"type": "Queue", "queuing": dict(zip(("queues", "handSize", "queueLengthLimit"), queues, strict=True))}
    limited = {"nominalConcurrencyShares": shares, "limitResponse": response, "lendablePercent": lendable}
    return {"type": "Limited", "limited": limited}


def _object(resource: ResourceId, name: str, spec: Object) -> Object:
    metadata = {"name": name, "annotations": {AUTOUPDATE: "true"}}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": spec}


def _subject(kind: str, name: str) -> Object:
    if kind == "ServiceAccount":
        return {"kind": kind, "serviceAccount": {"name": name, "namespace": "kube-system"}}
    return {"kind": kind, kind.lower(): {"name": name}}


def _rule(verbs: list[str], group: str, resources: list[str], namespaces: list[str], *, cluster: bool = False) -> Object:
    rule: Object = {"verbs": verbs, "apiGroups": [group], "resources": resources, "namespaces": namespaces}
    return rule | {"clusterScope": True} if cluster else rule


EVERYTHING: Object = {
    "resourceRules": [_rule(ALL, "*", ALL, ALL, cluster=True)],
    "nonResourceRules": [{"verbs": ALL, "nonResourceURLs": ALL}],
}
_ELECTION = ["get", "create", "update"]
_LEASES = _rule(_ELECTION, "coordination.k8s.io", ["leases"], ALL)
_LOCKS = ["endpoints", "configmaps"]
"""What leaders were elected with before there were Leases."""


def _schema(name: str, level: str, precedence: int, method: str, subjects: Iterable[tuple[str, str]], rules: Object = EVERYTHING) -> Object:
    spec: dict[str, Any] = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
    if method:
        spec["distinguisherMethod"] = {"type": method}
    spec["rules"] = [{"subjects": [_subject(*subject) for subject in subjects], **rules}]
    return _object(FLOW_SCHEMAS, name, spec)


def _resources(*rules: Object) -> Object:
    return {"resourceRules": list(rules)}


_MADE = {name: _level(name, _limited(*values)) for name, values in LEVELS.items()}
MANDATORY_LEVELS: dict[str, Object] = {
    "exempt": _level("exempt", {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}),
    "catch-all": _MADE.pop("catch-all"),
}
SUGGESTED_LEVELS: dict[str, Object] = _MADE
MANDATORY_SCHEMAS: dict[str, Object] = {
    "exempt": _schema("exempt", "exempt", 1, "", (("Group", "system:masters"),)),
    "catch-all": _schema("catch-all", "catch-all", 10000, "ByUser", EVERYONE),
}
_HEALTH = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]}
_NODE_RULES = _resources(
    _rule(ALL, "", ["nodes", "nodes/status"], ALL, cluster=True), _rule(ALL, "coordination.k8s.io", ["leases"], ALL)
)  # fmt: skip
_NODES = (("Group", "system:nodes"),)
_ENDPOINT_CONTROLLERS = (
    CONTROLLER_MANAGER, ("ServiceAccount", "endpoint-controller"), ("ServiceAccount", "endpointslicemirroring-controller"),
)  # fmt: skip
SUGGESTED_SCHEMAS: dict[str, Object] = {
    schema["metadata"]["name"]: schema
    for schema in (
        _schema("system-nodes", "system", 500, "ByUser", _NODES),
        _schema("system-node-high", "node-high", 400, "ByUser", _NODES, _NODE_RULES),
        _schema("probes", "exempt", 2, "", EVERYONE, _HEALTH),
        _schema(
            "system-leader-election", "leader-election", 100, "ByUser", (CONTROLLER_MANAGER, SCHEDULER, *KUBE_SYSTEM),
            _resources(_rule(_ELECTION, "", _LOCKS, ["kube-system"]), _LEASES),
        ),
        _schema("endpoint-controller", "workload-high", 150, "ByUser", _ENDPOINT_CONTROLLERS,
                _resources(_rule(_ELECTION, "", ["endpoints"], ALL))),
        _schema("workload-leader-election", "leader-election", 200, "ByUser", KUBE_SYSTEM,
                _resources(_rule(_ELECTION, "", _LOCKS, ALL), _LEASES)),
        _schema("kube-controller-manager", "workload-high", 800, "ByNamespace", (CONTROLLER_MANAGER,)),
        _schema("kube-scheduler", "workload-high", 800, "ByNamespace", (SCHEDULER,)),
        _schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", KUBE_SYSTEM),
        _schema("service-accounts", "workload-low", 9000, "ByUser", (("Group", "system:serviceaccounts"),)),
        _schema("global-default", "global-default", 9900, "ByUser", EVERYONE),
    )
}  # fmt: skip


def default_objects() -> list[FlowControl]:
    """All of them, levels first."""
    levels = [(PRIORITY_LEVELS, each) for each in (*MANDATORY_LEVELS.values(), *SUGGESTED_LEVELS.values())]
    return levels + [(FLOW_SCHEMAS, each) for each in (*MANDATORY_SCHEMAS.values(), *SUGGESTED_SCHEMAS.values())]


def reconcile(wanted: Object, present: Object) -> Object | None:
    """The object to write instead of what is there; None if it may stay."""
    mandatory = is_mandatory(wanted["kind"], meta.name(wanted))
    ours = mandatory or is_ours(present)
    annotations = meta.annotations(present) | {AUTOUPDATE: "true" if ours else "false"}
    spec = _kept(wanted, present) if ours else present["spec"]
    changed = present | {"metadata": present["metadata"] | {"annotations": annotations}, "spec": spec}
    return changed if changed != present else None


def is_ours(present: Object) -> bool:
    """Whether the server keeps the spec of a suggested object: what the annotation says, or else whether anybody has changed it."""
    said = meta.annotations(present).get(AUTOUPDATE)
    if said in ("true", "false"):
        return said == "true"
    return bool(present["metadata"].get("generation") == 1)


def _kept(wanted: Object, present: Object) -> Object:
    """The exempt level's shares are its operator's."""
    spec: Object = wanted["spec"]
    return spec | {"exempt": present["spec"].get("exempt", spec["exempt"])} if spec.get("type") == "Exempt" else spec


def is_mandatory(kind: str, name: str) -> bool:
    return name in (MANDATORY_SCHEMAS if kind == FLOW_SCHEMAS.kind else MANDATORY_LEVELS)


def is_abandoned(present: Object) -> bool:
    """Whether a server of another version has made it, and nobody has wanted it for himself."""
    kind, name = present["kind"], meta.name(present)
    suggested = SUGGESTED_SCHEMAS if kind == FLOW_SCHEMAS.kind else SUGGESTED_LEVELS
    return meta.annotations(present).get(AUTOUPDATE) == "true" and not is_mandatory(kind, name) and name not in suggested
