"""Warnings of a policy's expressions against the kinds that it is about: `status.typeChecking` of a ValidatingAdmissionPolicy.

A warning changes nothing about what the policy does. Source: policy/validating, typechecking.
"""

from __future__ import annotations

from collections.abc import Iterator

from proa.api.cel.errors import CompileError
from proa.api.cel.node_type import NodeTypes
from proa.api.cel.types import DYN, Type
from proa.api.meta import Object
from proa.apiserver.admission.policy.scope import Scope, with_variables
from proa.apiserver.admission.shown import Served
from proa.apiserver.served import ServedResource

MOST_KINDS = 10
_PREFIX = "compilation failed: "


class TypeChecker:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._types = NodeTypes()

    def warnings(self, policy: Object) -> list[Object]:
        """As ExpressionWarnings."""
        spec = policy.get("spec") or {}
        kinds = self._kinds(spec)
        params = self._params(spec)
        found: list[Object] = []
        for index, validation in enumerate(spec.get("validations") or ()):
            for field in ("expression", "messageExpression"):
                source = validation.get(field)
                told = [self._check(source, kind, params, spec) for kind in kinds] if source else []
                if text := "\n".join(each for each in told if each):
                    found.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": text})
        return found

    def _check(self, source: str, kind: ServedResource, params: Type | None, spec: Object) -> str:
        identity = kind.resource.id
        of_object = self._types.of(kind.schema, identity.kind) if kind.schema.type == "object" else DYN
        environment = Scope(params=params is not None).environment().extended({"object": of_object, "oldObject": of_object})
        if params is not None:
            environment = environment.extended({"params": params})
        types: dict[str, Type] = {}
        for variable in spec.get("variables") or ():
            try:
                types[variable.get("name", "")] = with_variables(environment, types).check(variable.get("expression", "")).result
            except CompileError:
                continue
        try:
            with_variables(environment, types).check(source)
        except CompileError as error:
            version = identity.api_version if identity.group else f"/{identity.version}"
            return f"{version}, Kind={identity.kind}: {str(error).removeprefix(_PREFIX)}\n"
        return ""

    def _params(self, spec: Object) -> Type | None:
        wanted = spec.get("paramKind")
        if wanted is None:
            return None
        version, kind = wanted.get("apiVersion"), wanted.get("kind")
        resources = ((each.resource.id, each) for each in self._served.values())
        found = next((each for identity, each in resources if (identity.api_version, identity.kind) == (version, kind)), None)
        return self._types.of(found.schema, kind or "") if found is not None and found.schema.type == "object" else None

    def _kinds(self, spec: Object) -> list[ServedResource]:
        """At most ten, in order of group, version and kind; rules with wildcards name none."""
        found: dict[tuple[str, str, str], ServedResource] = {}
        for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
            for each in self._named(rule):
                identity = each.resource.id
                found[identity.group, identity.version, identity.kind] = each
                if len(found) == MOST_KINDS:
                    break
        return [found[key] for key in sorted(found)]

    def _named(self, rule: Object) -> Iterator[ServedResource]:
        groups, versions = sorted(rule.get("apiGroups") or ()), sorted(rule.get("apiVersions") or ())
        if any("*" in each for each in (*groups, *versions)):
            return
        plurals = sorted(each for each in rule.get("resources") or () if "*" not in each and "/" not in each)
        for group in groups:
            for version in versions:
                for plural in plurals:
                    served = self._served.get((group, version, plural))
                    if served is not None:
                        yield served
