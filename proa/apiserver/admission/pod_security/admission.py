"""Pod Security: refuses pods that break the policy which their namespace enforces, and warns of those that break the one to warn of.

Templates of workloads are never refused, only warned of, as their pods will be refused. A namespace that tightens its policy is told
which of its pods would not be let in again.
"""

from collections import Counter
from collections.abc import Sequence

from proa.api import meta
from proa.api.errors import Cause, Invalid
from proa.api.meta import Object
from proa.api.pod_annotations import SECCOMP_CONTAINER, SECCOMP_POD
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.policy import Level, Policy, policy_of, told, violations
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
MAX_PODS = 3000


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
        kind = attributes.group_resource
        if kind == NAMESPACES:
            self._namespace(attributes)
            return
        policy, causes = self._policies.get(attributes.namespace, self._default)
        if policy.asks_nothing or attributes.object is None or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if reason := self._exempt.reason(attributes):
            attributes.add_audit_annotation("pod-security.kubernetes.io/exempt", reason)
        elif kind == PODS:
            self._pod(attributes, attributes.object, policy, causes)
        elif not attributes.subresource and (policy.warn.strictness or policy.audit.strictness):
            template = _template(attributes.object, TEMPLATES[kind])
            if template is not None:
                self._evaluate(attributes, template, policy, causes, enforce=False)

    def _pod(self, attributes: Attributes, pod: Object, policy: Policy, causes: list[Cause]) -> None:
        if attributes.subresource in IGNORED_SUBRESOURCES:
            return
        old = attributes.old_object
        if attributes.operation == "UPDATE" and old is not None and not is_significant(pod, old):
            return
        self._evaluate(attributes, pod, policy, causes, enforce=True)

    def _evaluate(self, attributes: Attributes, pod: Object, policy: Policy, causes: list[Cause], *, enforce: bool) -> None:
        metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
        if self._exempt.runtime_class(spec):
            attributes.add_audit_annotation("pod-security.kubernetes.io/exempt", "runtimeClass")
            return
        if causes:
            text = ", ".join(cause.detail for cause in causes)
            attributes.add_audit_annotation("pod-security.kubernetes.io/error", f"Failed to parse policy: {text}")
        if enforce:
            attributes.add_audit_annotation("pod-security.kubernetes.io/enforce-policy", str(policy.enforce))
        if found := violations(policy.audit, metadata, spec):
            text = f'would violate PodSecurity "{policy.audit}": {told(found)}'
            attributes.add_audit_annotation("pod-security.kubernetes.io/audit-violations", text)
        if enforce and (found := violations(policy.enforce, metadata, spec)):
            raise refuse(attributes, f'violates PodSecurity "{policy.enforce}": {told(found)}')
        if found := violations(policy.warn, metadata, spec):
            attributes.add_warning(f'would violate PodSecurity "{policy.warn}": {told(found)}')

    def _namespace(self, attributes: Attributes) -> None:
        namespace, old = attributes.object, attributes.old_object
        if attributes.subresource or namespace is None or attributes.operation not in ("CREATE", "UPDATE"):
            return
        policy, causes = policy_of(meta.labels(namespace), self._defaults)
        before, before_causes = policy_of(meta.labels(old), self._defaults) if old is not None else (policy, [])
        if causes and causes != before_causes:
            raise _invalid(attributes, causes)
        level, former = policy.enforce, before.enforce
        if level == former or not level.strictness or (level.minor == former.minor and level.strictness <= former.strictness):
            return
        if not self._exempt.namespace(meta.name(namespace)):
            for warning in self._warnings(meta.name(namespace), level):
                attributes.add_warning(warning)

    def _warnings(self, namespace: str, level: Level) -> list[str]:
        """Reasons with the first pod and how many more there are."""
        first: dict[str, str] = {}
        count: Counter[str] = Counter()
        pods = self._reader.list("", "pods", namespace)
        for pod in _prioritised(pods)[:MAX_PODS]:
            found = violations(level, pod["metadata"], pod.get("spec") or {})
            if found and not self._exempt.runtime_class(pod.get("spec") or {}):
                reason = ", ".join(violation.reason for violation in found)
                first[reason] = min(first.get(reason, meta.name(pod)), meta.name(pod))
                count[reason] += 1
        warnings = []
        if len(pods) > MAX_PODS:
            text = f"new PodSecurity enforce level only checked against the first {MAX_PODS} of {len(pods)} existing pods"
            warnings.append(text)
        if first:
            warnings.append(f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"')
        return warnings + sorted(f"{name}{_others(count[reason] - 1)}: {reason}" for reason, name in first.items())


def _others(count: int) -> str:
    return "" if not count else " (and 1 other pod)" if count == 1 else f" (and {count} other pods)"


def _invalid(attributes: Attributes, causes: Sequence[Cause]) -> Invalid:
    """Worded as a refusal around what is invalid, with the code and the details of the latter."""
    name = attributes.name or meta.name(attributes.object or {})
    inner = Invalid.of("", "Namespace", name, causes)
    return Invalid(f'namespaces "{name}" is forbidden: {inner.message}', inner.details)


def _template(obj: Object, path: tuple[str, ...]) -> Object | None:
    found: Object | None = obj
    for step in path:
        found = (found or {}).get(step)
    return found


def _prioritised(pods: Sequence[Object]) -> list[Object]:
    """One pod of each controller first, as its siblings are alike."""
    seen: set[str] = set()
    first: list[Object] = []
    rest: list[Object] = []
    for pod in pods:
        owner = meta.controller_of(pod)
        key = owner["uid"] if owner else ""
        (rest if key in seen else first).append(pod)
        if key:
            seen.add(key)
    return first + rest


def is_significant(pod: Object, old: Object) -> bool:
    """Whether an update can change what the policy says: images, seccomp annotations, added containers."""
    if _annotation(pod, SECCOMP_POD) != _annotation(old, SECCOMP_POD):
        return True
    spec, former = pod.get("spec") or {}, old.get("spec") or {}
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(former.get(field) or ()):
            return True
    before = {each["name"]: each for field in ("containers", "initContainers", "ephemeralContainers") for each in former.get(field) or ()}
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            known, key = before.get(container["name"]), f"{SECCOMP_CONTAINER}{container['name']}"
            if known is None or known.get("image") != container.get("image") or _annotation(pod, key) != _annotation(old, key):
                return True
    return False


def _annotation(pod: Object, key: str) -> str:
    return meta.annotations(pod).get(key, "")
