"""Reading and writing protobuf's wire format through the `protobuf` library, with messages that are described at run time.

A message class is made when it is first needed, from the table; fields are called `fN` after their number, as JSON names are no
identifiers.
"""

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from proa.api.protobuf.table import Field, load_messages

PACKAGE = "proa.wire"
_TYPES = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "s": _TYPES.TYPE_STRING, "b": _TYPES.TYPE_BOOL, "i": _TYPES.TYPE_INT32, "l": _TYPES.TYPE_INT64, "d": _TYPES.TYPE_DOUBLE,
    "y": _TYPES.TYPE_BYTES, "u": _TYPES.TYPE_UINT32,
}  # fmt: skip


@functools.cache
def message_class(definition: str) -> type[Any]:
    """The class of a message; raises KeyError for a definition that has no protobuf form."""
    found = _pool().FindMessageTypeByName(f"{PACKAGE}.{_identifier(definition)}")
    made: type[Any] = message_factory.GetMessageClass(found)
    return made


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="proa/wire.proto", package=PACKAGE, syntax="proto2")
    for definition, fields in load_messages().items():
        message = file.message_type.add(name=_identifier(definition))
        for field in fields:
            _describe(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _describe(message: descriptor_pb2.DescriptorProto, field: Field) -> None:
    described = message.field.add(name=f"f{field.number}", number=field.number)
    described.label = _TYPES.LABEL_REPEATED if field.repeated or field.is_map else _TYPES.LABEL_OPTIONAL
    if field.is_map:
        entry = message.nested_type.add(name=f"F{field.number}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_TYPES.LABEL_OPTIONAL, type=_TYPES.TYPE_STRING)
        value = entry.field.add(name="value", number=2, label=_TYPES.LABEL_OPTIONAL)
        _set_type(value, field.type)
        described.type, described.type_name = _TYPES.TYPE_MESSAGE, f".{PACKAGE}.{message.name}.{entry.name}"
    else:
        _set_type(described, field.type)


def _set_type(described: descriptor_pb2.FieldDescriptorProto, kind: str) -> None:
    if kind in SCALARS:
        described.type = SCALARS[kind]
    else:
        described.type, described.type_name = _TYPES.TYPE_MESSAGE, f".{PACKAGE}.{_identifier(kind)}"


def _identifier(definition: str) -> str:
    return definition.replace(".", "_").replace("-", "_")
