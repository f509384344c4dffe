"""Endpoints that change one part of a pod and keep the rest: how they all do it, and /ephemeralcontainers."""

from collections.abc import Callable

import orjson

from proa.api import meta
from proa.api.errors import Cause, forbidden
from proa.api.meta import Object
from proa.api.pod_annotations import MIRROR
from proa.api.resource import StrategyContext
from proa.apiserver.registry.kinds.pod_update import difference, validate_changed_spec
from proa.apiserver.registry.strategy import KindStrategy, PartStrategy, step_generation


class PodPartStrategy(PartStrategy):
    """An endpoint of a pod that changes one part of it: `put(old, sent)` gives the new object, `check` refuses."""

    def __init__(self, main: KindStrategy, put: Callable[[Object, Object], None], check: Callable[[Object, Object], list[Cause]]) -> None:
        super().__init__(main)
        self._put, self._check = put, check

    def prepare_for_update(self, obj: Object, old: Object, context: StrategyContext) -> None:
        sent = dict(obj)
        version = sent.get("metadata", {}).get("resourceVersion")
        obj.clear()
        obj.update(orjson.loads(orjson.dumps(old)))
        if version:
            obj["metadata"]["resourceVersion"] = version
        self._put(obj, sent)
        step_generation(obj, old, True)

    def check_part(self, obj: Object, old: Object) -> list[Cause]:
        return self._check(obj, old)


def put_ephemeral_containers(obj: Object, sent: Object) -> None:
    obj["spec"]["ephemeralContainers"] = (sent.get("spec") or {}).get("ephemeralContainers") or []


def check_ephemeral_containers(obj: Object, old: Object) -> list[Cause]:
    """Ephemeral containers are only ever added."""
    if MIRROR in meta.annotations(old):
        return [forbidden("", "static pods do not support ephemeral containers")]
    causes = validate_changed_spec(obj["spec"], old["spec"])
    fresh = {each.get("name"): each for each in obj["spec"].get("ephemeralContainers") or ()}
    path = "spec.ephemeralContainers"
    for container in old["spec"].get("ephemeralContainers") or ():
        name = container.get("name")
        if name not in fresh:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif fresh[name] != container:
            changed = difference(fresh[name], container, path)
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n{changed}'))
    return causes
