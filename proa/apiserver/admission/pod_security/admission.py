"""Pod Security: refuses pods that break the policy which their namespace enforces, and warns of those that break the one to warn of.

Templates of workloads are never refused, only warned of, as their pods will be refused. What was asked and found is in the audit log, too.
Source: KEP-2579 and the Pod Security admission controller's page.
"""

from proa.api import meta
from proa.api.errors import Cause, joined
from proa.api.meta import Object
from proa.api.pod_annotations import SECCOMP_CONTAINER
from proa.api.pod_template import CONTAINER_LISTS
from proa.apiserver.admission.pod_security.check import containers
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.namespaces import judge_namespace
from proa.apiserver.admission.pod_security.policy import PREFIX, PRIVILEGED, Policy, policy_of, told, violations
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, ObjectReader, PassiveAdmission

PODS, NAMESPACES = ("", "pods"), ("", "namespaces")
TEMPLATES = {
    ("", "podtemplates"): ("template",),
    ("", "replicationcontrollers"): ("spec", "template"),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("apps", "daemonsets"): ("spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
}
"""Where kinds keep their pod template."""
IGNORED_SUBRESOURCES = frozenset({"exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"})
EXEMPT, ERROR, ENFORCED, VIOLATED = (f"{PREFIX}{key}" for key in ("exempt", "error", "enforce-policy", "audit-violations"))
"""Keys of audit annotations."""


class PodSecurity(PassiveAdmission):
    name = "PodSecurity"
    resources = frozenset({PODS, NAMESPACES, *TEMPLATES})

    def __init__(self, reader: ObjectReader, defaults: Policy | None = None, exemptions: Exemptions | None = None) -> None:
        self._reader = reader
        self._defaults = defaults or Policy()
        self._exempt = exemptions or Exemptions()
        self._policies: dict[str, tuple[Policy, list[Cause]]] = {}
        self._default = (self._defaults, list[Cause]())
        reader.observe("", "namespaces", self._on_namespace)

    def _on_namespace(self, event: str, namespace: Object) -> None:
        policy, causes = policy_of(meta.labels(namespace), self._defaults)
        if event == "DELETED" or (policy == self._defaults and not causes):
            self._policies.pop(meta.name(namespace), None)
        else:
            self._policies[meta.name(namespace)] = policy, causes

    async def validate(self, attributes: Attributes) -> None:
        kind, obj = attributes.group_resource, attributes.object
        if obj is None or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if attributes.subresource and (kind != PODS or attributes.subresource in IGNORED_SUBRESOURCES):
            return
        if kind == NAMESPACES:
            judge_namespace(attributes, self._reader, self._defaults, self._exempt)
        elif reason := self._exempt.reason(attributes):
            attributes.add_audit_annotation(EXEMPT, reason)
        elif kind == PODS:
            self._pod(attributes, obj)
        else:
            self._workload(attributes, obj)

    def _pod(self, attributes: Attributes, pod: Object) -> None:
        policy, causes = self._policies.get(attributes.namespace, self._default)
        if policy.asks_nothing and not causes:
            attributes.add_audit_annotation(ENFORCED, str(PRIVILEGED))
        elif attributes.operation == "CREATE" or is_significant(pod, attributes.old_object or {}):
            self._evaluate(attributes, pod, policy, causes, enforce=True)

    def _workload(self, attributes: Attributes, obj: Object) -> None:
        policy, causes = self._policies.get(attributes.namespace, self._default)
        if causes or policy.warn.strictness or policy.audit.strictness:
            template = _template(obj, TEMPLATES[attributes.group_resource])
            if template is not None:
                self._evaluate(attributes, template, policy, causes, enforce=False)

    def _evaluate(self, attributes: Attributes, pod: Object, policy: Policy, causes: list[Cause], *, enforce: bool) -> None:
        metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
        if self._exempt.runtime_class(spec):
            attributes.add_audit_annotation(EXEMPT, "runtimeClass")
            return
        if causes:
            attributes.add_audit_annotation(ERROR, f"Failed to parse policy: {joined([cause.detail for cause in causes])}")
        if enforce:
            attributes.add_audit_annotation(ENFORCED, str(policy.enforce))
        found = {level: told(violations(level, metadata, spec)) for level in {policy.enforce, policy.audit, policy.warn}}
        if why := found[policy.audit]:
            attributes.add_audit_annotation(VIOLATED, f'would violate PodSecurity "{policy.audit}": {why}')
        if enforce and (why := found[policy.enforce]):
            raise refuse(attributes, f'violates PodSecurity "{policy.enforce}": {why}')
        if why := found[policy.warn]:
            attributes.add_warning(f'would violate PodSecurity "{policy.warn}": {why}')


def _template(obj: Object, path: tuple[str, ...]) -> Object | None:
    found: Object | None = obj
    for step in path:
        found = (found or {}).get(step)
    return found


def is_significant(pod: Object, old: Object) -> bool:
    """Whether an update can change what the policy says: images, seccomp annotations of containers, added containers."""
    spec, former = pod.get("spec") or {}, old.get("spec") or {}
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(former.get(field) or ()):
            return True
    before = {each["name"]: each for field in CONTAINER_LISTS for each in former.get(field) or ()}
    for container in containers(spec):
        known, key = before.get(container["name"]), f"{SECCOMP_CONTAINER}{container['name']}"
        if known is None or known.get("image") != container.get("image") or _annotation(pod, key) != _annotation(old, key):
            return True
    return False


def _annotation(pod: Object, key: str) -> str:
    return meta.annotations(pod).get(key, "")
