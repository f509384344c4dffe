"""Which object an autoscaler means: kind, name, and an apiVersion that must be one. What is scaled has a group, or is a
ReplicationController."""

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.apiserver.registry.checks import check_name
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    group_needed: bool = False
    version_checked: bool = True


def validate_reference(reference: Object, path: str, rule: ReferenceRule) -> list[Cause]:
    causes = [cause for field in ("kind", "name") for cause in check_name(f"{path}.{field}", reference.get(field), path_segment)]
    version = reference.get("apiVersion") or ""
    problem = api_version_problem(version, rule)
    return [*causes, invalid(f"{path}.apiVersion", version, problem)] if problem else causes


def api_version_problem(version: str, rule: ReferenceRule) -> str:
    """Empty for a good one."""
    if not rule.version_checked:
        return ""
    if version != "/" and version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    return "apiVersion must specify API group" if rule.group_needed and not version.rpartition("/")[0] else ""
