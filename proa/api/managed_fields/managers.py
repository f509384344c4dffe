"""metadata.managedFields as a mapping from managers to what they own, and back.

A manager is known by name, operation and subresource, and for updates by apiVersion too: the same client in two versions is two managers.
"""

from dataclasses import replace

from proa.api.managed_fields.field_set import FieldSet, union
from proa.api.meta import Object
from proa.lib.dataclass import dataclass

MAX_UPDATE_MANAGERS = 10
ANCIENT = "ancient-changes"
MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class ManagerId:
    manager: str
    operation: str
    api_version: str
    """Empty for Apply."""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    fields: FieldSet
    api_version: str
    time: str = ""


Managers = dict[ManagerId, Owned]


def manager_id(manager: str, operation: str, api_version: str, subresource: str = "") -> ManagerId:
    return ManagerId(manager, operation, "" if operation == "Apply" else api_version, subresource)


def decode_managers(entries: list[Object] | None) -> Managers:
    """What the entries say; entries without fields are left out."""
    found: Managers = {}
    for entry in entries or ():
        fields = entry.get("fieldsV1")
        if fields is None or not entry.get("operation"):
            continue
        version = entry.get("apiVersion", "")
        identity = manager_id(entry.get("manager", ""), entry["operation"], version, entry.get("subresource", ""))
        if identity in found:
            fields = union(found[identity].fields, fields)
        found[identity] = Owned(fields, version, entry.get("time", ""))
    return found


def encode_managers(managers: Managers) -> list[Object]:
    """Entries in the API's order: Apply first, then by time and name."""

    def order(item: tuple[ManagerId, Owned]) -> tuple[str, ...]:
        identity, owned = item
        return identity.operation, owned.time, identity.manager, owned.api_version, identity.subresource

    return [encode_entry(identity, owned) for identity, owned in sorted(managers.items(), key=order)]


def encode_entry(identity: ManagerId, owned: Owned) -> Object:
    entry: Object = {"manager": identity.manager, "operation": identity.operation, "apiVersion": owned.api_version}
    if owned.time:
        entry["time"] = owned.time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = owned.fields
    if identity.subresource:
        entry["subresource"] = identity.subresource
    return entry


def capped(managers: Managers) -> Managers:
    """At most ten managers that update: the oldest beyond that become one, so that objects don't grow for ever."""
    updaters = [identity for identity in managers if identity.operation == "Update"]
    surplus = len(updaters) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return managers
    updaters.sort(key=lambda identity: (managers[identity].time, identity.manager))
    kept = dict(managers)
    for identity in updaters[: surplus + 1]:
        owned = kept.pop(identity)
        ancient = ManagerId(ANCIENT, "Update", owned.api_version)
        former = kept.get(ancient)
        kept[ancient] = replace(owned, fields=union(former.fields, owned.fields)) if former else owned
    return kept
