"""Objects to protobuf messages and back, member by member after the table.

Decoding gives what a Go client's JSON would hold: a zero that the Go type does not tell from an absence is left out. A field whose number
the table does not know is left out as well, as in any protobuf decoder: older clients send even the empty ones (clusterName) each time.
"""

import base64
import functools
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from google.protobuf.message import DecodeError

from proa.api.meta import Object
from proa.api.protobuf.special import ABSENT, EXTENSIONS, SPECIAL
from proa.api.protobuf.table import Field, load_messages
from proa.api.protobuf.wire import message_class

Reader = Callable[[Any], Any]
Writer = Callable[[Any, Any], None]
_PROPS = f"{EXTENSIONS}.JSONSchemaProps"


class ProtobufError(ValueError):
    """The bytes are not this message, or the object has a value that its message can't carry."""


def has_message(definition: str) -> bool:
    """Whether a definition has a protobuf form."""
    return definition in load_messages()


def decode(definition: str, data: bytes) -> Object:
    """The object in a message's bytes; raises ProtobufError."""
    message = message_class(definition)()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise ProtobufError(f"not a {definition.rpartition('.')[2]}: {error}") from error
    try:
        read = reader(definition)(message)
        if not data.isascii():
            orjson.dumps(read)  # the library gives texts that are no UTF-8 as bytes, or fails only when they are looked at
    except orjson.JSONDecodeError as error:  # of a field that holds JSON as text
        raise ProtobufError(f"not a {definition.rpartition('.')[2]}: {error}") from None
    except (UnicodeDecodeError, TypeError):
        raise ProtobufError(f"not a {definition.rpartition('.')[2]}: string field contains invalid UTF-8") from None
    return read if isinstance(read, dict) else {}


def encode(definition: str, obj: Object) -> bytes:
    """The message's bytes for an object (apiVersion and kind stay outside); raises ProtobufError."""
    message = message_class(definition)()
    try:
        writer(definition)(message, obj)
    except (TypeError, ValueError, AttributeError) as error:
        raise ProtobufError(f"{definition.rpartition('.')[2]}: {error}") from error
    data: bytes = message.SerializeToString()
    return data


@functools.cache
def reader(definition: str) -> Reader:
    if definition in SPECIAL:
        return SPECIAL[definition].read
    if definition in _CHOICES:
        return _CHOICES[definition][0]
    fields: dict[int, tuple[Field, Reader | None]] = {}

    def read(message: Any) -> Any:
        if not fields:
            fields.update({field.number: (field, _value_reader(field)) for field in load_messages()[definition]})
        found: Object = {}
        for descriptor, value in message.ListFields():
            field, convert = fields[descriptor.number]
            _take(found, field, convert, value)
        return found

    return read


def _take(found: Object, field: Field, convert: Reader | None, value: Any) -> None:
    """Put one decoded field where JSON has it, unless it is a zero that means nothing."""
    if field.is_map:
        found[field.name] = {key: _nullable(convert(value[key])) if convert else value[key] for key in value}
        return
    if field.repeated:
        found[field.name] = [_nullable(convert(item)) for item in value] if convert else list(value)
        return
    result = convert(value) if convert else value
    if field.inline:
        found.update(result)
    elif result is ABSENT:
        return
    elif result or field.pointer or (field.always and not isinstance(result, dict)) or _is_number_of_choice(field, result):
        found[field.name] = result


def _nullable(result: Any) -> Any:
    """A zero time, or no JSON, between others can't be left out: Go writes null."""
    return None if result is ABSENT else result


def _is_number_of_choice(field: Field, result: Any) -> bool:
    """An int-or-string that is 0 but was sent as a pointer is caught by its flag; a plain one (targetPort) means absence."""
    return field.type == "io.k8s.apimachinery.pkg.api.resource.Quantity" and bool(result)


def _value_reader(field: Field) -> Reader | None:
    if field.type == "y":
        return lambda value: base64.b64encode(value).decode()
    return None if len(field.type) == 1 else reader(field.type)


@functools.cache
def writer(definition: str) -> Writer:
    if definition in SPECIAL:
        return SPECIAL[definition].write
    if definition in _CHOICES:
        return _CHOICES[definition][1]
    plans: list[tuple[Field, str, Writer | None]] = []

    def write(message: Any, obj: Mapping[str, Any]) -> None:
        if not plans:
            plans.extend((field, f"f{field.number}", _value_writer(field)) for field in load_messages()[definition])
        for field, name, convert in plans:
            if field.inline:
                if convert is not None:
                    convert(getattr(message, name), obj)
                continue
            value = obj.get(field.name)
            if value is not None:
                _put(message, field, name, convert, value)

    return write


def _put(message: Any, field: Field, name: str, convert: Writer | None, value: Any) -> None:
    if field.is_map:
        target = getattr(message, name)
        for key, item in value.items():
            if convert is None:
                target[key] = _scalar(field.type, item)
            elif item is None:
                target.get_or_create(key)
            else:
                convert(target[key], item)
    elif field.repeated:
        target = getattr(message, name)
        if convert is None:
            target.extend(_scalar(field.type, item) for item in value)
        else:
            for item in value:
                made = target.add()
                if item is not None:
                    convert(made, item)
    elif convert is None:
        setattr(message, name, _scalar(field.type, value))
    else:
        target = getattr(message, name)
        target.SetInParent()
        convert(target, value)


def _scalar(kind: str, value: Any) -> Any:
    return base64.b64decode(value) if kind == "y" else value


def _value_writer(field: Field) -> Writer | None:
    return None if len(field.type) == 1 else writer(field.type)


def _read_schema_or_bool(message: Any) -> Any:
    return reader(_PROPS)(message.f2) if message.HasField("f2") else message.f1


def _write_schema_or_bool(message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.f1 = value
    else:
        message.f1 = True
        writer(_PROPS)(message.f2, value)


def _read_schema_or_schemas(message: Any) -> Any:
    return [reader(_PROPS)(each) for each in message.f2] if message.f2 else reader(_PROPS)(message.f1)


def _write_schema_or_schemas(message: Any, value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            writer(_PROPS)(message.f2.add(), each)
    else:
        writer(_PROPS)(message.f1, value)


def _read_schema_or_strings(message: Any) -> Any:
    return list(message.f2) if message.f2 else reader(_PROPS)(message.f1)


def _write_schema_or_strings(message: Any, value: Any) -> None:
    if isinstance(value, list):
        message.f2.extend(value)
    else:
        writer(_PROPS)(message.f1, value)


_CHOICES: dict[str, tuple[Reader, Writer]] = {
    f"{_PROPS}OrBool": (_read_schema_or_bool, _write_schema_or_bool),
    f"{_PROPS}OrArray": (_read_schema_or_schemas, _write_schema_or_schemas),
    f"{_PROPS}OrStringArray": (_read_schema_or_strings, _write_schema_or_strings),
}
