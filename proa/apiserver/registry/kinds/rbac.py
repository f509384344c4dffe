"""RBAC kinds: rules, and role references that never change."""

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, path_segment
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy

GROUP = "rbac.authorization.k8s.io"


class _RbacStrategy(KindStrategy):
    has_status = False
    allow_create_on_update = True

    @property
    def name_check(self) -> NameCheck:
        return path_segment


class RoleStrategy(_RbacStrategy):
    """Role and ClusterRole: only the latter may name non-resource URLs and aggregate others."""

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        for index, rule in enumerate(obj.get("rules") or ()):
            causes += _validate_rule(rule, self.namespaced, f"rules[{index}]")
        if "aggregationRule" in obj:
            causes += _validate_aggregation((obj["aggregationRule"] or {}).get("clusterRoleSelectors") or [])
        return causes


def _validate_aggregation(selectors: list[Object]) -> list[Cause]:
    path = "aggregationRule.clusterRoleSelectors"
    if not selectors:
        return [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")]
    causes: list[Cause] = []
    for index, selector in enumerate(selectors):
        wrong = validate_label_selector(selector, f"{path}[{index}]")
        causes += [*wrong, invalid(f"{path}[{index}]", None, "invalid label selector.")] if wrong else []
    return causes


def _validate_rule(rule: Object, namespaced: bool, path: str) -> list[Cause]:
    causes = [] if rule.get("verbs") else [required(f"{path}.verbs", "verbs must contain at least one value")]
    groups, resources, urls = rule.get("apiGroups") or [], rule.get("resources") or [], rule.get("nonResourceURLs") or []
    if urls:
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            causes.append(invalid(f"{path}.nonResourceURLs", urls, detail))
        if groups or resources or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            causes.append(invalid(f"{path}.nonResourceURLs", urls, detail))
        return causes
    if not groups:
        causes.append(required(f"{path}.apiGroups", "resource rules must supply at least one api group"))
    if not resources:
        causes.append(required(f"{path}.resources", "resource rules must supply at least one resource"))
    return causes


class RoleBindingStrategy(_RbacStrategy):
    def fill(self, obj: Object) -> None:
        role = obj.get("roleRef")
        if isinstance(role, dict) and not role.get("apiGroup"):
            role["apiGroup"] = GROUP
        for subject in obj.get("subjects") or ():
            if not subject.get("apiGroup"):
                if subject.get("kind") in ("User", "Group"):
                    subject["apiGroup"] = GROUP
                elif "apiGroup" in subject:
                    del subject["apiGroup"]

    def check(self, obj: Object) -> list[Cause]:
        role = obj.get("roleRef") or {}
        causes: list[Cause] = []
        if role.get("apiGroup") != GROUP:
            causes.append(not_supported("roleRef.apiGroup", role.get("apiGroup", ""), (GROUP,)))
        kinds = ("Role", "ClusterRole") if self.namespaced else ("ClusterRole",)
        if role.get("kind") not in kinds:
            causes.append(not_supported("roleRef.kind", role.get("kind", ""), kinds, in_order=False))
        if not role.get("name"):
            causes.append(required("roleRef.name"))
        else:
            causes += [invalid("roleRef.name", role["name"], problem) for problem in path_segment(role["name"])]
        for index, subject in enumerate(obj.get("subjects") or ()):
            causes += _validate_subject(subject, self.namespaced, f"subjects[{index}]")
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self.check(obj)
        if obj.get("roleRef") != old.get("roleRef"):
            causes.append(invalid("roleRef", obj.get("roleRef"), "cannot change roleRef"))
        return causes


def _validate_subject(subject: Object, namespaced: bool, path: str) -> list[Cause]:
    causes = [] if subject.get("name") else [required(f"{path}.name")]
    kind, group, name = subject.get("kind", ""), subject.get("apiGroup", ""), subject.get("name") or ""
    if kind == "ServiceAccount":
        if name:
            causes += [invalid(f"{path}.name", name, problem) for problem in dns1123_subdomain(name)]
        if group:
            causes.append(not_supported(f"{path}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            causes.append(required(f"{path}.namespace"))
    elif kind in ("User", "Group"):
        if group != GROUP:
            causes.append(not_supported(f"{path}.apiGroup", group, (GROUP,)))
    else:
        causes.append(not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"), in_order=False))
    return causes
