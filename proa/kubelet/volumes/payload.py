"""The files of configMap, secret, downwardAPI and projected volumes, from objects that are there already. Pure."""

import base64
from collections.abc import Callable, Mapping

from proa.api.meta import Object
from proa.kubelet.downward import InvalidField, field_value, resource_value
from proa.kubelet.volumes.atomic_writer import File
from proa.lib.dataclass import dataclass

DEFAULT_MODE = 0o644


class PayloadError(Exception):
    """What a volume refers to is missing; the message is the FailedMount event's."""


@dataclass(frozen=True, slots=True)
class PayloadSources:
    """`objects(kind, name)` gives a ConfigMap or Secret or None; `issued` has files of projected sources by the index of their source: what
    was asked of the API before, as tokens, trust anchors and certificates are."""

    objects: Callable[[str, str], Object | None]
    issued: Mapping[int, Mapping[str, bytes]]
    allocatable: Mapping[str, str]
    token_owner: int | None = None
    has_group: bool = False


def volume_payload(pod: Object, volume: Object, sources: PayloadSources) -> dict[str, File]:
    """Raises PayloadError."""
    for kind in ("configMap", "secret"):
        if source := volume.get(kind):
            return _object(kind, source, source.get("defaultMode") or DEFAULT_MODE, sources)
    if source := volume.get("downwardAPI"):
        return _downward(pod, source, source.get("defaultMode") or DEFAULT_MODE, sources)
    return _projected(pod, volume["projected"], sources)


def _projected(pod: Object, projected: Object, sources: PayloadSources) -> dict[str, File]:
    mode = projected.get("defaultMode") or DEFAULT_MODE
    files: dict[str, File] = {}
    private = sources.token_owner is not None or sources.has_group
    for index, source in enumerate(projected.get("sources") or []):
        if index in sources.issued:
            for path, content in sources.issued[index].items():
                files[path] = File(content, 0o600 if private else mode, sources.token_owner)
        elif own := source.get("downwardAPI"):
            files |= _downward(pod, own, mode, sources)
        else:
            kind = "configMap" if source.get("configMap") else "secret"
            files |= _object(kind, source.get(kind) or {}, mode, sources)
    return files


def _object(kind: str, source: Object, mode: int, sources: PayloadSources) -> dict[str, File]:
    name = source.get("secretName") or source.get("name") or ""
    obj = sources.objects("configmap" if kind == "configMap" else "secret", name)
    optional = bool(source.get("optional"))
    if obj is None:
        if optional:
            return {}
        raise PayloadError(f'{kind.lower()} "{name}" not found')
    data = object_bytes(obj)
    if not source.get("items"):
        return {key: File(value, mode) for key, value in data.items()}
    files = {}
    for item in source["items"]:
        if item["key"] in data:
            files[item["path"]] = File(data[item["key"]], item["mode"] if item.get("mode") is not None else mode)
        elif not optional:
            noun = "configmap references non-existent config key" if kind == "configMap" else "references non-existent secret key"
            raise PayloadError(f"{noun}: {item['key']}")
    return files


def object_bytes(obj: Object) -> dict[str, bytes]:
    """The data of a ConfigMap or a Secret."""
    if obj.get("kind") == "Secret":
        return {key: base64.b64decode(value or "") for key, value in (obj.get("data") or {}).items()}
    text = {key: (value or "").encode() for key, value in (obj.get("data") or {}).items()}
    return text | {key: base64.b64decode(value or "") for key, value in (obj.get("binaryData") or {}).items()}


def object_text(obj: Object) -> dict[str, str]:
    """The data as environment variables see it; a ConfigMap's binary data is not for them."""
    if obj.get("kind") == "Secret":
        return {key: value.decode("utf-8", "surrogateescape") for key, value in object_bytes(obj).items()}
    return {key: value or "" for key, value in (obj.get("data") or {}).items()}


def _downward(pod: Object, source: Object, mode: int, sources: PayloadSources) -> dict[str, File]:
    files = {}
    for item in source.get("items") or []:
        try:
            if reference := item.get("fieldRef"):
                text = field_value(pod, reference["fieldPath"])
            else:
                text = resource_value(pod, item["resourceFieldRef"], "", sources.allocatable)
        except InvalidField as error:
            raise PayloadError(str(error)) from None
        files[item["path"]] = File(text.encode(), item["mode"] if item.get("mode") is not None else mode)
    return files
