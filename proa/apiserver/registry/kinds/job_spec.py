"""The spec of a Job, which a CronJob's template shares: counts, completion mode, policies for failure and success."""

from collections.abc import Mapping

from proa.api.errors import Cause, duplicate, invalid, not_supported, required, too_long
from proa.api.meta import Object
from proa.api.names import qualified_name
from proa.apiserver.registry.checks import check_choice, check_domain_path, check_key, invalid_part, not_negative, too_many
from proa.apiserver.registry.kinds.job_indexes import parse_indexes
from proa.apiserver.registry.kinds.workloads import validate_any_template

MAX_PARALLELISM = MAX_FAILED_INDEXES = 100_000
MANY_COMPLETIONS, MAX_PARALLELISM_OF_MANY, MAX_FAILED_INDEXES_OF_MANY = 100_000, 10_000, 10_000
MAX_RULES, MAX_EXIT_CODES, MAX_CONDITION_PATTERNS, MAX_MANAGED_BY, MAX_INDEXES_TEXT = 20, 255, 20, 63, 64 * 1024
_POLICIES = ("OnFailure", "Never")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
    "maxFailedIndexes",
)  # fmt: skip


def validate_job_spec(spec: Object, path: str) -> list[Cause]:
    causes = [cause for field in _COUNTS if field in spec for cause in not_negative(f"{path}.{field}", spec[field])]
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        causes.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if "managedBy" in spec:
        causes += _validate_managed_by(spec["managedBy"], f"{path}.managedBy")
    causes += _validate_mode(spec, path)
    if "podFailurePolicy" in spec:
        causes += _validate_failure_policy(spec, f"{path}.podFailurePolicy")
    if "successPolicy" in spec:
        causes += _validate_success_policy(spec, f"{path}.successPolicy")
    causes += _validate_replacement(spec, f"{path}.podReplacementPolicy")
    template = spec.get("template") or {}
    return causes + validate_any_template(template, f"{path}.template") + _validate_restart_policy(spec, template, path)


def _validate_managed_by(name: str, path: str) -> list[Cause]:
    causes = check_domain_path(path, name)
    return [*causes, too_long(path, MAX_MANAGED_BY)] if len(name) > MAX_MANAGED_BY else causes


def _validate_mode(spec: Object, path: str) -> list[Cause]:
    mode = spec.get("completionMode")
    causes = check_choice(f"{path}.completionMode", mode, ("NonIndexed", "Indexed"), optional=True, in_order=False)
    if mode == "Indexed":
        return causes + _validate_indexed(spec, path)
    if mode in (None, "NonIndexed"):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            causes += [invalid(f"{path}.{field}", spec[field], "requires indexed completion mode")] if field in spec else []
    return causes


