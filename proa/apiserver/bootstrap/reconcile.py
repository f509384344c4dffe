"""What to do about one object that every cluster should have, given what is there: pure decisions, one for each way of being right.

Roles and bindings only gain: what an operator added stays, what is missing comes back, unless the object asks to be left alone.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from proa.api import meta
from proa.api.kinds import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    PRIORITY_CLASSES,
    ROLE_BINDINGS,
    ROLES,
    SERVICES,
)
from proa.api.legacy_token import TRACKING as TOKEN_TRACKING
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.authz.rule_coverage import compact, missing_rules
from proa.apiserver.bootstrap import flow_control
from proa.apiserver.bootstrap.authentication_trust import NAME as TRUST
from proa.apiserver.bootstrap.authentication_trust import combined_trust
from proa.apiserver.bootstrap.role_based_access import AUTOUPDATE

RECREATE = "recreate"
Decision = Object | str | None
"""The object to write, RECREATE for one whose immutable part is wrong, None for one that is right."""


def reconcile(resource: ResourceId, wanted: Object, present: Object) -> Decision:
    decide = DECISIONS.get(resource)
    return decide(wanted, present) if decide else None


def reconcile_role(wanted: Object, present: Object) -> Decision:
    if meta.annotations(present).get(AUTOUPDATE) == "false":
        return None
    changed = _with_metadata(wanted, present)
    if wanted.get("aggregationRule"):
        if present.get("aggregationRule") != wanted["aggregationRule"]:
            changed["aggregationRule"] = wanted["aggregationRule"]
    else:
        missing = missing_rules(present.get("rules") or [], wanted.get("rules") or [])
        if missing:
            changed["rules"] = [*(present.get("rules") or ()), *compact(missing)]
    return changed if changed != present else None


def reconcile_binding(wanted: Object, present: Object) -> Decision:
    if meta.annotations(present).get(AUTOUPDATE) == "false":
        return None
    if present.get("roleRef") != wanted["roleRef"]:
        return RECREATE
    changed = _with_metadata(wanted, present)
    missing = [subject for subject in wanted.get("subjects") or () if subject not in (present.get("subjects") or ())]
    if missing:
        changed["subjects"] = [*(present.get("subjects") or ()), *missing]
    return changed if changed != present else None


def reconcile_service(wanted: Object, present: Object) -> Decision:
    """The cluster IP stays what it was given first, whatever range is configured now."""
    spec = present["spec"] | {"ports": wanted["spec"]["ports"]}
    return present | {"spec": spec} if spec != present["spec"] else None


def _replacing(*members: str) -> Callable[[Object, Object], Decision]:
    def decide(wanted: Object, present: Object) -> Decision:
        changed = present | {member: wanted[member] for member in members}
        return changed if changed != present else None

    return decide


def reconcile_endpoint_slice(wanted: Object, present: Object) -> Decision:
    if present.get("addressType") != wanted["addressType"]:
        return RECREATE
    return _replacing("endpoints", "ports")(wanted, present)


def reconcile_priority_class(wanted: Object, present: Object) -> Decision:
    return RECREATE if present.get("value") != wanted["value"] else None


def reconcile_config_map(wanted: Object, present: Object) -> Decision:
    """What is wanted of its data is there. Whoever else serves this API may trust others, too: authorities and names come together; and
    what says since when something holds stays, if it can be read."""
    found, data = present.get("data") or {}, wanted["data"]
    if meta.name(present) == TOKEN_TRACKING and _is_date(found.get("since", "")):
        return None
    data = combined_trust(found, data) if meta.name(present) == TRUST else found | data
    return present | {"data": data} if data != present.get("data") else None


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return False
    return True


def _with_metadata(wanted: Object, present: Object) -> Object:
    """`present` with the labels and annotations that it lacks."""
    metadata: dict[str, Any] = dict(present["metadata"])
    for member in ("labels", "annotations"):
        missing: Mapping[str, str] = wanted["metadata"].get(member) or {}
        if any((metadata.get(member) or {}).get(key) != value for key, value in missing.items()):
            metadata[member] = {**missing, **(metadata.get(member) or {})}
    return present | {"metadata": metadata}


DECISIONS: dict[ResourceId, Callable[[Object, Object], Decision]] = {
    CLUSTER_ROLES: reconcile_role,
    ROLES: reconcile_role,
    CLUSTER_ROLE_BINDINGS: reconcile_binding,
    ROLE_BINDINGS: reconcile_binding,
    SERVICES: reconcile_service,
    ENDPOINTS: _replacing("subsets"),
    ENDPOINT_SLICES: reconcile_endpoint_slice,
    PRIORITY_CLASSES: reconcile_priority_class,
    CONFIG_MAPS: reconcile_config_map,
    flow_control.FLOW_SCHEMAS: flow_control.reconcile,
    flow_control.PRIORITY_LEVELS: flow_control.reconcile,
}
"""What has no entry is only made if missing."""
