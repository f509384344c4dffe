"""What may stand in a pod spec; the same for pods and for templates."""

from proa.api.errors import Cause, forbidden, invalid, not_supported, required
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_choice, check_ip, check_optional_name, within
from proa.apiserver.registry.object_meta import validate_annotations
from proa.apiserver.registry.pod_spec.annotations import validate_pod_annotations
from proa.apiserver.registry.pod_spec.containers import validate_containers
from proa.apiserver.registry.pod_spec.operating_system import validate_host_processes, validate_operating_system
from proa.apiserver.registry.pod_spec.pod_level_resources import validate_pod_level_resources
from proa.apiserver.registry.pod_spec.scheduling import validate_scheduling
from proa.apiserver.registry.pod_spec.security import validate_pod_security_context
from proa.apiserver.registry.pod_spec.volumes import validate_volumes
from proa.apiserver.registry.pod_spec.whole import validate_whole

RESTART_POLICIES = ("Always", "Never", "OnFailure")
_DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
MAX_SEARCH_TEXT = 2048
_MAX_INT32 = 2147483647
_NAMES = (
    ("serviceAccountName", dns1123_subdomain), ("nodeName", dns1123_subdomain), ("hostname", dns1123_label), ("subdomain", dns1123_label),
    ("priorityClassName", dns1123_subdomain), ("runtimeClassName", dns1123_subdomain),
)  # fmt: skip


def validate_pod_spec(spec: Object, path: str) -> list[Cause]:
    volumes, causes = validate_volumes(spec["volumes"], f"{path}.volumes") if spec.get("volumes") else ({}, [])
    causes += validate_containers(spec, volumes, path)
    causes += check_choice(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    causes += check_choice(f"{path}.dnsPolicy", spec.get("dnsPolicy"), _DNS_POLICIES)
    causes += validate_pod_security_context(spec.get("securityContext") or {}, f"{path}.securityContext")
    causes += validate_scheduling(spec, path)
    causes += validate_whole(spec, path)
    causes += within(f"{path}.activeDeadlineSeconds", spec.get("activeDeadlineSeconds"), 1, _MAX_INT32)
    for field, check in _NAMES:
        if spec.get(field):
            causes += check_optional_name(f"{path}.{field}", spec[field], check)
    if "dnsConfig" in spec or spec.get("dnsPolicy") == "None":
        causes += _validate_dns(spec, path)
    if "hostAliases" in spec:
        causes += _validate_host_aliases(spec["hostAliases"], f"{path}.hostAliases")
    if "resources" in spec:
        causes += validate_pod_level_resources(spec, path)
    if "os" in spec:
        causes += validate_operating_system(spec, path)
    return causes + validate_host_processes(spec, path)


def _validate_dns(spec: Object, path: str) -> list[Cause]:
    config = spec.get("dnsConfig") or {}
    own = f"{path}.dnsConfig"
    nameservers, searches = config.get("nameservers") or [], config.get("searches") or []
    causes: list[Cause] = []
    if spec.get("dnsPolicy") == "None" and not nameservers:
        causes.append(required(f"{own}.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"))
    if len(nameservers) > 3:
        causes.append(invalid(f"{own}.nameservers", nameservers, "must not have more than 3 nameservers"))
    for index, address in enumerate(nameservers):
        causes += check_ip(f"{own}.nameservers[{index}]", address)
    if len(searches) > 32:
        causes.append(invalid(f"{own}.searches", searches, "must not have more than 32 search paths"))
    if len(" ".join(searches)) > MAX_SEARCH_TEXT:
        detail = f"must not have more than {MAX_SEARCH_TEXT} characters (including spaces) in the search list"
        causes.append(invalid(f"{own}.searches", searches, detail))
    for index, search in enumerate(searches):
        if search != ".":
            causes += [
                invalid(f"{own}.searches[{index}]", search, problem) for problem in dns1123_subdomain(search.rstrip(".").replace("_", ""))
            ]
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            causes.append(required(f"{own}.options[{index}]", "must not be empty"))
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
    if spec.get("ephemeralContainers"):
        causes.append(forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))
    if spec.get("restartPolicy", "Always") not in restart_policies:
        causes.append(not_supported(f"{path}.spec.restartPolicy", spec["restartPolicy"], restart_policies))
    return causes
