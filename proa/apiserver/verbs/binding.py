"""Binding a pod to a node (pods/binding, and the bindings resource): sets spec.nodeName once, marks the pod as scheduled."""

from typing import NoReturn

from proa.api import meta
from proa.api.errors import BadRequest, Cause, Conflict, Invalid, MethodNotAllowed, not_supported, required
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.interface import Attributes
from proa.apiserver.options import WriteOptions, write_options
from proa.apiserver.served import ServedResource
from proa.apiserver.verbs.own_kind import BINDING, decode_own
from proa.lib.http.message import Response

SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def create_binding(call: Call) -> Response:
    options = write_options(call.request, "CreateOptions")
    binding = _decode(call, options)
    name = call.info.name if call.info.subresource else meta.name(binding)
    pods = _pods(call)
    attributes = Attributes(
        "CREATE", pods.resource, "binding", call.info.namespace, name, call.user, binding, None, options.dry_run,
        options.as_object("CreateOptions"), call.warn, call.annotate,
    )  # fmt: skip
    await call.server.admission.admit(attributes)
    await call.server.admission.validate(attributes)
    now = call.now()

    async def bind(pod: Object) -> Object | None:
        assign(pod, binding, now)
        return None if options.dry_run else pod

    try:
        await pods.objects.update(f"{call.info.namespace}/{name}", bind)
    except KeyError:
        raise pods.missing(name) from None
    return call.object_response(SUCCESS, 201, tabular=False)


def _pods(call: Call) -> ServedResource:
    pods = call.server.served.get(("", "v1", "pods"))
    if pods is None:
        raise MethodNotAllowed("pods are not served")
    return pods


def _decode(call: Call, options: WriteOptions) -> Object:
    binding = decode_own(call, BINDING, "v1", options.field_validation)
    own = meta.namespace(binding)
    if own and own != call.info.namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    if call.info.subresource and meta.name(binding) != call.info.name:
        raise BadRequest("name in URL does not match name in Binding object")
    if causes := validate_binding(binding):
        raise Invalid.of("", "Binding", meta.name(binding), causes)
    return binding


def validate_binding(binding: Object) -> list[Cause]:
    target = binding.get("target") or {}
    causes = []
    if target.get("kind") not in (None, "", "Node"):
        causes.append(not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
    if not target.get("name"):
        causes.append(required("target.name"))
    return causes


def assign(pod: Object, binding: Object, now: str) -> None:
    """Change the pod in place; raises Conflict where it can't be assigned."""
    name, spec = meta.name(pod), pod.setdefault("spec", {})
    wanted = meta.metadata(binding)
    if wanted.get("uid") and wanted["uid"] != meta.uid(pod):
        _refuse(name, f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {meta.uid(pod)}")
    if wanted.get("resourceVersion") and wanted["resourceVersion"] != meta.resource_version(pod):
        stated, real = wanted["resourceVersion"], meta.resource_version(pod)
        _refuse(name, f"Precondition failed: ResourceVersion in precondition: {stated}, ResourceVersion in object meta: {real}")
    if meta.is_terminating(pod):
        _refuse(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        _refuse(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
    if spec.get("schedulingGates"):
        _refuse(name, f"pod {name} has non-empty .spec.schedulingGates")
    spec["nodeName"] = binding["target"]["name"]
    if wanted.get("annotations"):
        meta.metadata(pod).setdefault("annotations", {}).update(wanted["annotations"])
    if wanted.get("labels"):
        meta.metadata(pod).setdefault("labels", {}).update(wanted["labels"])
    condition = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
    _set_scheduled(pod, condition, now)


def _set_scheduled(pod: Object, condition: Object, now: str) -> None:
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    conditions[:] = [each for each in conditions if each.get("type") != "PodScheduled"]
    conditions.append(condition | {"lastTransitionTime": now})


def _refuse(name: str, why: str) -> NoReturn:
    raise Conflict.of("", "pods/binding", name, why)
