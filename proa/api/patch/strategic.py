"""Strategic merge patch: a merge patch that knows from the schema which lists merge, and by which key.

Directives: `$patch: delete | replace | merge` in maps and list elements, `$deleteFromPrimitiveList/F`, `$setElementOrder/F`, `$retainKeys`.
Source: the community's strategic-merge-patch design; the errors are those of apimachinery's strategicpatch package.
"""

from collections.abc import Mapping
from typing import Any

from proa.api.errors import ApiError, BadRequest
from proa.api.schema_node import SchemaNode

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"


def strategic_merge_patch(document: Any, patch: Any, node: SchemaNode | None) -> Any:
    """The patched document; dicts of `document` are changed in place."""
    if not isinstance(patch, dict):
        raise BadRequest("json: cannot unmarshal array into Go value of type map[string]interface {}")
    return _merge_map(document if isinstance(document, dict) else {}, patch, node)


def _child(node: SchemaNode | None, key: str) -> SchemaNode | None:
    if node is None:
        return None
    return node.properties.get(key) or node.values


def _merge_map(original: dict[str, Any], patch: dict[str, Any], node: SchemaNode | None) -> dict[str, Any]:
    directive = patch.get(DIRECTIVE)
    if directive is not None:
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != DIRECTIVE}
        if directive == "delete":
            return {}
        if directive != "merge":
            raise BadRequest(f"Unknown patch type found: {directive}")
    if RETAIN_KEYS in patch:
        _retain(original, patch)
    deletions, orders = _list_directives(patch)
    for key, value in patch.items():
        if key in (DIRECTIVE, RETAIN_KEYS) or key.startswith((_ORDER, _DELETE)):
            continue
        if value is None:
            original.pop(key, None)
            continue
        _merge_field(original, key, value, _child(node, key), orders.get(key))
    for key, values in deletions.items():
        if isinstance(original.get(key), list):
            original[key] = [each for each in original[key] if each not in values]
    for key, order in orders.items():
        if key not in patch and isinstance(original.get(key), list):
            original[key] = _ordered(original[key], order, original[key], _child(node, key))
    return original


def _list_directives(patch: dict[str, Any]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    deletions: dict[str, list[Any]] = {}
    orders: dict[str, list[Any]] = {}
    for key, value in patch.items():
        for prefix, found in ((_DELETE, deletions), (_ORDER, orders)):
            if key.startswith(prefix):
                if not isinstance(value, list):
                    raise BadRequest(f"unable to find list in directive {key}")
                found[key[len(prefix) :]] = value
    return deletions, orders


def _retain(original: dict[str, Any], patch: dict[str, Any]) -> None:
    """Unions: only the named keys survive."""
    kept = patch[RETAIN_KEYS]
    if not isinstance(kept, list):
        raise BadRequest("retain keys list must be a list of strings")
    if any(key not in kept for key, value in patch.items() if not key.startswith("$") and value is not None):
        raise BadRequest("if list of retainKeys is specified, all keys in the patch must be in it")
    for key in list(original):
        if key not in kept:
            del original[key]


def _merge_field(original: dict[str, Any], key: str, value: Any, node: SchemaNode | None, order: list[Any] | None) -> None:
    present = original.get(key)
    if isinstance(value, dict):
        if node is not None and "replace" in node.patch_strategy and DIRECTIVE not in value:
            original[key] = _clean(value, node)
        elif isinstance(present, dict):
            original[key] = _merge_map(present, value, node)
        else:
            original[key] = _clean(value, node)
        return
    if isinstance(value, list):
        if node is not None and "merge" in node.patch_strategy:
            merged = _merge_list(present if isinstance(present, list) else [], value, node)
            original[key] = _ordered(merged, order, present or [], node) if order is not None else merged
            return
        original[key] = [_clean(each, node.items if node else None) for each in value]
        return
    original[key] = value


def _clean(value: Any, node: SchemaNode | None) -> Any:
    """A value that meets nothing to merge with: directives and nulls go, what they would leave stays."""
    if isinstance(value, dict):
        if value.get(DIRECTIVE) == "delete":
            return {}
        return {
            key: _clean(item, _child(node, key))
            for key, item in value.items()
            if item is not None and key not in (DIRECTIVE, RETAIN_KEYS) and not key.startswith((_ORDER, _DELETE))
        }
    if isinstance(value, list):
        if node is not None and "merge" in node.patch_strategy and any(isinstance(each, dict) and DIRECTIVE in each for each in value):
            return _merge_list([], value, node)
        return [_clean(each, node.items if node else None) for each in value]
    return value


def _merge_list(original: list[Any], patch: list[Any], node: SchemaNode) -> list[Any]:
    if not any(isinstance(each, dict) for each in (*original, *patch)):
        return [*original, *(each for index, each in enumerate(patch) if each not in original and each not in patch[:index])]
    key = node.patch_merge_key
    if not key:
        raise ApiError("cannot merge lists without merge key", code=500, reason="InternalError")
    merged, updates = _apply_directives(original, patch, key)
    for update in updates:
        own = _merge_value(update, key)
        place = next((index for index, each in enumerate(merged) if isinstance(each, dict) and each.get(key) == own), None)
        if place is None:
            merged.append(_clean(update, node.items))
        else:
            merged[place] = _merge_map(merged[place], update, node.items)
    return merged


def _apply_directives(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[dict[str, Any]]]:
    """(the list after deletions and replacement, the elements left to merge)."""
    merged, updates, replace = list(original), [], False
    for element in patch:
        if not isinstance(element, dict):
            raise BadRequest(f"map: {element} does not contain declared merge key: {key}")
        directive = element.get(DIRECTIVE)
        if directive == "replace":
            replace = True
            if set(element) - {DIRECTIVE}:
                updates.append({name: value for name, value in element.items() if name != DIRECTIVE})
        elif directive == "delete":
            own = _merge_value(element, key)
            merged = [each for each in merged if not (isinstance(each, dict) and each.get(key) == own)]
        elif directive in (None, "merge"):
            updates.append(element)
        else:
            raise BadRequest(f"Unknown patch type found: {directive}")
    return ([] if replace else merged), updates


def _merge_value(element: Mapping[str, Any], key: str) -> Any:
    if key not in element:
        raise BadRequest(f"map: {_go_map(element)} does not contain declared merge key: {key}")
    return element[key]


def _go_map(element: Mapping[str, Any]) -> str:
    return "map[" + " ".join(f"{key}:{element[key]}" for key in sorted(element)) + "]"


def _ordered(merged: list[Any], order: list[Any] | None, former: list[Any], node: SchemaNode | None) -> list[Any]:
    """`$setElementOrder`: named elements in that order; the others keep their place relative to their former neighbours."""
    key = node.patch_merge_key if node else ""

    def identity(element: Any) -> Any:
        return element.get(key) if isinstance(element, dict) and key else element

    wanted = [identity(each) for each in order or ()]
    named = sorted((each for each in merged if identity(each) in wanted), key=lambda each: wanted.index(identity(each)))
    former_places = {_hashable(identity(each)): index for index, each in enumerate(former)}
    others = [each for each in merged if identity(each) not in wanted]
    result: list[Any] = []
    for other in others:
        place = former_places.get(_hashable(identity(other)), len(former))
        while named and former_places.get(_hashable(identity(named[0])), -1) < place:
            result.append(named.pop(0))
        result.append(other)
    return result + named


def _hashable(value: Any) -> Any:
    return repr(value) if isinstance(value, dict | list) else value
