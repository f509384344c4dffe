"""May someone do something? SubjectAccessReview and its kin, asked of the same authorizer that guards every request."""

from proa.api import meta
from proa.api.errors import BadRequest, Cause, Invalid, forbidden, invalid, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.apiserver.authz.subject_access_review import GROUP, to_request_info
from proa.apiserver.interface import Authorizer, User

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


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


def _checked(obj: Object, kind: str, more: list[Cause] | None = None, *, is_self: bool = False) -> Object:
    spec: Object = obj.get("spec") or {}
    causes = problems(spec, is_self=is_self) + (more or [])
    if causes:
        raise Invalid.of(GROUP, kind, meta.name(obj), causes)
    return spec


def problems(spec: Object, *, is_self: bool) -> list[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    causes = []
    if resource is not None and path is not None:
        causes.append(invalid("spec.nonResourceAttributes", path, "cannot be specified in combination with resourceAttributes"))
    if resource is None and path is None:
        causes.append(
            invalid("spec.resourceAttributes", resource, "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        )
    if not is_self and not spec.get("user") and not spec.get("groups"):
        causes.append(invalid("spec.user", spec.get("user", ""), "at least one of user or group must be specified"))
    for member in ("fieldSelector", "labelSelector"):
        selector = (resource or {}).get(member)
        if selector is not None:
            causes += _selector_problems(selector, f"spec.resourceAttributes.{member}", is_label=member == "labelSelector")
    return causes


def _selector_problems(selector: Object, path: str, *, is_label: bool) -> list[Cause]:
    raw, requirements = selector.get("rawSelector") or "", selector.get("requirements") or []
    causes = []
    if raw and requirements:
        causes.append(invalid(f"{path}.rawSelector", raw, "may not specified at the same time as requirements"))
    if not raw and not requirements:
        causes.append(required(f"{path}.requirements", f"when {path} is specified, requirements or rawSelector is required"))
    for index, each in enumerate(requirements):
        where = f"{path}.requirements[{index}]"
        causes += _requirement_problems(each, where)
        if is_label and each.get("key") and each.get("operator") in OPERATORS:
            found = validate_label_selector({"matchExpressions": [each]}, "x")
            known = {cause.field for cause in causes}
            moved = (Cause(cause.field.replace("x.matchExpressions[0]", where), cause.message, cause.reason) for cause in found)
            causes += [cause for cause in moved if cause.field not in known]
    return causes


def _requirement_problems(requirement: Object, path: str) -> list[Cause]:
    """An operator that nobody knows is let pass: newer clients may know more."""
    causes = [] if requirement.get("key") else [required(f"{path}.key", "must be specified")]
    operator, values = requirement.get("operator"), requirement.get("values") or []
    if operator in ("In", "NotIn") and not values:
        causes.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    if operator in ("Exists", "DoesNotExist") and values:
        causes.append(forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
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
