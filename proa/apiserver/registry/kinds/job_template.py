"""What may change in the template of a Job: nothing, but for one that is suspended and has no pods (KEP-2926, KEP-5440).

Its scheduling directives and the resources of its containers may still be chosen, by a queueing controller for example.
"""

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.apiserver.registry.object_meta import immutable

_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")


def validate_template_update(spec: Object, old: Object) -> list[Cause]:
    """`old` is the stored Job."""
    fresh, former = spec.get("template") or {}, old["spec"].get("template") or {}
    if not _is_open(old):
        return immutable("spec.template", fresh, former)
    pod = fresh.get("spec") or {}
    return immutable("spec.template.spec", pod, _with_resources(_with_directives(former.get("spec") or {}, pod), pod))


def _is_open(old: Object) -> bool:
    status = old.get("status") or {}
    if not old["spec"].get("suspend") or status.get("active"):
        return False
    suspended = any(each.get("type") == "Suspended" and each.get("status") == "True" for each in status.get("conditions") or ())
    return suspended or not status.get("startTime")


def _with_directives(former: Object, fresh: Object) -> Object:
    """Where pods may run is taken from the new template."""
    pod = _taking(former, fresh, _DIRECTIVES)
    affinity = _taking(pod.pop("affinity", None) or {}, fresh.get("affinity") or {}, ("nodeAffinity",))
    if affinity or "affinity" in fresh:
        pod["affinity"] = affinity
    return pod


def _with_resources(former: Object, fresh: Object) -> Object:
    """And what the containers ask for, as long as they are the same ones."""
    changed = {}
    for field in ("containers", "initContainers"):
        old, new = former.get(field) or [], fresh.get(field) or []
        if len(old) == len(new):
            pairs = zip(old, new, strict=True)
            changed[field] = [_taking(a, b, ("resources",)) if a.get("name") == b.get("name") else a for a, b in pairs]
    return former | {field: containers for field, containers in changed.items() if containers}


def _taking(former: Object, fresh: Object, fields: tuple[str, ...]) -> Object:
    kept = {key: value for key, value in former.items() if key not in fields}
    return kept | {field: fresh[field] for field in fields if field in fresh}
