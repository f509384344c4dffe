"""Schemas of custom resources: judged, and those that pass then prune, default and judge an object.

What has been pruned or defaulted is not changed by the same again.
"""

from functools import cache
from typing import Any

import orjson

from fuzz.drawn import Drawn
from proa.api.errors import Invalid
from proa.api.meta import Object
from proa.api.schema import load_schema
from proa.api.validation import compile_decoder
from proa.apiserver.crd.definition_rules import validate_definition
from proa.apiserver.crd.version_schema import VersionSchema
from proa.apiserver.decode import Decoder

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
TYPES = ("object", "object", "string", "integer", "array", "number", "boolean", "", "x")
FIELDS = ("a", "b", "spec", "metadata", "kind", "apiVersion", "status", "x.y", "")
RULES = ("self.a == self.b", "has(self.a)", "size(self) < 5", "self > 1", "oldSelf == self", "self.all(x, x != '')", "", "self.", "true")
VALUES: tuple[Any, ...] = (None, True, 0, 1.5, -1, 10, "a", "^a+$", "(", [], {}, ["a", "b"], {"a": 1}, [{"a": 1}], 2**63, 1e300)
KEYWORDS = ("nullable", "default", "enum", "pattern", "maximum", "minimum", "exclusiveMinimum", "multipleOf", "maxLength", "minLength",
            "maxItems", "minItems", "uniqueItems", "required", "format", "maxProperties", "x-kubernetes-preserve-unknown-fields",
            "description", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string", "x-kubernetes-list-type",
            "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "$ref", "definitions", "patternProperties", "dependencies",
            "additionalItems", "title", "example")  # fmt: skip
TEXTS: dict[str, tuple[Any, ...]] = {
    "format": ("int32", "date-time", "byte", "email", "ipv4", "cidr", "duration", "uuid", "x"),
    "x-kubernetes-list-type": ("atomic", "set", "map", "x"),
    "x-kubernetes-map-type": ("atomic", "granular"),
    "x-kubernetes-list-map-keys": (["a"], ["a", "b"], [], ["a", "a"]),
    "required": (["a"], ["b", "a"], []),
}


@cache
def decoder() -> Decoder:
    return compile_decoder(load_schema().node(CRD))


def one(data: bytes) -> None:
    drawn = Drawn(data)
    schema = _schema(drawn, 4)
    if drawn.below(8):
        schema["type"] = "object"
    crd: Object = orjson.loads(orjson.dumps(_definition(schema)))
    if decoder()(crd).causes:
        return
    causes = validate_definition(crd)
    if causes:
        orjson.dumps(Invalid.of("apiextensions.k8s.io", "CustomResourceDefinition", "things.x.io", causes).to_status())
        return
    version = VersionSchema(lambda: schema, load_schema().node(META))
    for _ in range(3):
        _resource(version, {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "x"}, **_object(drawn)})


def _definition(schema: Object) -> Object:
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.x.io"},
        "spec": {"group": "x.io", "names": names, "scope": "Namespaced", "versions": [version], "conversion": {"strategy": "None"}},
    }  # fmt: skip


def _resource(version: VersionSchema, obj: Object) -> None:
    findings = version.decode(obj)
    if findings.causes:
        return
    pruned = orjson.dumps(obj)
    again = version.decode(obj)
    assert not again.unknown, again
    assert orjson.dumps(obj) == pruned
    version.default(obj)
    defaulted = orjson.dumps(obj)
    version.default(obj)
    assert orjson.dumps(obj) == defaulted, (pruned, defaulted)
    for verdict in (version.validate(obj), version.validate(obj, orjson.loads(pruned))):
        if verdict.causes:
            orjson.dumps(Invalid.of("x.io", "Thing", "x", verdict.causes).to_status())


def _schema(drawn: Drawn, depth: int) -> Object:
    made: Object = {}
    if kind := drawn.choice(TYPES):
        made["type"] = kind
    if depth:
        if kind == "object" and (count := drawn.below(4)):
            made["properties"] = {drawn.choice(FIELDS): _schema(drawn, depth - 1) for _ in range(count)}
        if kind == "array":
            made["items"] = _schema(drawn, depth - 1)
        match drawn.below(12):
            case 6:
                made["additionalProperties"] = _schema(drawn, depth - 1) if drawn.below(2) else True
            case 7:
                made["not"] = _schema(drawn, depth - 1)
            case 8 | 9 | 10 as place:
                made[("anyOf", "allOf", "oneOf")[place - 8]] = [_schema(drawn, depth - 1) for _ in range(drawn.below(3))]
            case 11:
                made["x-kubernetes-validations"] = [{"rule": drawn.choice(RULES)} for _ in range(drawn.below(3))]
    for _ in range(drawn.below(4)):
        keyword = drawn.choice(KEYWORDS)
        made[keyword] = drawn.choice(TEXTS.get(keyword, VALUES)) if drawn.below(4) else drawn.json(2)
    return made


def _object(drawn: Drawn, depth: int = 3) -> Object:
    return {drawn.choice(FIELDS[:3] + FIELDS[6:]): _value(drawn, depth) for _ in range(drawn.below(4))}


def _value(drawn: Drawn, depth: int) -> Any:
    match drawn.below(4 if depth else 2):
        case 2:
            return [_value(drawn, depth - 1) for _ in range(drawn.below(4))]
        case 3:
            return _object(drawn, depth - 1)
    return drawn.choice(VALUES)
