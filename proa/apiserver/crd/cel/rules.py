"""CEL rules of schemas (x-kubernetes-validations)."""

from proa.api.errors import Cause, forbidden
from proa.api.meta import Object
from proa.apiserver.crd.list_types import children
from proa.apiserver.crd.pruning import Schema


class Rules:
    def validate(self, obj: Object, old: Object | None, *, blocked: list[Cause]) -> list[Cause]:
        return []


def compile_rules(schema: Schema) -> Rules | None:
    return None


def validate_rules(schema: Schema, path: str) -> list[Cause]:
    if _has_rules(schema):
        return [forbidden(path, "x-kubernetes-validations is not supported by this version of proa")]
    return []


def _has_rules(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-validations")) or any(map(_has_rules, children(schema)))
