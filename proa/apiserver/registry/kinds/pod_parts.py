"""Endpoints that change one part of a pod and keep the rest: /ephemeralcontainers and /resize."""

from collections.abc import Callable

import orjson

from proa.api.errors import Cause, forbidden, invalid
from proa.api.meta import Object
from proa.api.pod_template import qos_class
from proa.api.resource import StrategyContext
from proa.apiserver.registry.pod_spec.validation import validate_pod_spec
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
    causes = validate_pod_spec(obj["spec"], "spec")
    fresh = {each.get("name"): each for each in obj["spec"].get("ephemeralContainers") or ()}
    path = "spec.ephemeralContainers"
    for container in old["spec"].get("ephemeralContainers") or ():
        name = container.get("name")
        if name not in fresh:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif fresh[name] != container:
            causes.append(forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n'))
    return causes


def put_resources(obj: Object, sent: Object) -> None:
    """In-place resize: resources and resize policies of containers, matched by name."""
    for field in ("containers", "initContainers"):
        wanted = {each.get("name"): each for each in (sent.get("spec") or {}).get(field) or ()}
        for container in obj["spec"].get(field) or ():
            if (given := wanted.get(container.get("name"))) is not None:
                container["resources"] = given.get("resources") or {}
                if "resizePolicy" in given:
                    container["resizePolicy"] = given["resizePolicy"]
    if "resources" in (sent.get("spec") or {}):
        obj["spec"]["resources"] = sent["spec"]["resources"]


def check_resize(obj: Object, old: Object) -> list[Cause]:
    causes = validate_pod_spec(obj["spec"], "spec")
    if qos_class(obj["spec"]) != (old.get("status") or {}).get("qosClass", qos_class(old["spec"])):
        causes.append(invalid("spec", qos_class(obj["spec"]), "Pod QOS Class may not change as a result of resizing"))
    return causes