def _validate_indexed(spec: Object, path: str) -> list[Cause]:
    completions, parallelism, failed = spec.get("completions"), spec.get("parallelism", 0), spec.get("maxFailedIndexes")
    causes: list[Cause] = []
    if completions is None:
        causes.append(required(f"{path}.completions", "when completion mode is Indexed"))
    if parallelism > MAX_PARALLELISM:
        detail = f"must be less than or equal to {MAX_PARALLELISM} when completion mode is Indexed"
        causes.append(invalid(f"{path}.parallelism", parallelism, detail))
    if completions is not None and failed is not None and failed > completions:
        causes.append(invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > MAX_FAILED_INDEXES:
        causes.append(invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {MAX_FAILED_INDEXES}"))
    if (completions or 0) > MANY_COMPLETIONS and "backoffLimitPerIndex" in spec:
        causes += _validate_many(parallelism, failed, path)
    return causes


def _validate_many(parallelism: int, failed: int | None, path: str) -> list[Cause]:
    why = f"when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
    causes: list[Cause] = []
    if failed is None:
        causes.append(required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY_COMPLETIONS}"))
    if parallelism > MAX_PARALLELISM_OF_MANY:
        causes.append(invalid(f"{path}.parallelism", parallelism, f"must be less than or equal to {MAX_PARALLELISM_OF_MANY} {why}"))
    if failed is not None and failed > MAX_FAILED_INDEXES_OF_MANY:
        causes.append(invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {MAX_FAILED_INDEXES_OF_MANY} {why}"))
    return causes


def _validate_restart_policy(spec: Object, template: Object, path: str) -> list[Cause]:
    policy, own = (template.get("spec") or {}).get("restartPolicy"), f"{path}.template.spec.restartPolicy"
    if policy in (None, "", "Always"):
        return [required(own, 'valid values: "OnFailure", "Never"')]
    if policy not in _POLICIES:
        return [not_supported(own, policy, _POLICIES, in_order=False)]
    if "podFailurePolicy" in spec and policy != "Never":
        return [invalid(own, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []


def _validate_replacement(spec: Object, path: str) -> list[Cause]:
    allowed = ("Failed",) if "podFailurePolicy" in spec else ("Failed", "TerminatingOrFailed")
    return check_choice(path, spec.get("podReplacementPolicy"), allowed, optional=True)


def _validate_failure_policy(spec: Object, path: str) -> list[Cause]:
    rules = spec["podFailurePolicy"].get("rules") or []
    pod = (spec.get("template") or {}).get("spec") or {}
    names = {each.get("name") for field in ("containers", "initContainers") for each in pod.get(field) or ()}
    causes = too_many(f"{path}.rules", len(rules), MAX_RULES)
    for index, rule in enumerate(rules):
        causes += _validate_failure_rule(spec, rule, names, f"{path}.rules[{index}]")
    return causes


def _validate_failure_rule(spec: Object, rule: Object, names: set[str | None], path: str) -> list[Cause]:
    action, codes, conditions = rule.get("action") or "", rule.get("onExitCodes"), rule.get("onPodConditions") or []
    causes: list[Cause] = []
    if not action:
        causes.append(required(f"{path}.action", 'valid values: ["Count" "FailIndex" "FailJob" "Ignore"]'))
    elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
        causes.append(invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set"))
    elif action not in _ACTIONS:
        causes.append(not_supported(f"{path}.action", action, _ACTIONS))
    if codes is not None:
        causes += _validate_exit_codes(codes, names, f"{path}.onExitCodes")
    causes += _validate_conditions(conditions, f"{path}.onPodConditions")
    if codes is not None and conditions:
        causes.append(invalid_part(path, "specifying both OnExitCodes and OnPodConditions is not supported"))
    if codes is None and not conditions:
        causes.append(invalid_part(path, "specifying one of OnExitCodes and OnPodConditions is required"))
    return causes


def _validate_conditions(patterns: list[Object], path: str) -> list[Cause]:
    causes = too_many(path, len(patterns), MAX_CONDITION_PATTERNS)
    for index, pattern in enumerate(patterns):
        own, status = f"{path}[{index}]", pattern.get("status") or ""
        causes += check_key(f"{own}.type", pattern.get("type"), qualified_name)
        if not status:
            causes.append(required(f"{own}.status", 'valid values: ["False" "True" "Unknown"]'))
        else:
            causes += check_choice(f"{own}.status", status, ("False", "True", "Unknown"))
    return causes


def _validate_exit_codes(codes: Object, names: set[str | None], path: str) -> list[Cause]:
    operator, values, name = codes.get("operator") or "", codes.get("values") or [], codes.get("containerName")
    causes: list[Cause] = []
    if not operator:
        causes.append(required(f"{path}.operator", 'valid values: ["In" "NotIn"]'))
    else:
        causes += check_choice(f"{path}.operator", operator, ("In", "NotIn"))
    if name is not None and name not in names:
        detail = "must be one of the container or initContainer names in the pod template"
        causes.append(invalid(f"{path}.containerName", name, detail))
    if not values:
        causes.append(invalid(f"{path}.values", codes.get("values"), "at least one value is required"))
    causes += too_many(f"{path}.values", len(values), MAX_EXIT_CODES)
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            causes.append(invalid(f"{path}.values[{index}]", value, "must not be 0 for the In operator"))
        if value in values[:index]:
            causes.append(duplicate(f"{path}.values[{index}]", value))
    if values != sorted(values):
        causes.append(invalid(f"{path}.values", values, "must be ordered"))
    return causes


def _validate_success_policy(spec: Object, path: str) -> list[Cause]:
    if spec.get("completionMode") != "Indexed":
        return [invalid(path, spec["successPolicy"], "requires indexed completion mode")]
    rules = spec["successPolicy"].get("rules") or []
    detail = "at least one rules must be specified when the successPolicy is specified"
    causes = [] if rules else [required(f"{path}.rules", detail)]
    causes += too_many(f"{path}.rules", len(rules), MAX_RULES)
    for index, rule in enumerate(rules):
        causes += _validate_success_rule(rule, spec.get("completions") or 0, f"{path}.rules[{index}]")
    return causes


def _validate_success_rule(rule: Mapping[str, int | str], completions: int, path: str) -> list[Cause]:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    causes: list[Cause] = []
    if count is None and indexes is None:
        causes.append(required(path, "at least one of succeededCount or succeededIndexes must be specified"))
    total = 0
    if isinstance(indexes, str):
        if len(indexes) > MAX_INDEXES_TEXT:
            causes.append(too_long(f"{path}.succeededIndexes", MAX_INDEXES_TEXT))
        try:
            total = sum(last - first + 1 for first, last in parse_indexes(indexes, completions))
        except ValueError as error:
            causes.append(invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {error}"))
    if isinstance(count, int):
        own = f"{path}.succeededCount"
        causes += not_negative(own, count)
        if count > completions:
            causes.append(invalid(own, count, f"must be less than or equal to {completions} (the number of specified completions)"))
        if indexes is not None and count > total:
            what = "the number of indexes in the specified succeededIndexes field"
            causes.append(invalid(own, count, f"must be less than or equal to {total} ({what})"))
    return causes
