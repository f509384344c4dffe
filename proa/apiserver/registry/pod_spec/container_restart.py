"""A container's own restart policy, and rules for some exit codes (KEP-5307)."""

from proa.api.errors import Cause, not_supported, required
from proa.api.meta import Object
from proa.apiserver.registry.checks import too_many

_POLICIES, _ACTIONS, _OPERATORS = ("Always", "Never", "OnFailure"), ("Restart", "RestartAllContainers"), ("In", "NotIn")
MAX_RULES, MAX_EXIT_CODES = 20, 255


def validate_restart(container: Object, path: str) -> list[Cause]:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    causes = _without_policy(container, path)
    if policy is not None and policy not in _POLICIES:
        causes.append(not_supported(f"{path}.restartPolicy", policy, _POLICIES))
    causes += too_many(f"{path}.restartPolicyRules", len(rules), MAX_RULES)
    for index, rule in enumerate(rules):
        causes += _validate_rule(rule, f"{path}.restartPolicyRules[{index}]")
    return causes


def validate_restart_of_init(container: Object, path: str) -> list[Cause]:
    """Rules without a policy aren't looked at further."""
    return _without_policy(container, path) if container.get("restartPolicy") is None else validate_restart(container, path)


def _without_policy(container: Object, path: str) -> list[Cause]:
    if container.get("restartPolicy") is not None or not container.get("restartPolicyRules"):
        return []
    return [required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")]


def _validate_rule(rule: Object, path: str) -> list[Cause]:
    action, codes = rule.get("action") or "", rule.get("exitCodes")
    causes = [] if action in _ACTIONS else [not_supported(f"{path}.action", action, _ACTIONS)]
    if codes is None:
        return [*causes, required(f"{path}.exitCodes", "must be specified")]
    operator = codes.get("operator") or ""
    if operator not in _OPERATORS:
        causes.append(not_supported(f"{path}.exitCodes.operator", operator, _OPERATORS))
    return causes + too_many(f"{path}.exitCodes.values", len(codes.get("values") or ()), MAX_EXIT_CODES)
