"""ObjectMeta, checked alike for every kind: names, labels, annotations, owners, finalizers, and what an update may not change.

Source of rules and texts: apimachinery api/validation/objectmeta.go.
"""

from collections.abc import Callable, Sequence
from typing import Any

from proa.api.errors import Cause, forbidden, go_value, invalid, required, too_long
from proa.api.labels import validate_labels
from proa.api.meta import Object
from proa.api.names import as_prefix, dns1123_label, qualified_name

NameCheck = Callable[[str], Sequence[str]]
ANNOTATIONS_LIMIT = 256 * 1024
FIELD_IMMUTABLE = "field is immutable"
_FIXED = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_DEPENDENTS = {"orphan", "foregroundDeletion"}
STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def validate_object_meta(meta: Object, namespaced: bool, check: NameCheck, path: str = "metadata") -> list[Cause]:
    """Causes against the metadata of a new object whose name is already generated."""
    causes: list[Cause] = []
    if prefix := meta.get("generateName"):
        causes += [invalid(f"{path}.generateName", prefix, problem) for problem in check(as_prefix(prefix))]
    if name := meta.get("name"):
        causes += [invalid(f"{path}.name", name, problem) for problem in check(name)]
    else:
        causes.append(required(f"{path}.name", "name or generateName is required"))
    namespace = meta.get("namespace")
    if not namespaced:
        if namespace:
            causes.append(forbidden(f"{path}.namespace", "not allowed on this type"))
    elif not namespace:
        causes.append(required(f"{path}.namespace"))
    else:
        causes += [invalid(f"{path}.namespace", namespace, problem) for problem in dns1123_label(namespace)]
    return causes + _validate_common(meta, path)


def validate_object_meta_update(meta: Object, old: Object, path: str = "metadata") -> list[Cause]:
    causes: list[Cause] = []
    if old.get("deletionTimestamp"):
        causes += _no_new_finalizers(meta.get("finalizers") or [], old.get("finalizers") or [], path)
    if meta.get("generation", 0) < old.get("generation", 0):
        causes.append(invalid(f"{path}.generation", meta.get("generation", 0), "must not be decremented"))
    for field in _FIXED:
        causes += immutable(f"{path}.{field}", meta.get(field), old.get(field))
    return causes + _validate_common(meta, path)


def immutable(path: str, new: Any, old: Any) -> list[Cause]:
    """Absent and empty are the same, as for typed structures."""
    return [] if new == old or (not new and not old) else [invalid(path, new, FIELD_IMMUTABLE)]


def validate_annotations(annotations: dict[str, str], path: str) -> list[Cause]:
    causes = [invalid(path, key, problem) for key in annotations for problem in qualified_name(key.lower())]
    if sum(len(key) + len(value) for key, value in annotations.items()) > ANNOTATIONS_LIMIT // 4:
        size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
        if size > ANNOTATIONS_LIMIT:
            causes.append(too_long(path, ANNOTATIONS_LIMIT))
    return causes


def _validate_common(meta: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if meta.get("generation", 0) < 0:
        causes.append(invalid(f"{path}.generation", meta["generation"], "must be greater than or equal to 0"))
    if labels := meta.get("labels"):
        causes += validate_labels(labels, f"{path}.labels")
    if annotations := meta.get("annotations"):
        causes += validate_annotations(annotations, f"{path}.annotations")
    if owners := meta.get("ownerReferences"):
        causes += _validate_owners(owners, f"{path}.ownerReferences")
    if finalizers := meta.get("finalizers"):
        causes += _validate_finalizers(finalizers, f"{path}.finalizers")
    return causes


def _validate_owners(owners: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    controller = ""
    for owner in owners:
        causes += _validate_owner(owner, path)
        if owner.get("controller"):
            name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                detail = f'Only one reference can have Controller set to true. Found "true" in references for {controller} and {name}'
                causes.append(invalid(path, owners, detail))
            controller = controller or name
    return causes


def _validate_owner(owner: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    version = owner.get("apiVersion", "")
    if version.count("/") > 1 or not version.rpartition("/")[2]:
        causes.append(invalid(f"{path}.apiVersion", version, "version must not be empty"))
    causes += [invalid(f"{path}.{field}", "", "must not be empty") for field in ("kind", "name", "uid") if not owner.get(field)]
    if version == "v1" and owner.get("kind") == "Event":
        causes.append(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
    return causes


def _validate_finalizers(finalizers: list[str], path: str) -> list[Cause]:
    causes = [invalid(path, finalizer, problem) for finalizer in finalizers for problem in qualified_name(finalizer)]
    if _DEPENDENTS.issubset(finalizers):
        causes.append(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"))
    return causes


def check_finalizer_names(meta: Object, path: str = "metadata.finalizers") -> list[Cause]:
    """Kinds of Kubernetes' own have no finalizers without a domain but its own (`validateKubeFinalizerName` upstream)."""
    return [cause for index, each in enumerate(meta.get("finalizers") or ()) for cause in check_finalizer_name(each, f"{path}[{index}]")]


def check_finalizer_name(name: str, path: str) -> list[Cause]:
    if "/" in name or name in STANDARD_FINALIZERS:
        return []
    return [invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified")]


def _no_new_finalizers(new: list[str], old: list[str], path: str) -> list[Cause]:
    added = sorted(set(new) - set(old))
    if not added:
        return []
    listed = "[]string{" + ", ".join(go_value(each) for each in added) + "}"
    detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
    return [forbidden(f"{path}.finalizers", detail)]
