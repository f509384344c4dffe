"""The body of a server-side apply: a configuration that may leave fields out but may not invent any, whatever fieldValidation says.

Upstream reads it into a typed value, which has no place for a stray field; only what is given twice depends on fieldValidation.
"""

from proa.api.errors import ApiError, BadRequest
from proa.api.meta import Object, metadata
from proa.apiserver.call import Call
from proa.apiserver.decode import Decoder, check_type, parse_body
from proa.apiserver.options import WriteOptions

APPLY_PATCH = "application/apply-patch+yaml"


def applied_object(call: Call, options: WriteOptions) -> Object:
    """The applied configuration: apiVersion and kind are required, managedFields forbidden. Raises ApiError."""
    parsed = parse_body(call.request.body, APPLY_PATCH, also_yaml=True)
    identity = call.served.resource.id
    if not isinstance(parsed.value, dict):
        raise BadRequest("error decoding YAML: the patch must be an object")
    for field in ("kind", "apiVersion"):
        if not parsed.value.get(field):
            shown = call.request.body.decode("utf-8", "replace").strip()
            raise BadRequest(f"Object '{field.capitalize() if field == 'kind' else field}' is missing in '{shown}'")
    obj = check_type(parsed.value, identity.api_version, identity.kind)
    check_applied_fields(obj, call.served.decoder)
    if parsed.duplicates:
        _complain(call, options)
    if metadata(obj).get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")
    metadata(obj).setdefault("name", call.info.name)
    return obj


def check_applied_fields(obj: Object, decoder: Decoder | None) -> None:
    """Raises ApiError, worded as the typed reader of upstream words it."""
    if decoder is None:
        return
    meta = obj.get("metadata") or {}
    subject = f"({meta.get('namespace', '')}/{meta.get('name', '')}; {obj['apiVersion']}, Kind={obj['kind']})"
    findings = decoder(obj)
    if findings.causes:
        faults = [each.message for each in findings.causes[:1]]
    else:
        faults = [f".{path}: field not declared in schema" for path in findings.unknown]
    if faults:
        told = faults[0] if len(faults) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in faults)
        raise ApiError(f"failed to create typed patch object {subject}: {told}", code=500, reason="")


def _complain(call: Call, options: WriteOptions) -> None:
    """A JSON body is YAML too, and upstream has read every applied configuration as such."""
    from proa.api.strict_json_yaml import decode_yaml

    complaints = decode_yaml(call.request.body).duplicates
    told = f"error converting YAML to JSON: {complaints[0]}" if complaints else ""
    if told and options.field_validation == "Strict":
        raise BadRequest(f"error strict decoding YAML: {told}")
    if told and options.field_validation == "Warn":
        call.warn(told)
