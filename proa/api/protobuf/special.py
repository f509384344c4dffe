"""Messages whose JSON is not an object of their fields: times, quantities, int-or-string, raw JSON, lists of strings.

Each has `read(message) -> JSON value, or ABSENT` and `write(message, JSON value)`. Source: the Marshal and MarshalJSON methods of
these types.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from proa.lib.clock import format_micro_time, format_time
from proa.lib.dataclass import dataclass

ABSENT = object()
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Special:
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], None]


def _read_time(message: Any) -> Any:
    if not message.ListFields():
        return ABSENT
    return format_time(EPOCH + timedelta(seconds=message.f1))


def _read_micro_time(message: Any) -> Any:
    if not message.ListFields():
        return ABSENT
    return format_micro_time(EPOCH + timedelta(seconds=message.f1, microseconds=message.f2 // 1000))


def _write_time(message: Any, value: str) -> None:
    elapsed = datetime.fromisoformat(value) - EPOCH
    message.f1 = elapsed.days * 86400 + elapsed.seconds
    message.f2 = elapsed.microseconds * 1000


def _read_quantity(message: Any) -> Any:
    return message.f1 or "0"


def _write_quantity(message: Any, value: Any) -> None:
    message.f1 = str(value)


def _read_int_or_string(message: Any) -> Any:
    return message.f3 if message.f1 == 1 else message.f2


def _write_int_or_string(message: Any, value: Any) -> None:
    if isinstance(value, str):
        message.f1, message.f2, message.f3 = 1, 0, value
    else:
        message.f1, message.f2, message.f3 = 0, value, ""


def _read_json(message: Any) -> Any:
    return orjson.loads(message.f1) if message.f1 else ABSENT


def _write_json(message: Any, value: Any) -> None:
    message.f1 = orjson.dumps(value)


def _read_strings(message: Any) -> Any:
    return list(message.f1)


def _write_strings(message: Any, value: Any) -> None:
    message.f1.extend(value)


_JSON = Special(_read_json, _write_json)
_STRINGS = Special(_read_strings, _write_strings)

SPECIAL: dict[str, Special] = {
    f"{META}.Time": Special(_read_time, _write_time),
    f"{META}.MicroTime": Special(_read_micro_time, _write_time),
    "io.k8s.apimachinery.pkg.api.resource.Quantity": Special(_read_quantity, _write_quantity),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": Special(_read_int_or_string, _write_int_or_string),
    f"{META}.FieldsV1": _JSON,
    RAW_EXTENSION: _JSON,
    f"{EXTENSIONS}.JSON": _JSON,
    f"{META}.Verbs": _STRINGS,
    "io.k8s.api.authentication.v1.AttestationValue": _STRINGS,
    "io.k8s.api.authentication.v1.ExtraValue": _STRINGS,
    "io.k8s.api.authorization.v1.ExtraValue": _STRINGS,
    "io.k8s.api.certificates.v1.ExtraValue": _STRINGS,
}
