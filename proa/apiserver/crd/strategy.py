"""Policy of custom resources: what their definition says, in the order of steps that all kinds share.

With a status subresource, spec and status are apart and generation counts what is desired; without one, it counts every change but those
of metadata.
"""

from collections.abc import Sequence

from proa.api.errors import Cause, MethodNotAllowed
from proa.api.meta import Object
from proa.api.resource import StrategyContext
from proa.apiserver.crd.version_schema import Verdict, VersionSchema
from proa.apiserver.registry.object_meta import STANDARD_FINALIZERS
from proa.apiserver.registry.strategy import KindStrategy, PartStrategy

UNQUALIFIED = (
    'metadata.finalizers: "{}": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other '
    "finalizer writers"
)


class CustomResourceStrategy(KindStrategy):
    """Of one version. `terminating` means that its definition is being deleted."""

    plain_finalizers = True

    def __init__(self, namespaced: bool, schema: VersionSchema, *, has_status: bool, terminating: bool, group: str, plural: str) -> None:
        super().__init__(namespaced)
        self.schema = schema
        self.separate_status = has_status
        self._terminating = terminating
        self._resource = {"group": group, "kind": plural}
        self.scale: Object = {}
        """The paths of the scale subresource, where there is one."""
        self.tolerated: Sequence[str] = ()

    def default(self, obj: Object) -> None:
        self.schema.default(obj)

    def prepare_for_create(self, obj: Object, context: StrategyContext) -> None:
        if self._terminating:
            raise MethodNotAllowed("create not allowed while custom resource definition is terminating", dict(self._resource))
        if self.separate_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def check(self, obj: Object) -> list[Cause]:
        return self.told(self.schema.validate(obj, scale=self.scale))

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        if self.separate_status:
            _take(obj, old, "status")
        generation = old["metadata"].get("generation", 0)
        obj["metadata"]["generation"] = generation + (self._desired(obj) != self._desired(old))

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return self.told(self.schema.validate(obj, old, scale=self.scale))

    def told(self, verdict: Verdict) -> list[Cause]:
        """Its warnings are kept for `warnings`, which is asked right after: rules need not run twice for them."""
        self.tolerated = verdict.warnings
        return verdict.causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        before = (old or {"metadata": {}})["metadata"].get("finalizers") or ()
        added = sorted(set(obj["metadata"].get("finalizers") or ()) - set(before))
        return [*self.tolerated, *(UNQUALIFIED.format(name) for name in added if "/" not in name and name not in STANDARD_FINALIZERS)]

    def _desired(self, obj: Object) -> Object:
        undesired = ("metadata", "status") if self.separate_status else ("metadata",)
        return {key: value for key, value in obj.items() if key not in undesired}


class CustomStatusStrategy(PartStrategy):
    """The /status endpoint: of the object sent, nothing counts but status."""

    def __init__(self, main: CustomResourceStrategy) -> None:
        super().__init__(main)
        self._definition = main

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        managed = obj["metadata"].get("managedFields")
        for key in [key for key in obj if key != "status" and key not in old]:
            del obj[key]
        obj.update({key: value for key, value in old.items() if key != "status"})
        obj["metadata"] = {**old["metadata"]} | ({"managedFields": managed} if managed else {})

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        main = self._definition
        return main.told(main.schema.validate_status(obj, old, scale=main.scale))

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return self._definition.tolerated


def _take(obj: Object, old: Object, field: str) -> None:
    if field in old:
        obj[field] = old[field]
    else:
        obj.pop(field, None)
