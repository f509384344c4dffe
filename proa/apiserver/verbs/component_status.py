"""componentstatuses: deprecated upstream, still asked for by `kubectl get cs`. This server vouches for its own store and nothing else."""

from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.lib.http.message import Response

STORE = "etcd-0"


def _status() -> Object:
    conditions = [{"type": "Healthy", "status": "True", "message": "ok"}]
    return {"kind": "ComponentStatus", "apiVersion": "v1", "metadata": {"name": STORE}, "conditions": conditions}


async def list_component_statuses(call: Call) -> Response:
    encoding = call.encoding()
    if encoding.form == "Table":
        return call.object_response(_status())
    body = {"kind": "ComponentStatusList", "apiVersion": "v1", "metadata": {}, "items": [_status()]}
    return call.object_response(body, tabular=False)


async def get_component_status(call: Call) -> Response:
    if call.info.name != STORE:
        raise call.served.missing(call.info.name)
    return call.object_response(_status())
