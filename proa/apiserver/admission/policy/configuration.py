"""Looks at policies and webhook configurations as they are written: expressions that do not compile are refused, and what this server
can't enforce is said.
"""

from collections.abc import Iterator, Sequence

from proa.api import meta
from proa.api.errors import Cause, Invalid
from proa.api.meta import Object
from proa.apiserver.admission.policy.expression import compile_cause
from proa.apiserver.admission.webhook.hook import EXEMPT_GROUP
from proa.apiserver.interface import Attributes, PassiveAdmission

POLICIES, MUTATING = "validatingadmissionpolicies", ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
BINDINGS = "validatingadmissionpolicybindings"
WEBHOOKS = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")


class AdmissionConfiguration(PassiveAdmission):
    """Upstream does this as validation of the kinds; here it is the first of the validators that looks at them."""

    name = "AdmissionConfiguration"
    resources = frozenset({(EXEMPT_GROUP, plural) for plural in (POLICIES, BINDINGS, *MUTATING, *WEBHOOKS)})

    async def validate(self, attributes: Attributes) -> None:
        obj, plural = attributes.object, attributes.resource.id.plural
        if obj is None or attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if plural in MUTATING:
            attributes.add_warning(f"{obj.get('kind', '')} is stored and served, but this version of proa does not enforce it yet")
        causes = list(_policy(obj)) if plural == POLICIES else list(_webhooks(obj)) if plural in WEBHOOKS else []
        if causes:
            raise Invalid.of(EXEMPT_GROUP, obj.get("kind", ""), meta.name(obj), causes)


def _webhooks(obj: Object) -> Iterator[Cause]:
    for index, webhook in enumerate(obj.get("webhooks") or ()):
        path = f"webhooks[{index}].matchConditions"
        yield from _conditions(webhook.get("matchConditions") or (), path)


def _conditions(declared: Sequence[Object], path: str) -> Iterator[Cause]:
    for index, condition in enumerate(declared):
        if cause := compile_cause(f"{path}[{index}].expression", condition.get("expression", ""), "BOOL"):
            yield cause


def _policy(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from _conditions(spec.get("matchConditions") or [], "spec.matchConditions")
    tables = (("variables", "expression", ""), ("validations", "expression", "BOOL"), ("validations", "messageExpression", "STRING"))
    for field, key, result in (*tables, ("auditAnnotations", "valueExpression", "")):
        for index, each in enumerate(spec.get(field) or ()):
            source = each.get(key)
            if source and (cause := compile_cause(f"spec.{field}[{index}].{key}", source, result)):
                yield cause
