"""An owner that is named twice is kept once, with a warning: before field managers see a body, and again after mutating admission.

Source: "Owners and Dependents"; since 1.20 the API server removes duplicates instead of refusing them.
"""

from proa.api.meta import Object
from proa.apiserver.call import Call

_ADVICE = (
    "; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; "
    "duplicate UID(s) observed: "
)
BEFORE = f".metadata.ownerReferences contains duplicate entries{_ADVICE}"
AFTER_ADMISSION = f".metadata.ownerReferences contains duplicate entries after mutating admission happens{_ADVICE}"


def remove_duplicate_owners(call: Call, obj: Object, warning: str) -> None:
    """Only whole duplicates go: the same owner under another name stays for validation to see."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or len(owners := metadata.get("ownerReferences") or ()) < 2:
        return
    kept: list[Object] = []
    repeated: list[str] = []
    for owner in owners:
        if owner in kept:
            repeated.append(str(owner.get("uid", "")))
        else:
            kept.append(owner)
    if repeated:
        metadata["ownerReferences"] = kept
        call.warn(warning + ", ".join(repeated))
