"""The schema of one version of a custom resource, compiled when something of it is first needed.

A cluster with a thousand definitions uses few of them at a time, so nothing is kept of a schema but where to find it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from proa.api.errors import Cause
from proa.api.meta import Object
from proa.api.schema_node import SchemaNode
from proa.api.validation import Findings, compile_decoder
from proa.apiserver.crd.cel.rules import Rules, compile_rules
from proa.apiserver.crd.defaulting import Default, compile_defaults
from proa.apiserver.crd.embedded import clean, has_embedded, validate_embedded
from proa.apiserver.crd.list_types import duplicates, has_unique_lists
from proa.apiserver.crd.pruning import Schema, prune
from proa.apiserver.crd.scale_values import validate_replicas, validate_scale_status
from proa.apiserver.crd.schema_nodes import resource_node
from proa.apiserver.crd.value_validation import ABSENT, compile_validation
from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an object, and what only is a warning as it has been wrong before."""

    causes: list[Cause]
    warnings: Sequence[str] = ()


class VersionSchema:
    """`load` finds the openAPIV3Schema."""

    def __init__(self, load: Callable[[], Schema], object_meta: SchemaNode) -> None:
        self._load = load
        self._object_meta = object_meta

    @cached_property
    def schema(self) -> Schema:
        return self._load()

    def published(self) -> Schema:
        """The schema for a document: what nobody else uses is not kept."""
        return self.__dict__.get("schema") or self._load()

    @cached_property
    def node(self) -> SchemaNode:
        return resource_node(self.schema, self._object_meta)

    @cached_property
    def _decode_type(self) -> Callable[[Any], Findings]:
        fields = {"metadata": self._object_meta, "apiVersion": SchemaNode("string"), "kind": SchemaNode("string")}
        return compile_decoder(SchemaNode("object", properties=fields, preserve_unknown_fields=True))

    @cached_property
    def _decode_metadata(self) -> Callable[[Any], Findings]:
        return compile_decoder(self._object_meta)

    @cached_property
    def _embeds(self) -> bool:
        return has_embedded(self.schema)

    @cached_property
    def _uniquely(self) -> bool:
        return has_unique_lists(self.schema)

    @cached_property
    def _default(self) -> Default:
        return compile_defaults(self.schema)

    @cached_property
    def _validate(self) -> Callable[[Any, Any], list[Cause]]:
        return compile_validation(self.schema)

    @cached_property
    def _validate_status(self) -> Callable[[Any, Any], list[Cause]]:
        return compile_validation((self.schema.get("properties") or {}).get("status") or {})

    @cached_property
    def _rules(self) -> Rules | None:
        return compile_rules(self.schema)

    def decode(self, obj: Object) -> Findings:
        """Prune in place; what was unknown (of metadata, then of the rest in alphabetical order), and metadata of a wrong type."""
        try:
            found = self._decode_type(obj)
            unknown = [*found.unknown, *sorted(prune(obj, self.schema))]
            inside = clean(obj, self.schema, self._decode_metadata) if self._embeds else Findings()
        except RecursionError:
            return Findings(causes=(Cause("", "json: exceeded max depth"),))
        return Findings((*unknown, *inside.unknown), (*found.causes, *inside.causes))

    def default(self, obj: Object) -> None:
        self._default(obj)

    def validate(self, obj: Object, old: Object | None = None, *, scale: Object | None = None) -> Verdict:
        """What is wrong with anything but the resource's own metadata; unchanged faults are tolerated. `scale`: the paths of the scale
        subresource, where there is one."""
        causes = self._validate(obj, ABSENT if old is None else old)
        if scale:
            causes += validate_replicas(obj, scale)
        if self._embeds:
            causes += validate_embedded(obj, self.schema)
        return self._with_rules(causes, obj, old)

    def validate_status(self, obj: Object, old: Object, *, scale: Object | None = None) -> Verdict:
        """The same where only status has been written: nothing else is judged but by rules."""
        causes: list[Cause] = []
        if "status" in obj:
            # The texts name places within status, as upstream's do.
            found = self._validate_status(obj["status"], old.get("status", ABSENT))
            causes = [replace(cause, field=f"status.{cause.field}" if cause.field else "status") for cause in found]
        if scale:
            causes += validate_scale_status(obj, scale)
        return self._with_rules(causes, obj, old)

    def _with_rules(self, causes: list[Cause], obj: Object, old: Object | None) -> Verdict:
        if self._uniquely and not (old is not None and duplicates(old, self.schema)):
            causes += duplicates(obj, self.schema)
        if self._rules is None:
            return Verdict(causes)
        found = self._rules.validate(obj, old, blocked=causes)
        return Verdict(causes + found.causes, [cause.detail for cause in found.tolerated])
