"""What adds to the API itself: APIServices and CustomResourceDefinitions."""

from typing import ClassVar

from proa.api.errors import Cause, invalid, required
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_choice
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import NameCheck, immutable
from proa.apiserver.registry.strategy import KindStrategy


class ApiServiceStrategy(KindStrategy):
    """Named VERSION.GROUP, which for the core group ends with a dot: no DNS name."""

    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def fill(self, obj: Object) -> None:
        service = (obj.get("spec") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def check(self, obj: Object) -> list[Cause]:
        spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
        expected = f"{spec.get('version', '')}.{spec.get('group', '')}"
        causes = [] if name == expected else [invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{expected}"')]
        for field in ("groupPriorityMinimum", "versionPriority"):
            high = 20000 if field == "groupPriorityMinimum" else 1000
            if not 0 < spec.get(field, 0) <= high:
                causes.append(invalid(f"spec.{field}", spec.get(field, 0), f"must be positive and less than {high}"))
        return causes


class CustomResourceDefinitionStrategy(SpecStatusStrategy):
    """Defaults only; the rules for schemas belong to the part that serves custom resources."""

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if names.get("kind"):
            names.setdefault("singular", names["kind"].lower())
            names.setdefault("listKind", f"{names['kind']}List")
        conversion = spec.setdefault("conversion", {"strategy": "None"})
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        versions = obj["spec"].get("versions") or ()
        stored = [version["name"] for version in versions if version.get("storage")]
        obj["status"] = {"storedVersions": stored, "conditions": [], "acceptedNames": {"plural": "", "kind": ""}}

    def check(self, obj: Object) -> list[Cause]:
        spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
        names = spec.get("names") or {}
        expected = f"{names.get('plural', '')}.{spec.get('group', '')}"
        causes = [] if name == expected else [invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')]
        causes += check_choice("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
        causes += [required(f"spec.names.{field}") for field in ("plural", "kind") if not names.get(field)]
        storing = [version for version in spec.get("versions") or () if version.get("storage")]
        if len(storing) != 1:
            causes.append(invalid("spec.versions", spec.get("versions") or [], "must have exactly one version marked as storage version"))
        for index, version in enumerate(spec.get("versions") or ()):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                causes.append(required(f"spec.versions[{index}].schema.openAPIV3Schema", "schemas are required"))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self.check(obj)
        new, former = obj["spec"], old["spec"]
        for field in ("group", "scope"):
            causes += immutable(f"spec.{field}", new.get(field), former.get(field))
        for field in ("plural", "kind"):
            path = f"spec.names.{field}"
            causes += immutable(path, (new.get("names") or {}).get(field), (former.get("names") or {}).get(field))
        return causes
