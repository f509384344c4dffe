"""The `scale` subresource of custom resources: a window onto the paths that the definition names."""

from collections.abc import Awaitable, Callable
from typing import Any

from proa.api.errors import ApiError, BadRequest, InternalError
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.crd.scale_values import put, read
from proa.apiserver.failure import method_not_allowed
from proa.apiserver.verbs.applied import APPLY_PATCH
from proa.apiserver.verbs.patch import JSON_PATCH, MERGE_PATCH
from proa.apiserver.verbs.scale import patch_scale, scale_of, stored, update_scale
from proa.lib.http.message import Response

UNSET = -(2**31)
"""What a patch finds as replicas where the resource names none, and has to replace."""


class _Paths:
    patches: tuple[str, ...] = (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)

    def __init__(self, call: Call) -> None:
        strategy: Any = call.served.resource.strategy
        self._paths: Object = strategy.scale
        self.of_replicas: str = self._paths["specReplicasPath"]

    def stated(self, obj: Object) -> int | None:
        replicas: int | None = self._read(obj, "specReplicasPath", int)
        return replicas

    def shown(self, obj: Object, *, to_be_patched: bool) -> tuple[Object, Object]:
        replicas, shown = self.stated(obj), self._read(obj, "statusReplicasPath", int)
        selector = self._read(obj, "labelSelectorPath", str) if self._paths.get("labelSelectorPath") else None
        if replicas is None and to_be_patched:
            replicas = UNSET
        spec, status = ({"replicas": replicas} if replicas else {}), {"replicas": shown or 0}
        return spec, status | ({"selector": selector} if selector else {})

    def replicas(self, scale: Object) -> int | None:
        replicas: int | None = (scale.get("spec") or {}).get("replicas")
        if replicas == UNSET:
            raise BadRequest(f'the spec replicas field "{self.of_replicas}" cannot be empty')
        return replicas

    def put(self, obj: Object, replicas: int) -> None:
        try:
            put(obj, self.of_replicas, replicas)
        except ValueError as error:
            raise ApiError(str(error), code=500, reason="") from None

    def _read(self, obj: Object, path: str, kind: type) -> Any:
        try:
            return read(obj, self._paths[path], kind)
        except ValueError as error:
            raise ApiError(str(error), code=500, reason="") from None


async def serve_scale(call: Call) -> Response:
    """Every verb on NAME/scale."""
    if "scale" not in call.served.resource.subresources:
        raise call.served.missing(call.info.name)
    verbs: dict[str, Callable[[Call], Awaitable[Response]]] = {
        "get": _get,
        "update": lambda call: update_scale(call, _Paths(call)),
        "patch": lambda call: patch_scale(call, _Paths(call)),
    }
    verb = verbs.get(call.info.verb)
    return method_not_allowed() if verb is None else await verb(call)


async def _get(call: Call) -> Response:
    obj, paths = await stored(call), _Paths(call)
    scale = scale_of(obj, paths)
    if paths.stated(obj) is None:
        raise InternalError.of(f'the spec replicas field "{paths.of_replicas}" does not exist')
    return call.object_response(scale, tabular=False)
