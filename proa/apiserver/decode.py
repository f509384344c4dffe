"""Request bodies as objects of the expected kind: media type, group/version/kind, schema, and what fieldValidation asks for.

Messages are upstream's, because scripts and tests match on them.
"""

from collections.abc import Callable
from typing import Any

import orjson

from proa.api.errors import BadRequest, UnsupportedMediaType
from proa.api.meta import Object
from proa.api.spec_memory import SpecMemory, spec_key
from proa.api.strict_json import DecodedBody, decode_json
from proa.api.validation import Findings, decode_error, field_order, strict_complaints, strict_error
from proa.lib.http.message import Request

ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
_JSON_TYPES = frozenset({"", "application/json", "*/*"})
_YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})

PROTOBUF = "application/vnd.kubernetes.protobuf"

SUMMARY_LENGTH = 30
NOT_AN_OBJECT = "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct"
_PACKAGES = {"": "core", "events.k8s.io": "core", "internal.apiserver.k8s.io": "apiserverinternal"}

Decoder = Callable[[Any], Findings]
Warn = Callable[[str], None]


INLINE_YAML = 32 * 1024
"""Bytes of YAML that are read at once (40 ms); a megabyte takes a second, which the event loop hasn't got."""


class ReadYaml(bytes):
    """A body whose YAML has been read already, in a thread."""

    result: DecodedBody | BadRequest | None = None

    def take(self) -> DecodedBody:
        """What was read, once: whoever gets it may change it. Raises BadRequest."""
        from proa.api.strict_json_yaml import decode_yaml

        result, self.result = self.result, None
        if isinstance(result, BadRequest):
            raise result
        return result or decode_yaml(self)


def is_long_yaml(request: Request) -> bool:
    body = request.body
    return len(body) > INLINE_YAML and "yaml" in request.headers.get("content-type", "") and body.lstrip()[:1] != b"{"


def read_yaml(body: bytes) -> ReadYaml:
    """Reads it now; errors come out when it is used."""
    from proa.api.strict_json_yaml import decode_yaml

    read = ReadYaml(body)
    try:
        read.result = decode_yaml(body)
    except BadRequest as error:
        read.result = error
    return read


def media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def parse_body(body: bytes, content_type: str, *, also_yaml: bool = False) -> DecodedBody:
    """The value of a body in one of the accepted media types; raises BadRequest, UnsupportedMediaType."""
    kind = media_type(content_type)
    if kind in _JSON_TYPES and not also_yaml:
        return decode_json(body)
    if also_yaml or kind in _YAML_TYPES:
        if body.lstrip()[:1] == b"{":
            try:
                return decode_json(body)
            except BadRequest:
                pass
        if isinstance(body, ReadYaml):
            return body.take()
        from proa.api.strict_json_yaml import decode_yaml

        return decode_yaml(body)
    if kind == PROTOBUF:
        return DecodedBody(_from_protobuf(body), ())
    raise UnsupportedMediaType(f"the body of the request was in an unknown format - accepted media types include: {ACCEPTED}")


def _from_protobuf(body: bytes) -> Object:
    """Late, as a cluster whose clients all speak JSON need not load the library."""
    from proa.api.protobuf.codec import ProtobufError
    from proa.api.protobuf.envelope import decode_object

    try:
        return decode_object(body)
    except ProtobufError as error:
        raise BadRequest(str(error)) from None


def decode_object(
    body: bytes, content_type: str, *, api_version: str, kind: str, decoder: Decoder | None, validation: str, warn: Warn
) -> Object:  # fmt: skip
    """The object in a request's body; missing apiVersion and kind are those of the resource."""
    try:
        parsed = parse_body(body, content_type)
    except BadRequest as error:
        raise BadRequest(unrecognized(kind, said_by_decoder(error, content_type), body)) from None
    if not isinstance(parsed.value, dict):
        raise BadRequest(unrecognized(kind, NOT_AN_OBJECT, body))
    obj = check_type(parsed.value, api_version, kind)
    if decoder is not None and media_type(content_type) in _JSON_TYPES:
        decoder = _remembering(decoder)
    check_fields(obj, parsed.duplicates, decoder, validation, warn)
    return obj


_CLEAN: SpecMemory[tuple[Decoder, bytes], bool] = SpecMemory()
"""Specs in which a decoder found nothing to complain of or to prune. Of JSON alone, as only there equal bytes mean equal values."""


def _remembering(decoder: Decoder) -> Decoder:
    def decode(obj: Object) -> Findings:
        spec = obj.get("spec")
        key, _ = spec_key(spec)
        if not key:
            return decoder(obj)
        if _CLEAN.get((decoder, key)):
            obj["spec"] = {}
            findings = decoder(obj)
            obj["spec"] = spec
            return findings
        findings = decoder(obj)
        if not findings.causes and not findings.unknown and b"null" not in key:
            _CLEAN.put((decoder, key), True)
        return findings

    return decode


def said_by_decoder(error: BadRequest, content_type: str) -> str:
    """Of JSON upstream first wants to know the kind, and says so; other formats fail as a whole."""
    if media_type(content_type) in _JSON_TYPES:
        return f"couldn't get version/kind; json parse error: {error.message}"
    return error.message


def unrecognized(kind: str, why: str, body: bytes) -> str:
    return f"the object provided is unrecognized (must be of type {kind}): {why} ({summary(body)})"


def summary(body: bytes) -> str:
    """The beginning of a body, as text if it looks like JSON."""
    if not body:
        return "<empty>"
    start = body[:SUMMARY_LENGTH]
    shown = start.decode("utf-8", "replace") if body[:1] == b"{" else start.hex()
    return f"{shown} ..." if len(body) > SUMMARY_LENGTH else shown


def check_type(value: Any, api_version: str, kind: str) -> Object:
    """The value as an object of that type, which it may leave unsaid. Raises BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest(unrecognized(kind, NOT_AN_OBJECT, orjson.dumps(value)))
    given_version = value.get("apiVersion") or api_version
    given_kind = value.get("kind") or kind
    if given_kind != kind:
        version = str(given_version).rpartition("/")[2]
        why = f"converting ({version}.{given_kind}) to ({internal_package(api_version)}.{kind}): unknown conversion"
        raise BadRequest(f'{given_kind} in version "{version}" cannot be handled as a {kind}: {why}')
    if given_version != api_version:
        raise BadRequest(f"the API version in the data ({given_version}) does not match the expected API version ({api_version})")
    value["apiVersion"], value["kind"] = api_version, kind
    return value


def internal_package(api_version: str) -> str:
    """What upstream's messages call the package of a group's internal types."""
    group = api_version.rpartition("/")[0]
    return _PACKAGES.get(group) or group.partition(".")[0]


def check_fields(obj: Object, duplicates: tuple[str, ...], decoder: Decoder | None, validation: str, warn: Warn) -> None:
    """Prune the object to its schema. Raises BadRequest for wrong types, and for strays under Strict; Warn says them through `warn`."""
    order = field_order(obj) if duplicates else {}
    findings = decoder(obj) if decoder is not None else Findings()
    if not findings.causes and not findings.unknown and not duplicates:
        return
    kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
    if findings.causes:
        raise decode_error(kind, version, findings.causes[0].message)
    complaints = strict_complaints(findings.unknown, duplicates, order)
    if validation == "Strict":
        raise strict_error(kind, version, complaints)
    if validation == "Warn":
        for complaint in complaints:
            warn(complaint)
