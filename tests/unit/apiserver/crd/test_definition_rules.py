"""CustomResourceDefinitions and what is said against them."""

import copy
from typing import Any

import pytest

from proa.apiserver.crd.definition_rules import validate_definition, validate_definition_update

SCHEMA = "spec.validation.openAPIV3Schema"


def definition(**more: Any) -> dict[str, Any]:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    spec: dict[str, Any] = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    spec |= {"conversion": {"strategy": "None"}} | more
    return {"metadata": {"name": "widgets.example.com"}, "spec": spec, "status": {"storedVersions": ["v1"]}}


def with_schema(field: dict[str, Any] | None = None, **root: Any) -> dict[str, Any]:
    """A definition whose schema has one field `a`, or other things at its root."""
    crd = definition()
    properties = {"properties": {"a": field}} if field is not None else {}
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object", **properties, **root}
    return crd


def with_version(**more: Any) -> dict[str, Any]:
    crd = definition()
    crd["spec"]["versions"][0] |= more
    return crd


def with_names(**more: Any) -> dict[str, Any]:
    crd = definition()
    crd["spec"]["names"] |= more
    return crd


def only_spec(spec: dict[str, Any]) -> dict[str, Any]:
    return {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}


def strings(**more: Any) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, **more}


A = f"{SCHEMA}.properties[a]"
LABEL = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
    "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
KEYED = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]}

CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("fine", definition(), []),
    ("name", definition() | {"metadata": {"name": "x"}},
     [("metadata.name", 'Invalid value: "x": must be spec.names.plural+"."+spec.group')]),
    ("scope", definition(scope="World"), [("spec.scope", 'Unsupported value: "World": supported values: "Cluster", "Namespaced"')]),
    ("no scope", definition(scope=""), [("spec.scope", "Required value")]),
    ("preserving everything", definition(preserveUnknownFields=True),
     [("spec.preserveUnknownFields", "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
       "spec.versions[*].schema instead")]),
    ("kind", with_names(kind="Wid_get"),
     [("spec.names.kind", f'Invalid value: "Wid_get": may have mixed case, but should otherwise match: {LABEL}')]),
    ("kind is list kind", with_names(listKind="Widget"),
     [("spec.names.listKind", 'Invalid value: "Widget": kind and listKind may not be the same')]),
    ("short name", with_names(shortNames=["w", "W"]), [("spec.names.shortNames[1]", f'Invalid value: "W": {LABEL}')]),
    ("no schema", with_version(schema={}), [("spec.versions[0].schema.openAPIV3Schema", "Required value")]),
    ("untyped field", with_schema({}), [(f"{A}.type", "Required value: must not be empty for specified object fields")]),
    ("untyped root", with_schema(None, type=""), [(f"{SCHEMA}.type", "Required value: must not be empty at the root")]),
    ("root is no object", with_schema(None, type="string"), [(f"{SCHEMA}.type", 'Invalid value: "string": must be object at the root')]),
    ("unknown type", with_schema({"type": "text"}),
     [(f"{A}.type", 'Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"')]),
    ("array without items", with_schema({"type": "array"}), [(f"{A}.items", "Required value: must be specified")]),
    ("unique items", with_schema(strings(uniqueItems=True)),
     [(f"{A}.uniqueItems", "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic")]),
    ("map and struct", with_schema({"type": "object", "properties": {"b": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
     [(f"{A}.additionalProperties", "Forbidden: additionalProperties and properties are mutual exclusive")]),
    ("reference", with_schema({"type": "object", "$ref": "#/x"}), [(f"{A}.$ref", "Forbidden: $ref is not supported")]),
    ("nullable root", with_schema(None, nullable=True), [(f"{SCHEMA}.nullable", "Forbidden: nullable cannot be true at the root")]),
    ("type in a junctor", with_schema({"type": "string", "anyOf": [{"type": "string"}]}),
     [(f"{A}.anyOf[0].type", "Forbidden: must be empty to be structural")]),
    ("int or string", with_schema({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}), []),
    ("int or string with a rule",
     with_schema({"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"minimum": 1}]}),
     []),
    ("field only in a junctor at the root", with_schema(None, anyOf=[{"properties": {"b": {"minimum": 1}}}]),
     [(f"{SCHEMA}.properties[b]", f"Required value: because it is defined in {SCHEMA}.anyOf[0].properties[b]")]),
    ("field only in a junctor elsewhere", with_schema({"type": "object", "anyOf": [{"properties": {"b": {"minimum": 1}}}]}), []),
    ("pattern", with_schema({"type": "string", "pattern": "(?=a)"}),
     [(f"{A}.pattern", 'Invalid value: "(?=a)": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or '
       "unsupported Perl syntax: `(?=`")]),
    ("embedded scalar", with_schema({"type": "string", "x-kubernetes-embedded-resource": True}),
     [(f"{A}.properties", "Required value: must not be empty if x-kubernetes-embedded-resource is true without "
       "x-kubernetes-preserve-unknown-fields"),
      (f"{A}.type", 'Invalid value: "string": must be object if x-kubernetes-embedded-resource is true')]),
    ("metadata", with_schema(None, properties={"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}),
     [(f"{SCHEMA}.properties[metadata]",
       "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified")]),
    ("names in metadata",
     with_schema(None, properties={"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}}}), []),
    ("preserving false", with_schema({"type": "object", "x-kubernetes-preserve-unknown-fields": False}),
     [(f"{A}.x-kubernetes-preserve-unknown-fields", "Invalid value: false: must be true or undefined")]),
    ("list type of a scalar", with_schema({"type": "string", "x-kubernetes-list-type": "set"}),
     [(f"{A}.type", 'Invalid value: "string": must be array if x-kubernetes-list-type is specified')]),
    ("unknown list type", with_schema(strings(**{"x-kubernetes-list-type": "bag"})),
     [(f"{A}.x-kubernetes-list-type", 'Unsupported value: "bag": supported values: "atomic", "set", "map"')]),
    ("keys of a set", with_schema(strings(**{"x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["a"]})),
     [(f"{A}.x-kubernetes-list-type", 'Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty')]),
    ("map without keys", with_schema({"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}),
     [(f"{A}.x-kubernetes-list-map-keys", "Required value: must not be empty if x-kubernetes-list-type is map")]),
    ("optional key", with_schema({**KEYED, "items": {"type": "object", "properties": {"k": {"type": "string"}}}}),
     [(f"{A}.items.properties[k].default",
       "Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property")]),
    ("unknown key", with_schema({**KEYED, "items": {"type": "object", "properties": {"b": {"type": "string"}}}}),
     [(f"{A}.x-kubernetes-list-map-keys", 'Invalid value: ["k"]: entries must all be names of item properties')]),
    ("granular set of objects", with_schema({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}}),
     [(f"{A}.items.x-kubernetes-map-type", "Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set")]),
    ("default of another type", with_schema({"type": "integer", "default": "a"}),
     [(f"{A}.default", 'Invalid value: "string":  in body must be of type integer: "string"')]),
    ("default out of bounds inside", with_schema(
        {"type": "object", "properties": {"b": {"type": "integer", "maximum": 1}}, "default": {"b": 2}}),
     [(f"{A}.default.b", "Invalid value: 2: b in body should be less than or equal to 1")]),
    ("default with stray fields", with_schema({"type": "object", "default": {"b": 2}}),
     [(f"{A}.default", 'Invalid value: {"b":2}: must not have unknown fields')]),
    ("default of kind", with_schema(None, properties={"kind": {"type": "string", "default": "X"}}),
     [(f"{SCHEMA}.properties[kind].default", "Forbidden: must not be set in top-level kind")]),
    ("default in metadata of an embedded resource", with_schema({
        "type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "default": "a/b"}}}}}),
     [(f"{A}.properties[metadata].properties[name].default",
       'Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain \'/\'')]),
    ("default of labels in metadata", with_schema({
        "type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"metadata": {"type": "object", "properties": {"labels": {
            "type": "object", "additionalProperties": {"type": "string", "default": "x"}}}}}}),
     [(f"{A}.properties[metadata].properties[labels].additionalProperties.default",
       "Forbidden: must not be set inside additionalProperties applying to object metadata")]),
    ("default that misses what it requires", with_schema({
        "type": "object", "required": ["b"], "properties": {"b": {"type": "string", "default": "x"}}, "default": {}}),
     [(f"{A}.default.b", "Required value")]),
    ("null type", with_schema({"type": "null"}), [
        (f"{A}.type", 'Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"'),
        (f"{A}.type", "Forbidden: type cannot be set to null, use nullable as an alternative")]),
    ("nullable item of a set", with_schema({"type": "array", "x-kubernetes-list-type": "set",
                                            "items": {"type": "string", "nullable": True}}),
     [(f"{A}.items.nullable", "Forbidden: cannot be nullable when x-kubernetes-list-type is set")]),
    ("requirements of metadata", with_schema(None, properties={"metadata": {"type": "object", "required": ["name"]}}),
     [(f"{SCHEMA}.properties[metadata]",
       "Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified")]),
    ("what bears on the root", with_schema(None, oneOf=[{"required": ["spec"]}]), []),
    ("a path with brackets", with_version(
        selectableFields=[{"jsonPath": ".spec['x']"}],
        schema=only_spec({"type": "object", "properties": {"x": {"type": "string"}}})),
     [("spec.selectableFields[0].jsonPath", "Invalid value: \".spec['x']\": is an invalid path: array notation is not allowed")]),
    ("a selectable object", with_version(
        selectableFields=[{"jsonPath": ".spec"}], schema=only_spec({"type": "object"})),
     [("spec.selectableFields[0].jsonPath", 'Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string '
       "fields and strings with formats are allowed.")]),
    ("deprecation without words", with_version(deprecated=True, deprecationWarning=""),
     [("spec.versions[0].deprecationWarning", 'Invalid value: "": must not be an empty string')]),
    ("deprecation with a bell", with_version(deprecated=True, deprecationWarning="é\a"),
     [("spec.versions[0].deprecationWarning", 'Invalid value: "é\\u0007": must only contain printable UTF-8 characters; non-printable '
       "character found at index 2")]),
    ("a selector of spec", with_version(subresources={"scale": {
        "specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a", "labelSelectorPath": ".spec.b"}}), []),
    ("a selector elsewhere", with_version(subresources={"scale": {
        "specReplicasPath": ".spec.a", "statusReplicasPath": ".status.a", "labelSelectorPath": ".metadata.b"}}),
     [("spec.subresources.scale.labelSelectorPath", 'Invalid value: ".metadata.b": should be a json path under either .spec or .status')]),
    ("a column that does not parse", with_version(additionalPrinterColumns=[{"name": "a", "type": "string", "jsonPath": ".a["}]), []),
    ("a webhook that is none", definition(conversion={"strategy": "None", "webhook": {
        "clientConfig": {"url": "https://a"}, "conversionReviewVersions": ["v1"]}}), [
        ("spec.conversion.webhookClientConfig", "Forbidden: should not be set when strategy is not set to Webhook"),
        ("spec.conversion.conversionReviewVersions", "Forbidden: should not be set when strategy is not set to Webhook")]),
    ("a webhook's address", definition(conversion={"strategy": "Webhook", "webhook": {
        "clientConfig": {"url": "http://me@a/b?c#d"}, "conversionReviewVersions": ["v1"]}}), [
        ("spec.conversion.webhookClientConfig.url",
         "Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]"),
        ("spec.conversion.webhookClientConfig.url", 'Invalid value: "me": user information is not permitted in the URL'),
        ("spec.conversion.webhookClientConfig.url", 'Invalid value: "d": fragments are not permitted in the URL'),
        ("spec.conversion.webhookClientConfig.url", 'Invalid value: "c": query parameters are not permitted in the URL')]),
    ("no stored version", definition() | {"status": {}},
     [("status.storedVersions", "Invalid value: []: must have at least one stored version")]),
    ("no storage version", with_version(storage=False), [("spec.versions", "must have exactly one version marked as storage version")]),
    ("scale", with_version(subresources={"scale": {"specReplicasPath": ".status.a", "labelSelectorPath": "x"}}), [
        ("spec.subresources.scale.specReplicasPath", 'Invalid value: ".status.a": should be a json path under .spec'),
        ("spec.subresources.scale.statusReplicasPath", "Required value"),
        ("spec.subresources.scale.labelSelectorPath", 'Invalid value: "x": must be a simple json path starting with .'),
    ]),
    ("column", with_version(additionalPrinterColumns=[{"name": "", "type": "text", "jsonPath": "spec"}]), [
        ("spec.additionalPrinterColumns[0].name", "Required value"),
        ("spec.additionalPrinterColumns[0].type", 'Invalid value: "text": must be one of boolean,date,integer,number,string'),
        ("spec.additionalPrinterColumns[0].JSONPath", 'Invalid value: "spec": must be a simple json path starting with .'),
    ]),
    ("selectable field", with_version(selectableFields=[{"jsonPath": ".spec.x"}]),
     [("spec.selectableFields[0].jsonPath", 'Invalid value: ".spec.x": is an invalid path: does not refer to a valid field')]),
    ("deprecation warning", with_version(deprecationWarning="old"),
     [("spec.versions[0].deprecationWarning", 'Invalid value: "old": can only be set for deprecated versions')]),
    ("webhook without a client", definition(conversion={"strategy": "Webhook"}), [
        ("spec.conversion.webhookClientConfig", "Required value: required when strategy is set to Webhook"),
        ("spec.conversion.conversionReviewVersions", "Required value"),
    ]),
    ("protected group", definition(group="x.k8s.io") | {"metadata": {"name": "widgets.x.k8s.io"}},
     [("metadata.annotations[api-approved.kubernetes.io]", 'Required value: protected groups must have approval annotation '
       '"api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111')]),
]  # fmt: skip


@pytest.mark.parametrize(("crd", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_causes(crd: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = [(cause.field, cause.message) for cause in validate_definition(crd)]
    shown = [(field, text.rpartition(": ")[2] if field == "spec.versions" else text) for field, text in found]
    assert shown == expected


def test_versions_that_differ_are_named_by_their_place() -> None:
    crd = with_schema({})
    other = copy.deepcopy(crd["spec"]["versions"][0])
    other |= {"name": "v2", "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}}
    crd["spec"]["versions"].append(other)
    path = "spec.versions[0].schema.openAPIV3Schema.properties[a].type"
    assert [cause.field for cause in validate_definition(crd)] == [path]


def established(crd: dict[str, Any], stored: list[str]) -> dict[str, Any]:
    return {**crd, "status": {"conditions": [{"type": "Established", "status": "True"}], "storedVersions": stored}}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"scope": "Cluster"}, ["spec.scope"]),
        ({"group": "example.org"}, ["spec.group"]),
    ],
)
def test_what_is_established_stays(change: dict[str, Any], fields: list[str]) -> None:
    old = established(definition(), ["v1"])
    new = copy.deepcopy(old)
    new["spec"] |= change
    assert [(cause.field, cause.message.rpartition(": ")[2]) for cause in validate_definition_update(new, old)] == [
        (field, "field is immutable") for field in fields
    ]


def test_stored_versions_must_be_there() -> None:
    old = established(definition(), ["v0", "v1"])
    assert [(cause.field, cause.message) for cause in validate_definition_update(copy.deepcopy(old), old)] == [
        (
            "status.storedVersions[0]",
            'Invalid value: "v0": missing from spec.versions; v0 was previously a storage version, and must remain in '
            "spec.versions until a storage migration ensures no data remains persisted in v0 and removes v0 from status.storedVersions",
        )
    ]
