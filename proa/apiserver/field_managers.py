"""managedFields for the verbs: the pure functions of `proa.api.managed_fields`, given each resource's schema and version."""

from proa.api.managed_fields.apply import apply
from proa.api.managed_fields.field_set import LEAF, FieldSet
from proa.api.managed_fields.update import update_managed_fields
from proa.api.meta import Object
from proa.apiserver.served import ServedResource


def reset_fields(served: ServedResource, subresource: str) -> FieldSet | None:
    """What an endpoint of a custom resource does not let through; None for what holds for all built-in kinds."""
    if not served.custom:
        return None
    if subresource == "status":
        return {f"f:{name}": LEAF for name in ("metadata", *served.schema.properties) if name not in ("status", "apiVersion", "kind")}
    return {"f:status": LEAF} if not subresource and "status" in served.resource.subresources else {}


class SchemaFieldManagers:
    """The `FieldManagers` of the verbs."""

    def update(self, served: ServedResource, live: Object | None, new: Object, manager: str, now: str, subresource: str) -> None:
        version = served.resource.id.api_version
        reset = reset_fields(served, subresource)
        update_managed_fields(
            live, new, manager, api_version=version, subresource=subresource, time=now, node=served.schema, reset=reset
        )  # fmt: skip

    def apply(
        self, served: ServedResource, live: Object, applied: Object, manager: str, now: str, subresource: str, *, force: bool
    ) -> Object:  # fmt: skip
        version = served.resource.id.api_version
        reset = reset_fields(served, subresource)
        return apply(
            live or None, applied, manager, force=force, node=served.schema, api_version=version, subresource=subresource, now=now,
            reset=reset,
        )  # fmt: skip
