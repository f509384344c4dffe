"""resource.k8s.io in v1beta1, whose requests and devices are one level flatter or deeper than since v1beta2; v1 is what is stored."""

from collections.abc import Callable

from proa.api.meta import Object

GROUP = "resource.k8s.io"
BETA = f"{GROUP}/v1beta1"
_OF_REQUEST = ("name", "firstAvailable")


def convert_claim(obj: Object, version: str) -> Object:
    """A ResourceClaim."""
    return _converted(obj, version, lambda change: _with(obj, "spec", lambda spec: _claim_spec(spec, change)))


def convert_claim_template(obj: Object, version: str) -> Object:
    def change_spec(spec: Object, change: Callable[[Object], Object]) -> Object:
        return _with(spec, "spec", lambda inner: _claim_spec(inner, change))

    return _converted(obj, version, lambda change: _with(obj, "spec", lambda spec: change_spec(spec, change)))


def convert_slice(obj: Object, version: str) -> Object:
    beta, was_beta = version == "v1beta1", obj.get("apiVersion") == BETA
    labelled = obj | {"apiVersion": f"{GROUP}/{version}"}
    if beta == was_beta:
        return labelled
    change = _to_basic if beta else _from_basic
    return _with(labelled, "spec", lambda spec: _each(spec, "devices", change))


def claim_to_v1(obj: Object) -> Object:
    """The claim, or template of one, in the form in which it is checked."""
    convert = convert_claim_template if obj.get("kind") == "ResourceClaimTemplate" else convert_claim
    return convert(obj, "v1") if obj.get("apiVersion") == BETA else obj


def slice_to_v1(obj: Object) -> Object:
    return convert_slice(obj, "v1") if obj.get("apiVersion") == BETA else obj


def _converted(obj: Object, version: str, convert: Callable[[Callable[[Object], Object]], Object]) -> Object:
    beta, was_beta = version == "v1beta1", obj.get("apiVersion") == BETA
    changed = obj if beta == was_beta else convert(_flatten if beta else _nest)
    return changed | {"apiVersion": f"{GROUP}/{version}"}


def _claim_spec(spec: Object, change: Callable[[Object], Object]) -> Object:
    return _with(spec, "devices", lambda devices: _each(devices, "requests", change))


def _with(obj: Object, field: str, change: Callable[[Object], Object]) -> Object:
    return obj | {field: change(obj[field])} if isinstance(obj.get(field), dict) else obj


def _each(obj: Object, field: str, change: Callable[[Object], Object]) -> Object:
    return obj | {field: [change(item) for item in obj[field]]} if obj.get(field) else obj


def _nest(request: Object) -> Object:
    exact = {key: value for key, value in request.items() if key not in _OF_REQUEST}
    kept = {key: value for key, value in request.items() if key in _OF_REQUEST}
    return kept | {"exactly": exact} if exact else kept


def _flatten(request: Object) -> Object:
    kept = {key: value for key, value in request.items() if key != "exactly"}
    return kept | (request.get("exactly") or {})


def _to_basic(device: Object) -> Object:
    return {"name": device.get("name", ""), "basic": {key: value for key, value in device.items() if key != "name"}}


def _from_basic(device: Object) -> Object:
    return {"name": device.get("name", ""), **(device.get("basic") or {})}
