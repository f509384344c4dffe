"""Server-side apply: the configuration is merged into the live object, and what it no longer mentions goes, if nobody else owns it.

Pure: live object and configuration in, new object out, or ApplyConflict. Source: the structured-merge-diff rules (KEP-555).
"""

from typing import Any

import orjson

from proa.api.errors import ApiError
from proa.api.managed_fields.conflicts import conflict_error
from proa.api.managed_fields.field_set import FieldSet, difference, intersection, union
from proa.api.managed_fields.managers import MAX_NAME, ManagerId, Managers, Owned, capped, decode_managers, encode_managers, manager_id
from proa.api.managed_fields.merge import merge, remove
from proa.api.managed_fields.update import WALKER, changes, owned_part, reset_fields, taken_over
from proa.api.managed_fields.walker import InvalidKey
from proa.api.meta import Object
from proa.api.schema_node import SchemaNode

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def apply(
    live: Object | None,
    config: Object,
    manager: str,
    *,
    force: bool,
    node: SchemaNode,
    api_version: str,
    subresource: str = "",
    now: str,
    reset: FieldSet | None = None,
) -> Object:
    """The new object; equal to `live` if the configuration says nothing new. Raises ApplyConflict, unless `force`."""
    identity = manager_id(manager[:MAX_NAME], "Apply", api_version, subresource)
    ignored = reset_fields(subresource) if reset is None else reset
    try:
        return _apply(live, config, identity, ignored, node, api_version, now, force=force)
    except InvalidKey as error:
        meta = config.get("metadata") or {}
        subject = f"({meta.get('namespace', '')}/{meta.get('name', '')}; {api_version}, Kind={config.get('kind', '')})"
        raise ApiError(f"failed to create typed patch object {subject}: {error}", code=500, reason="") from None


def _apply(
    live: Object | None,
    config: Object,
    identity: ManagerId,
    ignored: FieldSet,
    node: SchemaNode,
    api_version: str,
    now: str,
    *,
    force: bool,
) -> Object:
    manager = identity.manager
    live = orjson.loads(orjson.dumps(live)) if live else None
    configured = owned_part(WALKER.applied(config, node), ignored)
    managers = _managers_of(live, node, ignored)
    former = managers.get(identity)
    merged: Object = merge(live or {}, _without_managed_fields(config), node)
    if former is not None:
        others = {other: owned for other, owned in managers.items() if other != identity}
        merged = _pruned(merged, former.fields, configured, others, node)
    changed, removed = changes(live or {}, merged, node, ignored)
    conflicts = _conflicts(managers, identity, changed)
    if conflicts and not force and not _may_upgrade(manager, live, conflicts, node):
        raise conflict_error(conflicts)
    if live and not changed and not removed and former is not None and former.fields == configured:
        return merged
    managers = taken_over(managers, identity, changed, removed)
    managers.pop(identity, None)
    if configured:
        managers[identity] = Owned(configured, api_version, now)
    result = _with_last_applied(merged, config, manager, live)
    entries = encode_managers(capped(managers))
    result["metadata"] = {**result.get("metadata", {}), "managedFields": entries} if entries else result.get("metadata", {})
    return result


def _managers_of(live: Object | None, node: SchemaNode, ignored: FieldSet) -> Managers:
    if not live:
        return {}
    managers = decode_managers(live.get("metadata", {}).get("managedFields"))
    if managers:
        return managers
    version = live.get("apiVersion", "")
    everything = owned_part(WALKER.applied(live, node), ignored)
    return {ManagerId(BEFORE_FIRST_APPLY, "Update", version): Owned(everything, version, "")} if everything else {}


def _without_managed_fields(config: Object) -> Object:
    meta = config.get("metadata") or {}
    return config | {"metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def _pruned(merged: Object, former: FieldSet, configured: FieldSet, others: Managers, node: SchemaNode) -> Object:
    """Without what this manager applied before, doesn't apply now, and nobody else owns."""
    dropped = difference(former, configured)
    if not dropped:
        return merged
    elsewhere = configured
    for owned in others.values():
        elsewhere = union(elsewhere, owned.fields)
    dropped = difference(dropped, elsewhere)
    pruned: Object = remove(merged, dropped, elsewhere, node) if dropped else merged
    return pruned


def _conflicts(managers: Managers, identity: ManagerId, changed: FieldSet) -> dict[ManagerId, FieldSet]:
    found = {other: intersection(owned.fields, changed) for other, owned in managers.items() if other != identity}
    return {other: fields for other, fields in found.items() if fields}


def _may_upgrade(manager: str, live: Object | None, conflicts: dict[ManagerId, FieldSet], node: SchemaNode) -> bool:
    """kubectl may take over what its own client-side apply has set: the annotation says what, if the live values still agree."""
    configuration = _last_applied(live) if manager == KUBECTL else None
    if configuration is None or live is None:
        return False
    try:
        said = WALKER.applied(configuration, node)
    except InvalidKey:
        return False
    differing, _ = WALKER.compare(live, merge(live, configuration, node), node)
    allowed = difference(said, differing or {})
    return all(not difference(fields, allowed) for fields in conflicts.values())


def _last_applied(live: Object | None) -> Object | None:
    text = ((live or {}).get("metadata", {}).get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return None
    try:
        loaded: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _with_last_applied(merged: Object, config: Object, manager: str, live: Object | None) -> Object:
    """Keeps the annotation of client-side apply in step, so that going back to it works."""
    if manager != KUBECTL or _last_applied(live) is None:
        return merged
    meta = merged["metadata"]
    if LAST_APPLIED not in (meta.get("annotations") or {}):
        return merged
    text = orjson.dumps(_without_managed_fields(config)).decode() + "\n"
    return merged | {"metadata": meta | {"annotations": meta["annotations"] | {LAST_APPLIED: text}}}
