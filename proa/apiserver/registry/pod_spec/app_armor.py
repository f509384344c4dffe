"""AppArmor profiles in annotations, from before there was the field: at creation they become fields (KEP-24)."""

from collections.abc import Mapping

from proa.api.meta import Object
from proa.api.pod_annotations import APP_ARMOR
from proa.api.pod_template import containers
from proa.apiserver.registry.pod_spec.profiles_agree import LOCALHOST, RUNTIME_DEFAULT, UNCONFINED

_MAX_PROFILE = 4095


def profiles_from_annotations(annotations: Mapping[str, str], spec: Object) -> list[str]:
    """Gives containers the profile of their annotation in place, unless it is the pod's own; the warnings about it."""
    if not any(key.startswith(APP_ARMOR) for key in annotations) or (spec.get("os") or {}).get("name") == "windows":
        return []
    of_pod = (spec.get("securityContext") or {}).get("appArmorProfile")
    warnings: list[str] = []
    for _, container in containers(spec):
        key = f"{APP_ARMOR}{container.get('name')}"
        if key not in annotations or (container.get("securityContext") or {}).get("appArmorProfile") is not None:
            continue
        profile = _profile_of(annotations[key])
        if profile is not None and profile == of_pod:
            continue
        if profile is not None:
            container["securityContext"] = (container.get("securityContext") or {}) | {"appArmorProfile": profile}
        warnings.append(f'metadata.annotations[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead')
    return warnings


def _profile_of(annotation: str) -> Object | None:
    """None for what is no valid profile."""
    if annotation == UNCONFINED:
        return {"type": "Unconfined"}
    if annotation == RUNTIME_DEFAULT:
        return {"type": "RuntimeDefault"}
    if not annotation.startswith(LOCALHOST):
        return None
    name = annotation.removeprefix(LOCALHOST)
    return {"type": "Localhost", "localhostProfile": name} if name and name == name.strip() and len(name) <= _MAX_PROFILE else None
