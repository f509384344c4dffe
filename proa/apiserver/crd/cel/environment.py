"""What a rule of a schema may name: `self`, typed as the schema says, and `oldSelf`, or an optional of it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from proa.api.cel.environment import Environment, Program
from proa.api.cel.schema_type import schema_type
from proa.api.cel.types import DYN, Type, optional_of
from proa.apiserver.crd.pruning import Schema


class Scope:
    """Of one schema; nothing is made of it before a rule needs it."""

    def __init__(self, schema: Schema, *, root: bool) -> None:
        self._schema = schema
        self._resource = root or bool(schema.get("x-kubernetes-embedded-resource"))

    @cached_property
    def type(self) -> Type:
        return schema_type(self._schema, "self", resource=self._resource) or DYN

    @property
    def elements(self) -> int:
        """How many values a list or map can hold."""
        return max(1, self.type.size) if self.type.kind in ("list", "map") else 1

    def environment(self, *, optional_old: bool = False) -> Environment:
        return Environment({"self": self.type, "oldSelf": optional_of(self.type) if optional_old else self.type})

    def estimate(self, program: Program) -> int:
        from proa.api.cel.cost import estimate

        return estimate(program.checked, {"self": self.type, "oldSelf": self.type})

    def seen(self, value: Any) -> Any:
        """A value as rules get it: of a resource's metadata only the names."""
        if not self._resource or value.__class__ is not dict or value.get("metadata").__class__ is not dict:
            return value
        metadata = value["metadata"]
        return {**value, "metadata": {name: metadata[name] for name in ("name", "generateName") if name in metadata}}


def scope_of(schema: Schema, *, root: bool) -> Scope:
    return Scope(schema, root=root)
