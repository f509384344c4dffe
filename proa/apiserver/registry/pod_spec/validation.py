"""What may stand in a pod spec; the same for pods and for templates, but for what `is_pod` asks."""

from proa.api.errors import Cause, forbidden, invalid, not_supported
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, qualified_name
from proa.apiserver.registry.checks import check_choice, check_ip, check_key, check_optional_name, within
from proa.apiserver.registry.object_meta import validate_annotations
from proa.apiserver.registry.pod_spec.annotations import validate_pod_annotations
from proa.apiserver.registry.pod_spec.containers import validate_containers, validate_image_is_bare, validate_ports_on_host
from proa.apiserver.registry.pod_spec.dns import validate_dns
from proa.apiserver.registry.pod_spec.env import validate_env_files
from proa.apiserver.registry.pod_spec.operating_system import validate_host_processes, validate_operating_system
from proa.apiserver.registry.pod_spec.pod_level_resources import validate_pod_level_resources
from proa.apiserver.registry.pod_spec.profiles_agree import validate_seccomp_agrees
from proa.apiserver.registry.pod_spec.resources import validate_resources
from proa.apiserver.registry.pod_spec.scheduling import validate_affinity, validate_gates, validate_spread, validate_tolerations
from proa.apiserver.registry.pod_spec.security import validate_pod_security_context
from proa.apiserver.registry.pod_spec.volumes import validate_volumes
from proa.apiserver.registry.pod_spec.whole import (
    validate_as_pod,
    validate_claims,
    validate_host_users,
    validate_hostname_override,
    validate_scheduling_group,
)

RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
_MAX_INT32 = 2147483647


def validate_pod_spec(spec: Object, path: str, *, is_pod: bool = False) -> list[Cause]:
    """Causes in upstream's order, which is the order in which clients see them."""
    volumes, causes = validate_volumes(spec["volumes"], f"{path}.volumes") if spec.get("volumes") else ({}, [])
    if claims := spec.get("resourceClaims"):
        causes += validate_claims(claims, f"{path}.resourceClaims")
    causes += validate_containers(spec, volumes, path)
    if spec.get("resources") is not None:
        causes += validate_pod_level_resources(spec, path)
    causes += validate_ports_on_host(spec, path, is_pod=is_pod)
    causes += check_choice(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES, in_order=False)
    causes += check_choice(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS_POLICIES, in_order=False)
    if selector := spec.get("nodeSelector"):
        causes += validate_labels(selector, f"{path}.nodeSelector")
    causes += validate_pod_security_context(spec, path)
    if affinity := spec.get("affinity"):
        causes += validate_affinity(affinity, f"{path}.affinity")
    if "dnsConfig" in spec or spec.get("dnsPolicy") == "None":
        causes += validate_dns(spec, f"{path}.dnsConfig")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        causes += check_key(f"{path}.readinessGates[{index}].conditionType", gate.get("conditionType"), qualified_name)
    if gates := spec.get("schedulingGates"):
        causes += validate_gates(gates, f"{path}.schedulingGates")
    if constraints := spec.get("topologySpreadConstraints"):
        causes += validate_spread(constraints, f"{path}.topologySpreadConstraints")
    causes += validate_host_processes(spec, path)
    if spec.get("hostUsers") is False:
        causes += validate_host_users(spec, path)
    if spec.get("hostnameOverride") is not None:
        causes += validate_hostname_override(spec, path)
    causes += _validate_names(spec, path)
    causes += _validate_rest(spec, path)
    causes += validate_env_files(spec, path)
    return causes + _validate_as_pod(spec, path) if is_pod else causes


def _validate_names(spec: Object, path: str) -> list[Cause]:
    causes = check_optional_name(f"{path}.serviceAccountName", spec.get("serviceAccountName"), dns1123_subdomain)
    causes += check_optional_name(f"{path}.nodeName", spec.get("nodeName"), dns1123_subdomain)
    causes += within(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, _MAX_INT32)
    causes += check_optional_name(f"{path}.hostname", spec.get("hostname"), dns1123_label)
    return causes + check_optional_name(f"{path}.subdomain", spec.get("subdomain"), dns1123_label)


def _validate_rest(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if tolerations := spec.get("tolerations"):
        causes += validate_tolerations(tolerations, f"{path}.tolerations")
    if aliases := spec.get("hostAliases"):
        causes += _validate_host_aliases(aliases, f"{path}.hostAliases")
    causes += check_optional_name(f"{path}.priorityClassName", spec.get("priorityClassName"), dns1123_subdomain)
    if spec.get("runtimeClassName") is not None:
        causes += check_key(f"{path}.runtimeClassName", spec["runtimeClassName"], dns1123_subdomain)
    if (policy := spec.get("preemptionPolicy")) is not None:
        causes += check_choice(f"{path}.preemptionPolicy", policy, _PREEMPTION_POLICIES, in_order=False)
    if overhead := spec.get("overhead"):
        # Overhead is checked as limits are, and shows it in its paths.
        causes += validate_resources({"limits": overhead}, f"{path}.overhead")
    if spec.get("os") is not None:
        causes += validate_operating_system(spec, path)
    if (group := spec.get("schedulingGroup")) is not None:
        causes += validate_scheduling_group(group, f"{path}.schedulingGroup")
    return causes


def _validate_as_pod(spec: Object, path: str) -> list[Cause]:
    causes = validate_as_pod(spec, path)
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            causes += validate_image_is_bare(container, f"{path}.{field}[{index}]")
    return causes


def _validate_host_aliases(aliases: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, alias in enumerate(aliases):
        causes += check_ip(f"{path}[{index}].ip", alias.get("ip", ""))
        for number, name in enumerate(alias.get("hostnames") or ()):
            causes += [invalid(f"{path}[{index}].hostnames[{number}]", name, problem) for problem in dns1123_subdomain(name)]
    return causes


def validate_template(template: Object, path: str, restart_policies: tuple[str, ...] = ("Always",)) -> list[Cause]:
    """A pod template: labels, annotations, spec. Controllers that keep pods running allow only restartPolicy Always."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    causes = validate_labels(meta.get("labels") or {}, f"{path}.labels")
    causes += validate_annotations(meta.get("annotations") or {}, f"{path}.annotations")
    if meta.get("annotations"):
        causes += validate_pod_annotations(meta["annotations"], spec, f"{path}.annotations")
    causes += validate_pod_spec(spec, f"{path}.spec")
    causes += validate_seccomp_agrees(meta.get("annotations") or {}, spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        causes.append(forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))
    if spec.get("restartPolicy", "Always") not in restart_policies:
        causes.append(not_supported(f"{path}.spec.restartPolicy", spec["restartPolicy"], restart_policies))
    return causes
