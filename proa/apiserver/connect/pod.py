"""Which container of a pod a request means, worded as upstream where it can't be said."""

from proa.api import meta
from proa.api.errors import BadRequest, NotFound
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.interface import Attributes

_KINDS = ("initContainers", "containers", "ephemeralContainers")


def find_pod(call: Call) -> Object:
    pod = call.server.reader.get("", "pods", call.info.name, call.info.namespace)
    if pod is None:
        raise NotFound.of("", "pods", call.info.name)
    return pod


def choose_container(pod: Object, name: str) -> str:
    """The one that was named, or the only one. Raises BadRequest."""
    spec = pod["spec"]
    if name:
        if not any(each["name"] == name for kind in _KINDS for each in spec.get(kind) or ()):
            raise BadRequest(f"container {name} is not valid for pod {meta.name(pod)}")
        return name
    containers = spec.get("containers") or []
    if len(containers) == 1:
        return str(containers[0]["name"])
    message = f"a container name must be specified for pod {meta.name(pod)}"
    if containers:
        message += f", choose one of: [{' '.join(str(each['name']) for kind in _KINDS for each in spec.get(kind) or ())}]"
    raise BadRequest(message)


def node_of(pod: Object) -> str:
    """Raises BadRequest for a pod that is not scheduled."""
    node = str(pod["spec"].get("nodeName") or "")
    if not node:
        raise BadRequest(f"pod {meta.name(pod)} does not have a host assigned")
    return node


async def admit_connect(call: Call, kind: str) -> None:
    """Admission sees a connection as an operation of its own, with the options as the object."""
    options: Object = {"apiVersion": "v1", "kind": kind}
    for name, values in call.request.query.items():
        options[name] = list(values) if name in ("command", "ports") else _typed(values[0])
    attributes = Attributes(
        "CONNECT", call.served.resource, call.info.subresource, call.namespace, call.info.name, call.user, options, None,
        add_warning=call.warn, add_audit_annotation=call.annotate,
    )  # fmt: skip
    await call.server.admission.admit(attributes)
    await call.server.admission.validate(attributes)


def _typed(text: str) -> object:
    return {"true": True, "false": False, "1": True, "0": False}.get(text, text)
