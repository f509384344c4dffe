"""ConfigMaps and Secrets: key names, size, immutability, stringData, and what typed Secrets must hold."""

import base64
import binascii
import json

from proa.api.errors import Cause, forbidden, invalid, required, too_long
from proa.api.meta import Object
from proa.api.names import config_map_key
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.strategy import KindStrategy

MAX_SIZE = 1024 * 1024
_IMMUTABLE_SET = "field is immutable when `immutable` is set"


class ConfigMapStrategy(KindStrategy):
    has_status = False

    def check(self, obj: Object) -> list[Cause]:
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        causes: list[Cause] = []
        size = 0
        for key, value in data.items():
            causes += [invalid(f"data[{key}]", key, problem) for problem in config_map_key(key)]
            if key in binary:
                causes.append(invalid(f"data[{key}]", key, "duplicate of key present in binaryData"))
            size += len((value or "").encode())
        for key, value in binary.items():
            causes += [invalid(f"binaryData[{key}]", key, problem) for problem in config_map_key(key)]
            size += _decoded_length(value)
        if size > MAX_SIZE:
            causes.append(too_long("[]", MAX_SIZE))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return _validate_immutable(obj, old, ("data", "binaryData")) + self.check(obj)


def _decoded_length(value: str | None) -> int:
    return len(value) * 3 // 4 - value.count("=") if value else 0


def _validate_immutable(obj: Object, old: Object, fields: tuple[str, ...]) -> list[Cause]:
    if not old.get("immutable"):
        return []
    causes = [] if obj.get("immutable") else [forbidden("immutable", _IMMUTABLE_SET)]
    return causes + [forbidden(field, _IMMUTABLE_SET) for field in fields if (obj.get(field) or {}) != (old.get(field) or {})]


_REQUIRED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"


class SecretStrategy(KindStrategy):
    has_status = False

    def fill(self, obj: Object) -> None:
        obj.setdefault("type", "Opaque")
        plain = obj.pop("stringData", None)
        if plain:
            data = obj.setdefault("data", {})
            for key, value in plain.items():
                data[key] = base64.b64encode((value or "").encode()).decode()

    def check(self, obj: Object) -> list[Cause]:
        data = obj.get("data") or {}
        causes: list[Cause] = []
        size = 0
        for key, value in data.items():
            causes += [invalid(f"data[{key}]", key, problem) for problem in config_map_key(key)]
            size += _decoded_length(value)
        if size > MAX_SIZE:
            causes.append(too_long("data", MAX_SIZE))
        return causes + _validate_type(obj, data)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = immutable("type", obj.get("type"), old.get("type"))
        return causes + _validate_immutable(obj, old, ("data",)) + self.check(obj)


def _validate_type(obj: Object, data: Object) -> list[Cause]:
    kind = obj.get("type", "Opaque")
    if kind == "kubernetes.io/service-account-token":
        annotations = obj.get("metadata", {}).get("annotations") or {}
        return [] if annotations.get(_SERVICE_ACCOUNT_NAME) else [required(f"metadata.annotations[{_SERVICE_ACCOUNT_NAME}]")]
    if kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            return [required("data[username]"), required("data[password]")]
        return []
    if kind == "kubernetes.io/ssh-auth":
        return [] if data.get("ssh-privatekey") else [required("data[ssh-privatekey]")]
    causes = [required(f"data[{key}]") for key in _REQUIRED_KEYS.get(kind, ()) if key not in data]
    if not causes and kind.startswith("kubernetes.io/dockerc"):
        key = _REQUIRED_KEYS[kind][0]
        causes = _validate_json(data[key], f"data[{key}]")
    return causes


def _validate_json(encoded: str, path: str) -> list[Cause]:
    try:
        json.loads(base64.b64decode(encoded))
    except (ValueError, binascii.Error) as error:
        return [invalid(path, "<secret contents redacted>", str(error))]
    return []
