"""Whether a container that ended runs again: the pod's restartPolicy, the container's own, and its rules by exit code."""

from proa.api import meta
from proa.api.meta import Object
from proa.kubelet import pod_spec
from proa.kubelet.cri.runtime import Container


def policy_of(pod: Object, container: Object) -> str:
    return str(container.get("restartPolicy") or pod_spec.restart_policy(pod))


def rule_action(container: Object, exit_code: int) -> str:
    """The action of the first matching restartPolicyRule, "" if none matches."""
    for rule in container.get("restartPolicyRules") or []:
        codes = rule.get("exitCodes") or {}
        listed = exit_code in (codes.get("values") or [])
        if (codes.get("operator") == "In" and listed) or (codes.get("operator") == "NotIn" and not listed):
            return str(rule.get("action", ""))
    return ""


def restarts_after(pod: Object, container: Object, exit_code: int) -> bool:
    if rule_action(container, exit_code) == "Restart":
        return True
    policy = policy_of(pod, container)
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def should_run(pod: Object, container: Object, latest: Container | None) -> bool:
    """Whether to start it now, given its latest attempt."""
    if meta.is_terminating(pod):
        return False
    if latest is None or latest.state in ("CREATED", "UNKNOWN"):
        return True
    return latest.is_exited and restarts_after(pod, container, latest.exit_code)
