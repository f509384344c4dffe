"""What an expression may name: variables with their types, functions, and types that can be constructed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from proa.api.cel.functions import Function, Table
from proa.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
    optional_of,
)
from proa.lib.dataclass import dataclass

TYPE_NAMES: Mapping[str, Type] = {
    "bool": BOOL, "bytes": BYTES, "double": DOUBLE, "int": INT, "string": STRING, "uint": UINT, "null_type": NULL, "type": TYPE,
    "list": list_of(DYN), "map": map_of(DYN, DYN), "optional_type": optional_of(DYN), "google.protobuf.Timestamp": TIMESTAMP,
    "google.protobuf.Duration": DURATION, "dyn": DYN,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declarations:
    variables: Mapping[str, Type]
    functions: Table
    message: Callable[[str], Type | None] = field(default=lambda name: None)
    """The object type of `Name{...}`; None if there is none."""

    def function(self, name: str) -> Function | None:
        return self.functions.get(name)
