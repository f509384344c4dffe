"""managedFields for the verbs: the pure functions of `proa.api.managed_fields`, given each resource's schema and version."""

from proa.api.managed_fields.apply import apply
from proa.api.managed_fields.field_set import LEAF, FieldSet
from proa.api.managed_fields.update import RESET_BY_STATUS, update_managed_fields
from proa.api.meta import Object
from proa.apiserver.registry.strategy import StatusStrategy
from proa.apiserver.served import ServedResource


def reset_fields(served: ServedResource, subresource: str) -> FieldSet | None:
    """What an endpoint does not let through, so that nobody owns it; None for what holds for all built-in kinds."""
    if not served.custom:
        part = served.resource.subresources.get(subresource)
        kept = part.strategy.kept_metadata if part is not None and isinstance(part.strategy, StatusStrategy) else ()
        return {**RESET_BY_STATUS, "f:metadata": {f"f:{name}": LEAF for name in kept}} if kept else None
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
