"""What a server-side apply answers when fields belong to others: 409 with one cause per field, in upstream's words."""

from collections.abc import Mapping
from typing import Any

import orjson

from proa.api.errors import ApplyConflict
from proa.api.managed_fields.field_set import FieldSet, members, path_text
from proa.api.managed_fields.managers import ManagerId


def conflict_error(conflicts: Mapping[ManagerId, FieldSet]) -> ApplyConflict:
    found = [(described(manager), path_text(path)) for manager, fields in conflicts.items() for path in members(fields)]
    found.sort()
    causes = [{"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": field} for who, field in found]
    return ApplyConflict(_message(found), {"causes": causes})


def _message(found: list[tuple[str, str]]) -> str:
    if len(found) == 1:
        return f"Apply failed with 1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    by_manager: dict[str, list[str]] = {}
    for who, field in found:
        by_manager.setdefault(who, []).append(f"- {field}")
    listed = [f"conflicts with {who}:\n" + "\n".join(fields) for who, fields in by_manager.items()]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(listed)


def described(manager: ManagerId) -> str:
    text = _quoted(manager.manager)
    if manager.subresource:
        text += f" with subresource {_quoted(manager.subresource)}"
    return f"{text} using {manager.api_version}" if manager.operation == "Update" else text


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()
