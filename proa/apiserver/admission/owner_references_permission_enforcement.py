"""Whoever changes an object's owners could let the garbage collector delete it, and so needs the right to do that; whoever makes the
owner's deletion wait needs the right to change the owner's finalizers. Not among the plugins that are on by default, as upstream.
"""

from collections.abc import Callable, Iterable

from proa.api import meta
from proa.api.meta import Object
from proa.api.resource import ResourceId
from proa.apiserver.admission.refusal import refuse
from proa.apiserver.interface import Attributes, Authorizer, PassiveAdmission, RequestInfo

FindResources = Callable[[str, str], Iterable[ResourceId]]
"""The served resources of an apiVersion and kind."""


class OwnerReferencesPermissionEnforcement(PassiveAdmission):
    name = "OwnerReferencesPermissionEnforcement"

    def __init__(self, authorizer: Authorizer, find: FindResources) -> None:
        self._authorizer = authorizer
        self._find = find

    async def validate(self, attributes: Attributes) -> None:
        new = attributes.object
        if attributes.operation not in ("CREATE", "UPDATE") or new is None:
            return
        if attributes.group_resource == ("", "pods") and attributes.subresource == "status":
            return
        owners = meta.owner_references(new)
        before = meta.owner_references(attributes.old_object) if attributes.old_object is not None else []
        if owners == before:
            return
        await self._check_delete(attributes)
        blocking = {each.get("uid") for each in before if each.get("blockOwnerDeletion")}
        for owner in owners:
            if owner.get("blockOwnerDeletion") and owner.get("uid") not in blocking:
                await self._check_owner(attributes, owner)

    async def _check_delete(self, attributes: Attributes) -> None:
        """Creators need not be able to delete: what is new can't be lost."""
        if attributes.operation == "CREATE":
            return
        identity = attributes.resource.id
        info = RequestInfo(
            "delete", "", True, identity.group, identity.version, identity.plural, attributes.subresource, attributes.namespace,
            attributes.name,
        )  # fmt: skip
        decision = await self._authorizer.authorize(attributes.user, info)
        if not decision.allowed:
            raise refuse(attributes, f"cannot set an ownerRef on a resource you can't delete: {decision.reason}, <nil>")

    async def _check_owner(self, attributes: Attributes, owner: Object) -> None:
        version, kind = owner.get("apiVersion", ""), owner.get("kind", "")
        resources = list(self._find(version, kind))
        if not resources:
            why = f"cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion {version} Kind {kind}"
            raise refuse(attributes, f'{why}: no matches for kind "{kind}" in version "{version}"')
        for resource in resources:
            namespace = attributes.namespace if resource.namespaced else ""
            info = RequestInfo(
                "update", "", True, resource.group, resource.version, resource.plural, "finalizers", namespace, owner.get("name", "")
            )
            decision = await self._authorizer.authorize(attributes.user, info)
            if not decision.allowed:
                why = "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on"
                raise refuse(attributes, f"{why}: {decision.reason}, <nil>")
