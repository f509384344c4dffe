"""What upstream warns of in pods and pod templates: what is old, what does nothing, and what rarely means what it says.

Texts: upstream's pkg/api/pod/warnings.go.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD
from proa.apiserver.registry.addresses import ip_warnings
from proa.apiserver.registry.pod_spec.node_labels import deprecated_label, label_warnings, term_warnings
from proa.apiserver.registry.pod_spec.port_warnings import port_warnings
from proa.apiserver.registry.pod_spec.volume_warnings import fraction_warnings, volume_warnings

_LISTS = ("initContainers", "containers", "ephemeralContainers")
_REQUIRED, _PREFERRED = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
_WHOLE_BYTES = ("memory", "ephemeral-storage")
_NULL_SELECTOR = "a null labelSelector results in matching no pod"
_OLD_ANNOTATIONS: Mapping[str, str] = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_SECCOMP_GONE = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_APPARMOR_OLD = 'deprecated since v1.30; use the "appArmorProfile" field instead'


def template_warnings(template: Object, path: str) -> list[str]:
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    notes = meta.get("annotations") or {}
    found = annotation_warnings(notes, spec, f"{path}.metadata") + spec_warnings(spec, f"{path}.spec")
    if not notes or "appArmorProfile" in (spec.get("securityContext") or {}):
        return found
    for _, _, container in _containers(spec):
        key = f"{APP_ARMOR}{container.get('name', '')}"
        if key in notes and "appArmorProfile" not in (container.get("securityContext") or {}):
            found.append(f"{path}.metadata.annotations[{key}]: {_APPARMOR_OLD}")
    return found


def annotation_warnings(annotations: Mapping[str, str], spec: Object, path: str) -> list[str]:
    """Those of pods and templates alike; which container an annotation speaks of is a question of the spec."""
    if not annotations:
        return []
    found = [f"{path}.annotations[{key}]: {message}" for key, message in _OLD_ANNOTATIONS.items() if key in annotations]
    context = spec.get("securityContext") or {}
    if SECCOMP_POD in annotations and "seccompProfile" not in context:
        found.append(f"{path}.annotations[{SECCOMP_POD}]: {_SECCOMP_GONE}")
    for _, _, container in _containers(spec):
        key = f"{SECCOMP_CONTAINER}{container.get('name', '')}"
        if key in annotations and "seccompProfile" not in (container.get("securityContext") or {}):
            found.append(f"{path}.annotations[{key}]: {_SECCOMP_GONE}")
    return found


def spec_warnings(spec: Object, path: str) -> list[str]:
    found: list[str] = []
    if selector := spec.get("nodeSelector"):
        found += label_warnings(selector, f"{path}.nodeSelector")
    if affinity := spec.get("affinity"):
        found += _affinity_warnings(affinity, f"{path}.affinity")
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        found += _topology_warnings(constraint, f"{path}.topologySpreadConstraints[{index}]")
    if volumes := spec.get("volumes"):
        found += volume_warnings(volumes, f"{path}.volumes")
    found += _repeated(spec.get("hostAliases"), "ip", f"{path}.hostAliases") + _pull_secret_warnings(spec, path)
    for name, index, container in _containers(spec):
        found += _container_warnings(container, f"{path}.{name}[{index}]")
    if overhead := spec.get("overhead"):
        found += fraction_warnings(overhead, f"{path}.overhead", _WHOLE_BYTES)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        found.append(f"{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1")
    return found + port_warnings(spec, path) + _address_warnings(spec, path)


def _address_warnings(spec: Object, path: str) -> list[str]:
    found: list[str] = []
    for index, address in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        found += ip_warnings(address, f"{path}.dnsConfig.nameservers[{index}]")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        found += ip_warnings(alias.get("ip") or "", f"{path}.hostAliases[{index}].ip")
    return found


def _containers(spec: Object) -> Iterator[tuple[str, int, Object]]:
    for name in _LISTS:
        for index, container in enumerate(spec.get(name) or ()):
            yield name, index, container


def _affinity_warnings(affinity: Object, path: str) -> list[str]:
    found: list[str] = []
    node, own = affinity.get("nodeAffinity") or {}, f"{path}.nodeAffinity"
    for index, term in enumerate((node.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ()):
        found += term_warnings(term, f"{own}.{_REQUIRED}.nodeSelectorTerms[{index}]")
    for index, weighted in enumerate(node.get(_PREFERRED) or ()):
        found += term_warnings(weighted.get("preference") or {}, f"{own}.{_PREFERRED}[{index}].preference", check_values=True)
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(kind) or {}
        for index, term in enumerate(pods.get(_REQUIRED) or ()):
            found += _selector_warnings(term, f"{path}.{kind}.{_REQUIRED}[{index}]")
        for index, weighted in enumerate(pods.get(_PREFERRED) or ()):
            found += _selector_warnings(weighted.get("podAffinityTerm") or {}, f"{path}.{kind}.{_PREFERRED}[{index}].podAffinityTerm")
    return found


def _topology_warnings(constraint: Object, path: str) -> list[str]:
    key = constraint.get("topologyKey") or ""
    message = deprecated_label(key)
    found = [f"{path}.topologyKey: {key} is {message}"] if message else []
    return found + _selector_warnings(constraint, path)


def _selector_warnings(term: Object, path: str) -> list[str]:
    return [] if "labelSelector" in term else [f"{path}.labelSelector: {_NULL_SELECTOR}"]


def _repeated(items: Sequence[Object] | None, field: str, path: str) -> list[str]:
    seen: set[Any] = set()
    found = []
    for index, item in enumerate(items or ()):
        if item.get(field) in seen:
            found.append(f'{path}[{index}].{field}: duplicate {field} "{item.get(field) or ""}"')
        seen.add(item.get(field))
    return found


def _pull_secret_warnings(spec: Object, path: str) -> list[str]:
    secrets = spec.get("imagePullSecrets")
    if not secrets:
        return []
    own = f"{path}.imagePullSecrets"
    empty = [f'{own}[{index}].name: invalid empty name ""' for index, secret in enumerate(secrets) if not secret.get("name")]
    return _repeated(secrets, "name", own) + empty


def _container_warnings(container: Object, path: str) -> list[str]:
    found = _amount_warnings(container["resources"], f"{path}.resources") if container.get("resources") else []
    if environment := container.get("env"):
        found += _hidden_variables(environment, f"{path}.env")
    return found


def _amount_warnings(resources: Object, path: str) -> list[str]:
    return [
        warning
        for name in _WHOLE_BYTES
        for field in ("limits", "requests")
        for warning in fraction_warnings(resources.get(field) or {}, f"{path}.{field}", (name,))
    ]


def _hidden_variables(environment: Sequence[Object], path: str) -> list[str]:
    """A variable given twice, unless the second adds to the first."""
    seen: set[str] = set()
    found = []
    for index, variable in enumerate(environment):
        name, value = variable.get("name") or "", variable.get("value") or ""
        if name in seen and ("valueFrom" in variable or value == f"$({name})" or f"$({name})" not in value):
            found.append(f'{path}[{index}]: hides previous definition of "{name}", which may be dropped when using apply')
        seen.add(name)
    return found
