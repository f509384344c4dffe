"""Patches as the fake client applies them: JSON patch, merge patch, and a strategic merge without a schema.

A list is merged by key only if every patched item carries one of the usual merge keys, which is what kubectl and our loops send.
"""

import copy
from typing import Any

from proa.api import errors
from proa.api.meta import Object

_MERGE_KEYS = ("uid", "type", "ip", "name", "key")


def merged(target: Any, patch: Any, *, lists: bool) -> Any:
    if isinstance(patch, list) and lists and isinstance(target, list) and (key := _merge_key(patch)):
        return _merged_list(target, patch, key)
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif not key.startswith("$"):
            # A pod's container statuses are atomic lists, though their items have names.
            result[key] = merged(result.get(key), value, lists=lists and not key.endswith("Statuses"))
    return result


def _merge_key(patch: list[Any]) -> str:
    if not patch or not all(isinstance(each, dict) for each in patch):
        return ""
    return next((key for key in _MERGE_KEYS if all(key in each for each in patch)), "")


def _merged_list(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = list(target)
    for each in patch:
        index = next((number for number, old in enumerate(result) if old.get(key) == each[key]), None)
        if each.get("$patch") == "delete":
            result = [old for old in result if old.get(key) != each[key]]
        elif index is None:
            result.append(copy.deepcopy(each))
        else:
            result[index] = merged(result[index], each, lists=True)
    return result


def json_patched(target: Any, operations: list[Any]) -> Any:
    for operation in operations:
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        place = target
        for step in path:
            place = place[int(step)] if isinstance(place, list) else place[step]
        _apply_operation(place, last, operation)
    return target


def _apply_operation(place: Any, last: str, operation: Object) -> None:
    key: Any = (len(place) if last == "-" else int(last)) if isinstance(place, list) else last
    match operation["op"]:
        case "test" if place[key] != operation["value"]:
            raise errors.Invalid("the server rejected our request due to an error in our request")
        case "remove":
            del place[key]
        case "add" if isinstance(place, list):
            place.insert(key, operation["value"])
        case "add" | "replace":
            place[key] = operation["value"]
