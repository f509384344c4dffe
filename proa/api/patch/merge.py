"""JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces."""

from typing import Any


def merge_patch(document: Any, patch: Any) -> Any:
    """The patched document; a dict `document` is changed in place."""
    if not isinstance(patch, dict):
        return patch
    merged = document if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
