"""May someone do something? SubjectAccessReview and its kin, asked of the same authorizer that guards every request."""

from proa.api import meta
from proa.api.errors import BadRequest, Cause, Invalid, invalid
from proa.api.meta import Object
from proa.apiserver.interface import Authorizer, RequestInfo, User

GROUP = "authorization.k8s.io"
OPERATORS = {"In": "=", "NotIn": "!="}


class AccessReviews:
    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def subject(self, user: User, namespace: str, obj: Object) -> Object:
        """SubjectAccessReview: about anyone, by whoever may create it."""
        spec = _checked(obj, "SubjectAccessReview")
        return await self._answer(obj, subject(spec), spec)

    async def local_subject(self, user: User, namespace: str, obj: Object) -> Object:
        """LocalSubjectAccessReview: as above within one namespace, so that the right to ask can be given with a Role."""
        spec = _checked(obj, "LocalSubjectAccessReview", _local_problems(obj, namespace))
        return await self._answer(obj, subject(spec), spec)

    async def self_subject(self, user: User, namespace: str, obj: Object) -> Object:
        """SelfSubjectAccessReview: what `kubectl auth can-i` asks."""
        return await self._answer(obj, user, _checked(obj, "SelfSubjectAccessReview", is_self=True))

    async def self_rules(self, user: User, namespace: str, obj: Object) -> Object:
        """SelfSubjectRulesReview: `kubectl auth can-i --list`."""
        spec = obj.get("spec") or {}
        if not spec.get("namespace"):
            raise BadRequest("no namespace on request")
        resource_rules, path_rules, why = self._authorizer.rules_for(user, spec["namespace"])
        status: Object = {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": bool(why)}
        if why:
            status["evaluationError"] = why
        return _identity("SelfSubjectRulesReview", obj) | {"spec": spec, "status": status}

    async def _answer(self, obj: Object, who: User, spec: Object) -> Object:
        decision = await self._authorizer.authorize(who, to_request_info(spec))
        status: Object = {"allowed": bool(decision.allowed)}
        if decision.allowed is False:
            status["denied"] = True
        if decision.reason:
            status["reason"] = decision.reason
        if decision.error:
            status["evaluationError"] = decision.error
        return obj | {"metadata": obj.get("metadata") or {}, "status": status}


def subject(spec: Object) -> User:
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)


def to_request_info(spec: Object) -> RequestInfo:
    resource = spec.get("resourceAttributes")
    if not resource:
        path = spec["nonResourceAttributes"]
        return RequestInfo(path.get("verb", ""), path.get("path", ""))
    return RequestInfo(
        verb=resource.get("verb", ""), path="", is_resource=True, group=resource.get("group", ""), version=resource.get("version", ""),
        resource=resource.get("resource", ""), subresource=resource.get("subresource", ""), namespace=resource.get("namespace", ""),
        name=resource.get("name", ""), field_selector=field_selector(resource.get("fieldSelector") or {}),
    )  # fmt: skip


def field_selector(attributes: Object) -> str:
    """As a query would have it."""
    if attributes.get("rawSelector"):
        return str(attributes["rawSelector"])
    single = (each for each in attributes.get("requirements") or () if len(each.get("values") or ()) == 1)
    return ",".join(
        f"{each['key']}{OPERATORS[each['operator']]}{each['values'][0]}" for each in single if each.get("operator") in OPERATORS
    )


def _checked(obj: Object, kind: str, more: list[Cause] | None = None, *, is_self: bool = False) -> Object:
    spec: Object = obj.get("spec") or {}
    causes = problems(spec, is_self=is_self) + (more or [])
    if causes:
        raise Invalid.of(GROUP, kind, meta.name(obj), causes)
    return spec


def problems(spec: Object, *, is_self: bool) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    causes = []
    if resource and path:
        causes.append(invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"))
    if not resource and not path:
        causes.append(
            invalid("spec.resourceAttributes", resource, "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        )
    if not is_self and not spec.get("user") and not spec.get("groups"):
        causes.append(invalid("spec.user", spec.get("user", ""), "at least one of user or group must be specified"))
    return causes


def _local_problems(obj: Object, namespace: str) -> list[Cause]:
    spec = obj.get("spec") or {}
    asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
    causes = []
    if asked != namespace:
        causes.append(invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace"))
    if spec.get("nonResourceAttributes"):
        causes.append(invalid("spec.nonResourceAttributes", spec["nonResourceAttributes"], "disallowed on this kind of request"))
    return causes


def _identity(kind: str, obj: Object) -> Object:
    return {"apiVersion": obj.get("apiVersion", f"{GROUP}/v1"), "kind": kind, "metadata": obj.get("metadata") or {}}
