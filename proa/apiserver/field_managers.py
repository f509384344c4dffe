"""managedFields for the verbs: the pure functions of `proa.api.managed_fields`, given each resource's schema and version."""

from proa.api.managed_fields.apply import apply
from proa.api.managed_fields.update import update_managed_fields
from proa.api.meta import Object
from proa.apiserver.served import ServedResource


class SchemaFieldManagers:
    """The `FieldManagers` of the verbs."""

    def update(self, served: ServedResource, live: Object | None, new: Object, manager: str, now: str, subresource: str) -> None:
        version = served.resource.id.api_version
        update_managed_fields(live, new, manager, api_version=version, subresource=subresource, time=now, node=served.schema)

    def apply(
        self, served: ServedResource, live: Object, applied: Object, manager: str, now: str, subresource: str, *, force: bool
    ) -> Object:  # fmt: skip
        version = served.resource.id.api_version
        return apply(live or None, applied, manager, force=force, node=served.schema, api_version=version, subresource=subresource, now=now)
