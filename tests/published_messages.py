"""Protobuf as Kubernetes publishes it, for tests: the descriptors of its .proto files and a reader that is made of them alone.

`testdata/kubernetes_messages.binpb.xz` is the FileDescriptorSet that `protoc --include_imports` makes of every generated.proto of
k8s.io/api, k8s.io/apimachinery and k8s.io/apiextensions-apiserver 0.36.4. Nothing here knows the server's own table of fields.
"""

import base64
import functools
import lzma
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

META = "k8s.io.apimachinery.pkg.apis.meta.v1"
EXTENSIONS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
PROPS = f"{EXTENSIONS}.JSONSchemaProps"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STRINGS = (f"{META}.Verbs", "k8s.io.api.authentication.v1.ExtraValue", "k8s.io.api.authorization.v1.ExtraValue",
           "k8s.io.api.certificates.v1.ExtraValue", "k8s.io.api.certificates.v1beta1.ExtraValue")  # fmt: skip
RAW = (f"{META}.FieldsV1", "k8s.io.apimachinery.pkg.runtime.RawExtension", f"{EXTENSIONS}.JSON")


@functools.cache
def pool() -> descriptor_pool.DescriptorPool:
    packed = (Path(__file__).parent / "testdata" / "kubernetes_messages.binpb.xz").read_bytes()
    files = descriptor_pb2.FileDescriptorSet.FromString(lzma.decompress(packed))
    made = descriptor_pool.DescriptorPool()
    for file in files.file:
        made.Add(file)
    return made


def published_name(definition: str) -> str:
    """`io.k8s.api.core.v1.Pod` as its .proto file calls it."""
    return definition.replace("io.k8s.", "k8s.io.", 1).replace("-", "_")


def find(definition: str) -> Descriptor | None:
    try:
        return pool().FindMessageTypeByName(published_name(definition))
    except KeyError:
        return None


def parse(definition: str, data: bytes) -> Any:
    message = message_factory.GetMessageClass(pool().FindMessageTypeByName(published_name(definition)))()
    message.ParseFromString(data)
    return message


def json_name(owner: str, name: str) -> str:
    """Names are those of JSON, but for what no identifier may contain."""
    if owner != PROPS:
        return name
    if name in ("ref", "schema"):
        return f"${name}"
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"-{found[1].lower()}", name) if name.startswith("xKubernetes") else name


def to_json(message: Any, properties: Any, outer: frozenset[str] | None = None) -> Any:
    """A message as its JSON. `properties(full name)` are the names that the kind's JSON has: a message whose name is none of them has its
    fields in the outer object, whose names are `outer`."""
    full = message.DESCRIPTOR.full_name
    own = properties(full) if outer is None else outer
    if (special := _special(message, full, properties)) is not None:
        return special
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        name = json_name(full, field.name)
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            found[name] = [_scalar(field, each) for each in value] if _is_repeated(field) else _scalar(field, value)
        elif field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"]
            found[name] = {key: _any(inner, value[key], properties) for key in value}
        elif _is_repeated(field):
            found[name] = [to_json(each, properties) for each in value]
        elif name not in own:
            found |= to_json(value, properties, own)
        else:
            found[name] = to_json(value, properties)
    return found


def _is_repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


def _any(field: FieldDescriptor, value: Any, properties: Any) -> Any:
    return to_json(value, properties) if field.type == FieldDescriptor.TYPE_MESSAGE else _scalar(field, value)


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    return base64.b64encode(value).decode() if field.type == FieldDescriptor.TYPE_BYTES else value


def _special(message: Any, full: str, properties: Any) -> Any:
    if full == f"{META}.Time":
        return (EPOCH + timedelta(seconds=message.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    if full == f"{META}.MicroTime":
        moment = EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if full.endswith(".resource.Quantity"):
        return message.string
    if full.endswith(".intstr.IntOrString"):
        return message.strVal if message.type == 1 else message.intVal
    if full in RAW:
        return orjson.loads(message.Raw if "Raw" in message.DESCRIPTOR.fields_by_name else message.raw)
    if full in STRINGS:
        return list(message.items)
    return _choice(message, full, properties)


def _choice(message: Any, full: str, properties: Any) -> Any:
    if full == f"{PROPS}OrBool":
        return to_json(message.schema, properties) if message.HasField("schema") else message.allows
    if full == f"{PROPS}OrArray":
        return [to_json(each, properties) for each in message.jSONSchemas] or to_json(message.schema, properties)
    if full == f"{PROPS}OrStringArray":
        return list(message.property) or to_json(message.schema, properties)
    return None
