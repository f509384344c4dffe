"""StorageVersionMigrations: one resource each, named once."""

import re

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_conditions
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable

_well_formed = re.compile("[1-9][0-9]*").fullmatch


class StorageVersionMigrationStrategy(SpecStatusStrategy):
    tracks_generation = False

    def check(self, obj: Object) -> list[Cause]:
        migrated = (obj.get("spec") or {}).get("resource") or {}
        name, group = migrated.get("resource") or "", migrated.get("group") or ""
        causes: list[Cause] = []
        if not name:
            causes.append(required("spec.resource.resource", "resource is required to be set"))
        elif problems := dns1035_label(name):
            causes.append(invalid("spec.resource.resource", name, ",".join(problems)))
        if group and (problems := dns1123_subdomain(group)):
            causes.append(invalid("spec.resource.group", group, ",".join(problems)))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.check(obj) + immutable("spec", obj.get("spec"), old.get("spec"))


def check_migration_status(obj: Object, old: Object) -> list[Cause]:
    """The version that the migration started from is written once."""
    new, former = obj.get("status") or {}, old.get("status") or {}
    version = new.get("resourceVersion") or ""
    causes: list[Cause] = []
    if not _well_formed(version):
        causes.append(invalid("status.resourceVersion", version, f"resource version is not well formed: {version}"))
    causes += check_conditions(new.get("conditions") or (), "status.conditions")
    if former.get("resourceVersion"):
        causes += immutable("status.resourceVersion", version, former["resourceVersion"])
    return causes + _check_conditions(new, former)


def _check_conditions(new: Object, former: Object) -> list[Cause]:
    """One end, which is final, and nothing runs after it."""
    now, before = _true(new), _true(former)
    wrong = ["Both success and failed conditions cannot be true at the same time"] if {"Succeeded", "Failed"} <= now else []
    ends = (("Succeeded", "success"), ("Failed", "failed"))
    wrong += [f"Running condition cannot be true when {name} condition is true" for kind, name in ends if {kind, "Running"} <= now]
    wrong += [
        f"{kind} condition cannot be set to false once it is true"
        for kind, ended in (("Success", "Succeeded"), ("Failed", "Failed"))
        if ended in before and ended not in now
    ]
    return [invalid("status.conditions", new.get("conditions"), detail) for detail in wrong]


def _true(status: Object) -> set[str]:
    return {each.get("type", "") for each in status.get("conditions") or () if each.get("status") == "True"}
