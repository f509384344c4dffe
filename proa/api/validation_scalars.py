"""Which JSON scalars each Go type takes, and what its decoder says of others.

A check answers for the value alone; `complaint` words the refusal as encoding/json, resource.Quantity and metav1.Time word it.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

INT32 = range(-(2**31), 2**31)
INT64 = range(-(2**63), 2**63)
QUANTITY = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?0*[0-9]{1,18})?")
QUANTITY_FORMAT = re.compile(r"[+-]?[0-9.]+[eEinumkKMGTP]*[-+]?[0-9]*")
QUANTITY_RULE = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
TIME = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)")
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def is_string(value: Any) -> bool:
    return value.__class__ is str


def is_boolean(value: Any) -> bool:
    return value.__class__ is bool


def is_int32(value: Any) -> bool:
    return value.__class__ is int and -2147483648 <= value <= 2147483647


def is_int64(value: Any) -> bool:
    return value.__class__ is int and -9223372036854775808 <= value <= 9223372036854775807


def is_number(value: Any) -> bool:
    return value.__class__ is int or value.__class__ is float


def is_int_or_string(value: Any) -> bool:
    return value.__class__ is str or is_int32(value)


def is_quantity(value: Any) -> bool:
    return is_number(value) or (value.__class__ is str and (QUANTITY.fullmatch(value) is not None))


def is_time(value: Any) -> bool:
    if value.__class__ is not str or TIME.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_base64(value: Any) -> bool:
    # binascii is the fast yes; it is lenient about what follows the padding, which the pattern is not.
    if value.__class__ is not str:
        return False
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return BASE64.fullmatch(value.replace("\n", "").replace("\r", "")) is not None
    return True


SCALAR_CHECKS: Mapping[tuple[str, str], Callable[[Any], bool]] = {
    ("string", ""): is_string,
    ("string", "byte"): is_base64,
    ("string", "date-time"): is_time,
    ("boolean", ""): is_boolean,
    ("integer", ""): is_int64,
    ("integer", "int32"): is_int32,
    ("integer", "int64"): is_int64,
    ("number", ""): is_number,
    ("number", "double"): is_number,
    ("int_or_string", "int-or-string"): is_int_or_string,
    ("quantity", ""): is_quantity,
}


NAMED_TYPES: Mapping[tuple[str, str], str] = {
    ("Container", "imagePullPolicy"): "v1.PullPolicy",
    ("Container", "terminationMessagePolicy"): "v1.TerminationMessagePolicy",
    ("ContainerPort", "protocol"): "v1.Protocol",
    ("DeploymentStrategy", "type"): "v1.DeploymentStrategyType",
    ("PersistentVolumeClaimSpec", "accessModes"): "[]v1.PersistentVolumeAccessMode",
    ("PodSpec", "dnsPolicy"): "v1.DNSPolicy",
    ("PodSpec", "restartPolicy"): "v1.RestartPolicy",
    ("ResourceRequirements", "limits"): "v1.ResourceList",
    ("ResourceRequirements", "requests"): "v1.ResourceList",
    ("Secret", "type"): "v1.SecretType",
    ("ServicePort", "protocol"): "v1.Protocol",
    ("ServiceSpec", "type"): "v1.ServiceType",
    ("Taint", "effect"): "v1.TaintEffect",
    ("Toleration", "effect"): "v1.TaintEffect",
    ("Toleration", "operator"): "v1.TolerationOperator",
}
"""Fields of a named Go type, which the schema does not tell; the most written ones."""


def go_type(type_: str, format_: str) -> str:
    """The Go type of a scalar field."""
    if type_ == "integer":
        return format_ or "int64"
    return {"boolean": "bool", "number": "float64", "string": "[]uint8" if format_ == "byte" else "string"}.get(type_, type_)


def json_kind(value: Any) -> str:
    """How encoding/json names a value that it can't store."""
    if value.__class__ is int or value.__class__ is float:
        return "number"
    return {str: "string", bool: "bool", dict: "object", list: "array"}.get(value.__class__, "null")


def complaint(type_: str, format_: str, value: Any) -> str | None:
    """What a type that decodes itself says of a value it refuses; None where encoding/json speaks for the field."""
    if type_ == "quantity":
        well_formed = value.__class__ is str and QUANTITY_FORMAT.fullmatch(value)
        return "unable to parse quantity's suffix" if well_formed else QUANTITY_RULE
    if type_ == "int_or_string":
        described = f"number {value}" if is_number(value) else json_kind(value)
        return f"json: cannot unmarshal {described} into Go value of type int32"
    if format_ == "date-time":
        if value.__class__ is not str:
            return f"json: cannot unmarshal {json_kind(value)} into Go value of type string"
        if TIME.fullmatch(value):
            return f'parsing time "{value}": day out of range'
        return f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
    if format_ == "byte" and value.__class__ is str:
        return f"illegal base64 data at input byte {_first_bad_byte(value)}"
    return None


def _first_bad_byte(text: str) -> int:
    bad = re.search(r"[^A-Za-z0-9+/\r\n]", text)
    return bad.start() if bad else len(text) - len(text) % 4
