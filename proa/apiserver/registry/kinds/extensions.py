"""What adds to the API itself: APIServices and CustomResourceDefinitions."""

from typing import ClassVar

from proa.api.errors import Cause, invalid
from proa.api.meta import Object
from proa.api.names import path_segment
from proa.api.resource import StrategyContext
from proa.apiserver.crd.definition_rules import validate_definition, validate_definition_update, validate_stored_versions
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy


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
    """Defaults and what status a definition starts with; its rules are in `proa.apiserver.crd`."""

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if names.get("kind"):
            names.setdefault("singular", names["kind"].lower())
            names.setdefault("listKind", f"{names['kind']}List")
        if spec.get("preserveUnknownFields") is False:
            del spec["preserveUnknownFields"]
        conversion = spec.setdefault("conversion", {"strategy": "None"})
        service = ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        obj["status"] = {"storedVersions": storage_versions(obj), "conditions": [], "acceptedNames": {"plural": "", "kind": ""}}

    def prepare_change(self, obj: Object, old: Object, context: StrategyContext) -> None:
        """Once a version has been the one to store, instances of it may lie in the store."""
        status = obj.get("status")
        if status is not None:
            stored = status.get("storedVersions") or []
            added = [version for version in storage_versions(obj) if version not in stored]
            obj["status"] = status | {"storedVersions": [*stored, *added]}

    def check(self, obj: Object) -> list[Cause]:
        return validate_definition(obj)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return validate_definition_update(obj, old)


class CustomResourceDefinitionStatusStrategy(StatusStrategy):
    """/status: which versions may still lie in the store is the administrator's to say."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, ("labels",), lambda obj, old: validate_stored_versions(obj))


def storage_versions(obj: Object) -> list[str]:
    return [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]
