"""Named formats: `format.dns1123Label().validate(text)` gives none, or what is wrong. Also JSON pointers for patches."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from proa.api.cel.errors import EvaluationError
from proa.api.cel.functions import Function, overload
from proa.api.cel.library.costs import of_first
from proa.api.cel.library.network import parse_url
from proa.api.cel.types import STRING, list_of, opaque, optional_of
from proa.api.cel.values import NOTHING, Opaque, Optional, parse_timestamp
from proa.api.names import as_prefix, dns1035_label, dns1123_label, dns1123_subdomain, label_value, qualified_name
from proa.lib.dataclass import dataclass

FORMAT = opaque("kubernetes.NamedFormat")
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FormatValue(Opaque):
    type_name: ClassVar[str] = "kubernetes.NamedFormat"
    name: str


def _uri(text: str) -> list[str]:
    try:
        parse_url(text)
    except EvaluationError as error:
        return [str(error).removeprefix("URL parse error during conversion from string: ")]
    return []


def _that(reads: Callable[[str], Any], problem: str) -> Callable[[str], list[str]]:
    def check(text: str) -> list[str]:
        try:
            return [] if reads(text) is not None else [problem]
        except (ValueError, binascii.Error):
            return [problem]

    return check


FORMATS: Mapping[str, Callable[[str], Sequence[str]]] = {
    "dns1123Label": dns1123_label,
    "dns1123Subdomain": dns1123_subdomain,
    "dns1035Label": dns1035_label,
    "qualifiedName": qualified_name,
    "dns1123LabelPrefix": lambda text: dns1123_label(as_prefix(text)),
    "dns1123SubdomainPrefix": lambda text: dns1123_subdomain(as_prefix(text)),
    "dns1035LabelPrefix": lambda text: dns1035_label(as_prefix(text)),
    "labelValue": label_value,
    "uri": _uri,
    "uuid": _that(_UUID.fullmatch, "does not match the UUID format"),
    "byte": _that(lambda text: base64.b64decode(text, validate=True), "invalid base64"),
    "date": _that(date.fromisoformat, "invalid date"),
    "datetime": _that(parse_timestamp, "invalid datetime"),
}


def _validate(format_: FormatValue, text: str) -> Optional:
    problems = list(FORMATS[format_.name](text))
    return Optional(problems) if problems else NOTHING


def _made(name: str) -> Function:
    value = FormatValue(name)
    return Function(f"format.{name}", (overload(f"format.{name}", (), FORMAT, lambda: value),))


def _named(name: str) -> Optional:
    return Optional(FormatValue(name)) if name in FORMATS else NOTHING


FUNCTIONS = (
    *map(_made, FORMATS),
    Function("format.named", (overload("format.named", (STRING,), optional_of(FORMAT), _named),)),
    Function(
        "validate",
        (overload("format_validate", (FORMAT, STRING), optional_of(list_of(STRING)), _validate, member=True),),
        lambda values, result: max(1, len(values[1])),
    ),
)
JSON_PATCH = (
    Function(
        "jsonpatch.escapeKey",
        (overload("jsonpatch.escapeKey", (STRING,), STRING, lambda key: key.replace("~", "~0").replace("/", "~1")),),
        of_first,
    ),
)
