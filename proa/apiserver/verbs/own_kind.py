"""Bodies of kinds that no resource is of: a subresource's own (Scale, Binding, Eviction, TokenRequest) and DeleteOptions.

They pass their schema as objects do, so that what comes after finds every field of the type that it expects.
"""

from proa.api.meta import Object, metadata
from proa.apiserver.call import Call
from proa.apiserver.decode import check_fields, check_type, decode_object

BINDING = "io.k8s.api.core.v1.Binding"
DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"
EVICTION = "io.k8s.api.policy.v1.Eviction"
SCALE = "io.k8s.api.autoscaling.v1.Scale"
TOKEN_REQUEST = "io.k8s.api.authentication.v1.TokenRequest"


def decode_own(call: Call, definition: str, api_version: str, validation: str) -> Object:
    """The request's body; raises BadRequest, UnsupportedMediaType."""
    obj = decode_object(
        call.request.body,
        call.request.headers.get("content-type", ""),
        api_version=api_version,
        kind=definition.rpartition(".")[2],
        decoder=call.server.decoder_of(definition),
        validation=validation,
        warn=call.warn,
    )
    metadata(obj)
    call.received(obj)
    return obj


def checked(call: Call, value: object, definition: str, api_version: str, validation: str, duplicates: tuple[str, ...] = ()) -> Object:
    """The same for a value that has been read, or made by a patch."""
    obj = check_type(value, api_version, definition.rpartition(".")[2])
    check_fields(obj, duplicates, call.server.decoder_of(definition), validation, call.warn)
    metadata(obj)
    call.received(obj)
    return obj
