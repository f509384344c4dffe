"""The OpenAPI v2 document as gnostic's protobuf, the only form in which kubectl 1.20 to 1.32 reads v2.

Values of vendor extensions, defaults and enums travel as YAML text; JSON is that.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from proa.apiserver.openapi import gnostic_pb2 as pb

_PLAIN = {
    "format": "format", "title": "title", "description": "description", "multipleOf": "multiple_of", "maximum": "maximum",
    "exclusiveMaximum": "exclusive_maximum", "minimum": "minimum", "exclusiveMinimum": "exclusive_minimum", "maxLength": "max_length",
    "minLength": "min_length", "pattern": "pattern", "maxItems": "max_items", "minItems": "min_items", "uniqueItems": "unique_items",
    "maxProperties": "max_properties", "minProperties": "min_properties", "$ref": "_ref",
}  # fmt: skip
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


def encode_v2(document: Mapping[str, Any]) -> bytes:
    """A document of `openapi_v2` in wire form."""
    message = pb.Document(swagger=document["swagger"], info=pb.Info(**document["info"]))
    for path, item in document["paths"].items():
        _fill_path(message.paths.path.add(name=path).value, item)
    for name, schema in document["definitions"].items():
        _fill_schema(message.definitions.additional_properties.add(name=name).value, schema)
    for name, parameter in document["parameters"].items():
        _fill_parameter(message.parameters.additional_properties.add(name=name).value, parameter)
    for name, scheme in document["securityDefinitions"].items():
        security = message.security_definitions.additional_properties.add(name=name).value.api_key_security
        security.MergeFrom(pb.ApiKeySecurity(**scheme))
    for requirement in document["security"]:
        added = message.security.add()
        for name in requirement:
            added.additional_properties.add(name=name).value.SetInParent()
    return bytes(message.SerializeToString(deterministic=True))


def _fill_path(message: pb.PathItem, item: Mapping[str, Any]) -> None:
    for method in _METHODS:
        if method in item:
            _fill_operation(getattr(message, method), item[method])
    _add_parameters(message.parameters, item.get("parameters", ()))


def _fill_operation(message: pb.Operation, operation: Mapping[str, Any]) -> None:
    message.description = operation["description"]
    message.operation_id = operation["operationId"]
    for key in ("tags", "consumes", "produces", "schemes"):
        getattr(message, key).extend(operation[key])
    _add_parameters(message.parameters, operation["parameters"])
    for code, response in operation["responses"].items():
        answer = message.responses.response_code.add(name=code).value.response
        answer.description = response["description"]
        if "schema" in response:
            _fill_schema(answer.schema.schema, response["schema"])
    _add_extensions(message, operation)


def _add_parameters(container: Any, parameters: Iterable[Mapping[str, Any]]) -> None:
    for parameter in parameters:
        item = container.add()
        if "$ref" in parameter:
            setattr(item.json_reference, "_ref", parameter["$ref"])  # noqa: B010 - a leading underscore is part of the name
        else:
            _fill_parameter(item.parameter, parameter)


def _fill_parameter(message: pb.Parameter, parameter: Mapping[str, Any]) -> None:
    known: Any
    if parameter["in"] == "body":
        known = message.body_parameter
        _fill_schema(known.schema, parameter["schema"])
    else:
        other = message.non_body_parameter
        known = other.path_parameter_sub_schema if parameter["in"] == "path" else other.query_parameter_sub_schema
        known.type, known.unique_items = parameter["type"], parameter["uniqueItems"]
    setattr(known, "in", parameter["in"])
    known.name = parameter["name"]
    known.description = parameter.get("description", "")
    known.required = parameter.get("required", False)


def _fill_schema(message: Any, schema: Mapping[str, Any]) -> None:
    # An empty schema is a message that is present, not one that is absent.
    message.SetInParent()
    for key, value in schema.items():
        if key in _PLAIN:
            setattr(message, _PLAIN[key], value)
        elif key == "type":
            message.type.value.extend([value] if isinstance(value, str) else value)
        elif key == "required":
            message.required.extend(value)
        elif key == "properties":
            for name, inner in value.items():
                _fill_schema(message.properties.additional_properties.add(name=name).value, inner)
        elif key == "items":
            _fill_schema(message.items.schema.add(), value)
        elif key == "additionalProperties":
            _fill_additional_properties(message.additional_properties, value)
        elif key == "allOf":
            for inner in value:
                _fill_schema(message.all_of.add(), inner)
        elif key == "enum":
            message.enum.extend(pb.Any(yaml=_yaml(each)) for each in value)
        elif key == "default":
            message.default.yaml = _yaml(value)
    _add_extensions(message, schema)


def _fill_additional_properties(message: pb.AdditionalPropertiesItem, value: Any) -> None:
    if isinstance(value, bool):
        message.boolean = value
    else:
        _fill_schema(message.schema, value)


def _add_extensions(message: Any, schema: Mapping[str, Any]) -> None:
    for key, value in schema.items():
        if key.startswith("x-"):
            message.vendor_extension.add(name=key).value.yaml = _yaml(value)


def _yaml(value: Any) -> str:
    return orjson.dumps(value).decode()
