"""Nobody learns through a policy what they may not read: whoever names a kind of parameters must be able to get all objects of it, whoever
names parameters must be able to get them.

Upstream checks this in the storage of policies and bindings, right after they were found well-formed.
"""

from proa.api import meta
from proa.api.errors import Invalid, forbidden
from proa.api.meta import Object
from proa.apiserver.admission.shown import Served
from proa.apiserver.admission.webhook.hook import EXEMPT_GROUP
from proa.apiserver.interface import MASTERS_GROUP, Attributes, Authorizer, ObjectReader, PassiveAdmission, RequestInfo, User

POLICIES = ("validatingadmissionpolicies", "mutatingadmissionpolicies")
BINDINGS = {f"{plural.removesuffix('ies')}ybindings": plural for plural in POLICIES}


class PolicyParameterPermission(PassiveAdmission):
    name = "PolicyParameterPermission"
    resources = frozenset({(EXEMPT_GROUP, plural) for plural in (*POLICIES, *BINDINGS)})

    def __init__(self, reader: ObjectReader, served: Served, authorizer: Authorizer) -> None:
        self._reader, self._served, self._authorizer = reader, served, authorizer

    async def validate(self, attributes: Attributes) -> None:
        obj, plural = attributes.object, attributes.resource.id.plural
        if obj is None or attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if MASTERS_GROUP in attributes.user.groups:
            return
        spec, before = obj.get("spec") or {}, (attributes.old_object or {}).get("spec") or {}
        if plural in POLICIES:
            await self._policy(attributes, spec, before)
        else:
            await self._binding(attributes, spec, before, BINDINGS[plural])

    async def _policy(self, attributes: Attributes, spec: Object, before: Object) -> None:
        kind = spec.get("paramKind")
        if kind is None or kind == before.get("paramKind"):
            return
        if not await self._may_get(attributes.user, self._resource(kind), "*", "*"):
            about = f"(kind={kind.get('kind', '')}, apiVersion={kind.get('apiVersion', '')})"
            why = f'user {told(attributes.user)} must have "get" permission on all objects of the referenced paramKind {about}'
            raise _refused(attributes, "spec.paramKind", why)

    async def _binding(self, attributes: Attributes, spec: Object, before: Object, policies: str) -> None:
        reference = spec.get("paramRef")
        if reference is None or all(spec.get(field) == before.get(field) for field in ("paramRef", "policyName")):
            return
        policy = self._reader.get(EXEMPT_GROUP, policies, spec.get("policyName", ""))
        kind = ((policy or {}).get("spec") or {}).get("paramKind")
        resource = self._resource(kind) if kind is not None else ("*", "*", "*")
        if not await self._may_get(attributes.user, resource, reference.get("namespace", ""), reference.get("name", "")):
            why = f'user {told(attributes.user)} does not have "get" permission on the object referenced by paramRef'
            raise _refused(attributes, "spec.paramRef", why)

    def _resource(self, kind: Object) -> tuple[str, str, str]:
        """(group, version, plural); `*` for a plural that isn't known."""
        group, _, version = str(kind.get("apiVersion", "")).rpartition("/")
        served = (each.resource.id for each in self._served.values())
        found = (each.plural for each in served if (each.group, each.version, each.kind) == (group, version, kind.get("kind")))
        return group, version, next(found, "*")

    async def _may_get(self, user: User, resource: tuple[str, str, str], namespace: str, name: str) -> bool:
        info = RequestInfo("get", "", True, *resource, "", namespace, name)
        return bool((await self._authorizer.authorize(user, info)).allowed)


def told(user: User) -> str:
    """As Go prints it."""
    extra = " ".join(f"{key}:[{' '.join(values)}]" for key, values in sorted(user.extra.items()))
    return f"&{{{user.name} {user.uid} [{' '.join(user.groups)}] map[{extra}]}}"


def _refused(attributes: Attributes, path: str, why: str) -> Invalid:
    obj = attributes.object or {}
    return Invalid.of(EXEMPT_GROUP, obj.get("kind", ""), meta.name(obj), [forbidden(path, why)])
