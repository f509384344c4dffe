"""ValidatingAdmissionPolicy, MutatingAdmissionPolicy and their bindings. What is wrong with one is found in a file of its own, which brings
CEL with it and is loaded with the first policy.
"""

from collections.abc import Iterable

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.apiserver.registry.kinds.plain import GenerationStrategy, SpecStatusStrategy


class ValidatingAdmissionPolicyStrategy(SpecStatusStrategy):
    plain_finalizers = True

    def fill(self, obj: Object) -> None:
        _fill_policy(obj)
        for validation in obj["spec"].get("validations") or ():
            if validation.get("reason") == "":
                del validation["reason"]

    def check(self, obj: Object) -> list[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import validating_policy

        return list(validating_policy(obj, conditions=True))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import validating_policy

        return [] if _same_spec(obj, old) else list(validating_policy(obj, conditions=not _same_conditions(obj, old)))


class MutatingAdmissionPolicyStrategy(GenerationStrategy):
    plain_finalizers = True

    def fill(self, obj: Object) -> None:
        _fill_policy(obj)

    def check(self, obj: Object) -> list[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import mutating_policy

        return list(mutating_policy(obj, conditions=True))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import mutating_policy

        return [] if _same_spec(obj, old) else list(mutating_policy(obj, conditions=not _same_conditions(obj, old)))


class MutatingAdmissionPolicyBindingStrategy(GenerationStrategy):
    plain_finalizers = True

    def fill(self, obj: Object) -> None:
        resources = (obj.get("spec") or {}).get("matchResources")
        if resources is not None:
            _fill_match(resources)

    def check(self, obj: Object) -> list[Cause]:
        return list(self.causes(obj.get("spec") or {}))

    def causes(self, spec: Object) -> Iterable[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import mutating_binding

        return mutating_binding(spec)


class ValidatingAdmissionPolicyBindingStrategy(MutatingAdmissionPolicyBindingStrategy):
    def causes(self, spec: Object) -> Iterable[Cause]:
        from proa.apiserver.registry.kinds.admission_policy_rules import validating_binding

        return validating_binding(spec)


def _same_spec(obj: Object, old: Object) -> bool:
    return bool(obj.get("spec") == old.get("spec"))


def _same_conditions(obj: Object, old: Object) -> bool:
    new_spec, old_spec = obj.get("spec") or {}, old.get("spec") or {}
    return all(new_spec.get(field) == old_spec.get(field) for field in ("paramKind", "matchConditions"))


def _fill_policy(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("failurePolicy", "Fail")
    if spec.get("matchConstraints") is not None:
        _fill_match(spec["matchConstraints"])


def _fill_match(match: Object) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for field in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(field) or ():
            rule.setdefault("scope", "*")
