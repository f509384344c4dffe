"""The restricted policy: what a hardened pod states on top of baseline. Names, versions and words are those of the published library."""

from proa.api.meta import Object
from proa.apiserver.admission.pod_security.baseline import SECCOMP_TYPES, bad_seccomp, proc_mount, seccomp_type
from proa.apiserver.admission.pod_security.check import (
    Check,
    Examine,
    Violation,
    containers,
    has_user_namespace,
    is_windows,
    named,
    plural,
    quoted,
    security,
    setters,
)

ALLOWED_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret")


def _privilege_escalation(metadata: Object, spec: Object) -> Violation | None:
    names = [each["name"] for each in containers(spec) if security(each).get("allowPrivilegeEscalation") is not False]
    if not names:
        return None
    return Violation("allowPrivilegeEscalation != false", f"{named(names)} must set securityContext.allowPrivilegeEscalation=false")


def _capabilities(metadata: Object, spec: Object) -> Violation | None:
    keeping, adding, added = [], [], set()
    for container in containers(spec):
        capabilities = security(container).get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or ()):
            keeping.append(container["name"])
        bad = set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}
        if bad:
            adding.append(container["name"])
            added |= bad
    told = []
    if keeping:
        told.append(f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        told.append(f"{named(adding)} must not include {quoted(sorted(added))} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(told)) if told else None


def _volumes(metadata: Object, spec: Object) -> Violation | None:
    bad = [each for each in spec.get("volumes") or () if not any(each.get(kind) is not None for kind in ALLOWED_VOLUMES)]
    if not bad:
        return None
    types = sorted({next((kind for kind in each if kind != "name"), "unknown") for each in bad})
    names = quoted([each["name"] for each in bad])
    used = f"{plural('uses', len(bad), 'use')} {plural('restricted volume type', len(types))} {quoted(types)}"
    return Violation("restricted volume types", f"{plural('volume', len(bad))} {names} {used}")


def _run_as_non_root(metadata: Object, spec: Object) -> Violation | None:
    reason = "runAsNonRoot != true"
    of_pod = security(spec).get("runAsNonRoot")
    stated = {each["name"]: security(each).get("runAsNonRoot") for each in containers(spec)}
    explicit = [name for name, value in stated.items() if value is False]
    if of_pod is False or explicit:
        return Violation(reason, f"{setters(of_pod is False, explicit)} must not set securityContext.runAsNonRoot=false")
    silent = [name for name, value in stated.items() if value is None]
    if of_pod or not silent:
        return None
    return Violation(reason, f"pod or {named(silent)} must set securityContext.runAsNonRoot=true")


def _run_as_user(metadata: Object, spec: Object) -> Violation | None:
    names = [each["name"] for each in containers(spec) if security(each).get("runAsUser") == 0]
    by = setters(security(spec).get("runAsUser") == 0, names)
    return Violation("runAsUser=0", f"{by} must not set runAsUser=0") if by else None


def _seccomp(metadata: Object, spec: Object) -> Violation | None:
    if bad := bad_seccomp(spec):
        return bad
    silent = [each["name"] for each in containers(spec) if seccomp_type(each) is None]
    if seccomp_type(spec) in SECCOMP_TYPES or not silent:
        return None
    wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {named(silent)} {wanted}")


def _but_on_windows(examine: Examine) -> Examine:
    return lambda metadata, spec: None if is_windows(spec) else examine(metadata, spec)


def _but_in_user_namespace(examine: Examine) -> Examine:
    return lambda metadata, spec: None if has_user_namespace(spec) else examine(metadata, spec)


CHECKS = (
    Check("allowPrivilegeEscalation", ((8, _privilege_escalation), (25, _but_on_windows(_privilege_escalation)))),
    Check("capabilities_restricted", ((22, _capabilities), (25, _but_on_windows(_capabilities))), ("capabilities_baseline",)),
    Check("procMount_restricted", ((35, proc_mount),), ("procMount",)),
    Check("restrictedVolumes", ((0, _volumes),), ("hostPathVolumes",)),
    Check("runAsNonRoot", ((0, _run_as_non_root), (35, _but_in_user_namespace(_run_as_non_root)))),
    Check("runAsUser", ((23, _run_as_user), (35, _but_in_user_namespace(_run_as_user)))),
    Check("seccompProfile_restricted", ((19, _seccomp), (25, _but_on_windows(_seccomp))), ("seccompProfile_baseline",)),
)
"""Ordered by ID, as violations are told, after those of baseline."""
