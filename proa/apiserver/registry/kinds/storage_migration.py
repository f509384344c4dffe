"""StorageVersionMigrations: one resource each, named once."""

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain
from proa.apiserver.registry.checks import check_conditions
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import immutable


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
    version = new.get("resourceVersion")
    causes: list[Cause] = []
    if version and not str(version).isdigit():
        causes.append(invalid("status.resourceVersion", version, f"resource version is not well formed: {version}"))
    causes += check_conditions(new.get("conditions") or (), "status.conditions")
    if former.get("resourceVersion"):
        causes += immutable("status.resourceVersion", version, former["resourceVersion"])
    ended = {each.get("type") for each in new.get("conditions") or () if each.get("status") == "True"}
    if {"Succeeded", "Failed"} <= ended:
        causes.append(invalid("status.conditions", new["conditions"], "Both success and failed conditions cannot be true at the same time"))
    if "Running" in ended and ended & {"Succeeded", "Failed"}:
        causes.append(
            invalid("status.conditions", new["conditions"], "Running condition cannot be true when success or failed condition is true")
        )
    return causes
