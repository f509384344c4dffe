"""The kinds of patches: `json_patch(document, operations)`, `merge_patch(document, patch)`, `strategic_merge_patch(document, patch, node)`.

Each may change its first argument and returns the patched document; each raises ApiError (400 for what is no patch, 422 for what can't be
applied).
"""

from proa.api.patch.json_pointer_operations import json_patch
from proa.api.patch.merge import merge_patch
from proa.api.patch.strategic import strategic_merge_patch

__all__ = ["json_patch", "merge_patch", "strategic_merge_patch"]
