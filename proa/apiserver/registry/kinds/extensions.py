"""What adds to the API itself: APIServices and CustomResourceDefinitions."""

import base64
from collections.abc import Sequence
from typing import ClassVar

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1035_label, dns1123_subdomain, path_segment, port_number
from proa.api.resource import StrategyContext
from proa.apiserver.crd.definition_rules import validate_definition, validate_definition_update, validate_status
from proa.apiserver.crd.formats import unknown_formats
from proa.apiserver.registry.checks import check_optional_name
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.object_meta import NameCheck
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy


class ApiServiceStrategy(KindStrategy):
    """Named VERSION.GROUP, which for the core group ends with a dot: no DNS name."""

    plain_finalizers = True
    empty_status: ClassVar[Object | None] = {}

    @property
    def name_check(self) -> NameCheck:
        return path_segment

    def fill(self, obj: Object) -> None:
        service = (obj.get("spec") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        """What is served here is there at once."""
        if not (obj.get("spec") or {}).get("service"):
            obj["status"] = {"conditions": [LOCALLY_AVAILABLE | {"lastTransitionTime": context.now}]}

    def check(self, obj: Object) -> list[Cause]:
        spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
        group, version = spec.get("group") or "", spec.get("version") or ""
        expected = f"{version}.{group}"
        causes = [] if name == expected else [invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{expected}"')]
        if not group and version != "v1":
            causes.append(required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
        causes += check_optional_name("spec.group", group, dns1123_subdomain)
        causes += [invalid("spec.version", version, problem) for problem in dns1035_label(version)]
        for field, high in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
            if not 0 < spec.get(field, 0) <= high:
                causes.append(invalid(f"spec.{field}", spec.get(field, 0), f"must be positive and less than {high}"))
        return causes + _check_backend(spec)


LOCALLY_AVAILABLE: Object = {
    "type": "Available", "status": "True", "reason": "Local", "message": "Local APIServices are always available",
}  # fmt: skip


def _check_backend(spec: Object) -> list[Cause]:
    """Where the group version is answered, and by what that server is trusted."""
    bundle, insecure, service = spec.get("caBundle"), spec.get("insecureSkipTLSVerify"), spec.get("service")
    causes = []
    if service is None:
        if bundle:
            size = len(base64.b64decode(bundle))
            causes.append(invalid("spec.caBundle", f"{size} bytes", "local APIServices may not have a caBundle"))
        if insecure:
            causes.append(invalid("spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify"))
        return causes
    causes += [required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field)]
    causes += [
        invalid("spec.service.port", service["port"], f"port is not valid: {problem}") for problem in port_number(service.get("port", 443))
    ]
    if insecure and bundle:
        causes.append(invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
    return causes


class ApiServiceStatusStrategy(StatusStrategy):
    """/status: nothing of metadata passes."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, ("labels", "annotations", "finalizers", "ownerReferences"), lambda obj, old: _check_conditions(obj))


def _check_conditions(obj: Object) -> list[Cause]:
    found = enumerate((obj.get("status") or {}).get("conditions") or ())
    return [
        not_supported(f"status.conditions[{index}].status", each.get("status", ""), CONDITION_STATUSES, in_order=False)
        for index, each in found
        if each.get("status") not in CONDITION_STATUSES
    ]


CONDITION_STATUSES = ("True", "False", "Unknown")


class CustomResourceDefinitionStrategy(SpecStatusStrategy):
    """Defaults and what status a definition starts with; its rules are in `proa.apiserver.crd`."""

    plain_finalizers = True

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        if kind := names.get("kind"):
            names["singular"] = names.get("singular") or kind.lower()
            names["listKind"] = names.get("listKind") or f"{kind}List"
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
        status = obj.get("status") or {}
        stored = status.get("storedVersions") or []
        if added := [version for version in storage_versions(obj) if version not in stored]:
            obj["status"] = status | {"storedVersions": [*stored, *added]}

    def check(self, obj: Object) -> list[Cause]:
        return validate_definition(obj)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return validate_definition_update(obj, old)

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        if old is not None and obj["spec"] == old["spec"]:
            return ()
        known = set() if old is None else set(unknown_formats(old["spec"]))
        return [f'unrecognized format "{name}"' for name in unknown_formats(obj["spec"]) if name not in known]


class CustomResourceDefinitionStatusStrategy(StatusStrategy):
    """/status: which versions may still lie in the store is the administrator's to say."""

    def __init__(self, main: KindStrategy) -> None:
        super().__init__(main, (), lambda obj, old: validate_status(obj))


def storage_versions(obj: Object) -> list[str]:
    return [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]
