"""managedFields after a create, update or patch: whoever changed a field owns it, and nobody else does.

Fields that an endpoint resets (status on the main one, spec on /status) and metadata that only the server sets belong to nobody.
"""

from functools import lru_cache

from proa.api.managed_fields.field_set import LEAF, SELF, FieldSet, difference, union, without_subtrees
from proa.api.managed_fields.managers import (
    MAX_NAME,
    ManagerId,
    Managers,
    Owned,
    capped,
    decode_managers,
    encode_entry,
    encode_managers,
    manager_id,
)
from proa.api.managed_fields.walker import FieldWalker, InvalidKey
from proa.api.managed_fields.zero_values import Tree, zero_value
from proa.api.meta import Object
from proa.api.schema_node import SchemaNode
from proa.api.spec_memory import SpecMemory, spec_key

WALKER = FieldWalker()
"""Functions are compiled per schema node, so all schemas share one."""
_SPECS: SpecMemory[tuple[SchemaNode, bytes], FieldSet] = SpecMemory()
"""The fields of new specs. They are shared by the objects made of one template: never change them."""

RESET_BY_MAIN: FieldSet = {"f:status": LEAF}
RESET_BY_STATUS: FieldSet = {"f:spec": LEAF}
_SERVER_SET = (
    "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName", "f:generation", "f:managedFields",
    "f:resourceVersion",
)  # fmt: skip


def reset_fields(subresource: str) -> FieldSet:
    return RESET_BY_STATUS if subresource == "status" else {} if subresource else RESET_BY_MAIN


def update_managed_fields(
    old: Object | None,
    new: Object,
    manager: str,
    operation: str = "Update",
    *,
    api_version: str,
    subresource: str = "",
    time: str,
    node: SchemaNode,
    reset: FieldSet | None = None,
) -> None:
    """Set new.metadata.managedFields. `new` may bring its own (to edit or, with `[{}]`, to forget them); none means: go on from old's."""
    meta = new.setdefault("metadata", {})
    before = (old or {}).get("metadata", {}).get("managedFields")
    try:
        _update(old, new, meta, manager_id(manager[:MAX_NAME], operation, api_version, subresource), api_version, time, node, reset)
    except InvalidKey:
        # Lists that break their own schema must not break the write: ownership stays as it was.
        _set(meta, before or [])


def _update(
    old: Object | None,
    new: Object,
    meta: Object,
    identity: ManagerId,
    api_version: str,
    time: str,
    node: SchemaNode,
    reset: FieldSet | None,
) -> None:
    subresource = identity.subresource
    ignored = reset_fields(subresource) if reset is None else reset
    given = meta.get("managedFields")
    if not old and not given:
        fields = created_fields(new, node, ignored)
        _set(meta, [encode_entry(identity, Owned(fields, api_version, time))] if fields else [])
        return
    before = (old or {}).get("metadata", {}).get("managedFields")
    if given == [{}]:
        meta.pop("managedFields")
        given, managers = None, {}
    else:
        managers = decode_managers(given if not subresource else before) or decode_managers(before)
    changed, removed = changes(old or {}, new, node, ignored)
    if not changed and not removed:
        _set(meta, encode_managers(managers) if managers else [])
        return
    managers = taken_over(managers, identity, changed, removed)
    former = managers.get(identity)
    own = union(difference(former.fields, removed) if former else {}, changed)
    if own:
        managers[identity] = Owned(own, api_version, time)
    else:
        managers.pop(identity, None)
    _set(meta, encode_managers(capped(managers)))


def _set(meta: Object, entries: list[Object]) -> None:
    if entries:
        meta["managedFields"] = entries
    else:
        meta.pop("managedFields", None)


def taken_over(managers: Managers, identity: ManagerId, changed: FieldSet, removed: FieldSet) -> Managers:
    """Everyone else loses what changed and what is gone; who owns nothing is forgotten."""
    lost = union(changed, removed)
    kept: Managers = {}
    for other, owned in managers.items():
        if other == identity:
            kept[other] = owned
            continue
        rest = difference(owned.fields, lost)
        if rest:
            kept[other] = owned if rest == owned.fields else Owned(rest, owned.api_version, owned.time)
    return kept


def changes(old: Object, new: Object, node: SchemaNode, ignored: FieldSet) -> tuple[FieldSet, FieldSet]:
    """(fields added or modified, fields removed), without what nobody owns."""
    changed, removed = WALKER.compare(_bare(old), _bare(new), node)
    return owned_part(changed or {}, ignored), owned_part(removed or {}, ignored)


def _bare(obj: Object) -> Object:
    """Without managedFields: comparing those would cost more than all the rest."""
    meta = obj.get("metadata")
    if not meta or "managedFields" not in meta:
        return obj
    return obj | {"metadata": {key: value for key, value in meta.items() if key != "managedFields"}}


def owned_part(fields: FieldSet, ignored: FieldSet) -> FieldSet:
    """`fields` without what the server sets and what this endpoint ignores."""
    kept = without_subtrees(fields, ignored) if ignored else dict(fields)
    kept.pop("f:apiVersion", None)
    kept.pop("f:kind", None)
    if (meta := kept.get("f:metadata")) is not None:
        own = {element: below for element, below in meta.items() if element != SELF and element not in _SERVER_SET}
        if own:
            kept["f:metadata"] = own
        else:
            del kept["f:metadata"]
    return kept


@lru_cache(256)
def _zero(kind: str) -> Tree:
    return zero_value(kind)


def created_fields(obj: Object, node: SchemaNode, ignored: FieldSet) -> FieldSet:
    """The fields that creating this object sets."""
    key, name = spec_key(obj.get("spec"))
    if name or "f:spec" in ignored or not key:
        return _created_fields(obj, node, ignored)
    known = _SPECS.get((node, key))
    if known is not None:
        fields = _created_fields(obj | {"spec": {}}, node, ignored)
        fields["f:spec"] = known
        return fields
    fields = _created_fields(obj, node, ignored)
    if "f:spec" in fields:
        _SPECS.put((node, key), fields["f:spec"])
    return fields


def _created_fields(obj: Object, node: SchemaNode, ignored: FieldSet) -> FieldSet:
    fields = owned_part(WALKER.added(node)(obj), ignored)
    fields.pop(SELF, None)
    _without_zero_structures(fields, _zero(obj.get("kind", "")))
    return fields


def _without_zero_structures(fields: FieldSet, tree: Tree) -> None:
    """Changes `fields`, which `created_fields` has just made."""
    for key, below in tree.items():
        part = fields.get(f"f:{key}")
        if part:
            part.pop(SELF, None)
            if below:
                _without_zero_structures(part, below)
