"""Which kinds have a controller that acts on them; writes to a kind that waits for one in vain deserve a warning."""

WITH_CONTROLLER = frozenset({
    ("", "endpoints"), ("", "namespaces"), ("", "nodes"), ("", "pods"), ("", "serviceaccounts"), ("", "services"),
    ("", "replicationcontrollers"), ("apps", "deployments"), ("apps", "replicasets"), ("discovery.k8s.io", "endpointslices"),
    ("policy", "poddisruptionbudgets"),
})  # fmt: skip

WAITING_FOR_CONTROLLER = frozenset({
    ("", "persistentvolumeclaims"), ("apps", "daemonsets"), ("apps", "statefulsets"),
    ("autoscaling", "horizontalpodautoscalers"), ("batch", "cronjobs"), ("batch", "jobs"), ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
})  # fmt: skip


def missing_controller_warning(group: str, plural: str, kind: str) -> str:
    """The warning for a write to this kind; empty where something acts on it (or nothing has to)."""
    if (group, plural) not in WAITING_FOR_CONTROLLER:
        return ""
    return f"{kind} is stored and served, but this version of proa has no controller that acts on it yet"
