"""What Pod Security has to say of a namespace itself: labels that can't be read, a policy that nobody will heed, pods that are there and
would not be let in again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from proa.api import meta
from proa.api.errors import Invalid
from proa.api.meta import Object
from proa.apiserver.admission.pod_security.exemptions import Exemptions
from proa.apiserver.admission.pod_security.policy import MODES, PREFIX, Level, Policy, policy_of, violations
from proa.apiserver.interface import Attributes, ObjectReader

MAX_PODS = 3000


def judge_namespace(attributes: Attributes, reader: ObjectReader, defaults: Policy, exempt: Exemptions) -> None:
    """Raises Invalid for wrong labels that were not there before."""
    namespace, old = attributes.object or {}, attributes.old_object
    name = meta.name(namespace)
    policy, causes = policy_of(meta.labels(namespace), defaults)
    before, before_causes = policy_of(meta.labels(old), defaults) if old is not None else (policy, [])
    if causes and causes != before_causes:
        raise Invalid.of("", "Namespace", attributes.name or name, causes)
    if old is not None and not _is_tightened(policy.enforce, before.enforce):
        return
    if exempt.namespace(name):
        warnings = _told_in_vain(namespace, policy, defaults)
    else:
        warnings = _of_pods(name, policy.enforce, reader.list("", "pods", name), exempt) if old is not None else iter(())
    for warning in warnings:
        attributes.add_warning(warning)


def _is_tightened(level: Level, former: Level) -> bool:
    """Whether pods may be there that the new level would not let in: another version counts as much as a stricter level."""
    if level == former or not level.strictness:
        return False
    return level.minor != former.minor or level.strictness > former.strictness


def _told_in_vain(namespace: Object, policy: Policy, defaults: Policy) -> Iterator[str]:
    """The labels of an exempt namespace mean nothing."""
    if policy.asks_nothing or policy.is_like(defaults):
        return
    labels = meta.labels(namespace)
    stated = (mode for mode in MODES if f"{PREFIX}{mode}" in labels or f"{PREFIX}{mode}-version" in labels)
    levels: dict[str, Level] = {mode: getattr(policy, mode) for mode in stated}
    told = ", ".join(f"{mode}={level}" for mode, level in levels.items() if level.strictness)
    yield f'namespace "{meta.name(namespace)}" is exempt from Pod Security, and the policy ({told}) will be ignored'


def _of_pods(namespace: str, level: Level, pods: Sequence[Object], exempt: Exemptions) -> Iterator[str]:
    """Reasons with the first pod and how many more there are."""
    first: dict[str, str] = {}
    count: Counter[str] = Counter()
    in_order = _prioritised([pod for pod in pods if not exempt.runtime_class(pod.get("spec") or {})])
    for pod in in_order[:MAX_PODS]:
        if found := violations(level, pod["metadata"], pod.get("spec") or {}):
            reason = ", ".join(violation.reason for violation in found)
            first[reason] = min(first.get(reason, meta.name(pod)), meta.name(pod))
            count[reason] += 1
    if len(in_order) > MAX_PODS:
        yield f"new PodSecurity enforce level only checked against the first {MAX_PODS} of {len(in_order)} existing pods"
    if first:
        yield f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"'
    yield from sorted(f"{name}{_others(count[reason] - 1)}: {reason}" for reason, name in first.items())


def _others(count: int) -> str:
    return "" if not count else " (and 1 other pod)" if count == 1 else f" (and {count} other pods)"


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
