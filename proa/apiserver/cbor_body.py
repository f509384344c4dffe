"""CBOR requests behind the feature gate CBORServingAndStorage (KEP-4222; alpha and off by default, as upstream).

A body in CBOR is read here into the JSON document that it stands for, so that nothing behind knows of it; where the gate is off, its
media types are unknown, which is 415 and 406.
"""

import orjson

from proa.api.errors import BadRequest
from proa.apiserver.negotiation import CBOR_ALLOWED
from proa.lib.http.message import Request

FEATURE_GATE = "CBORServingAndStorage"
READ_AS = {"application/cbor": "application/json", "application/apply-patch+cbor": "application/apply-patch+yaml"}


def admit_cbor(request: Request) -> None:
    """Let the answer be CBOR, and read the body if it is. Raises BadRequest."""
    request.state[CBOR_ALLOWED] = True
    read_as = READ_AS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if read_as is None or not request.body:
        return
    from proa.api.cbor import CborError, decode

    try:
        request.body = orjson.dumps(decode(request.body))
    except CborError as error:
        raise BadRequest(str(error)) from None
    request.headers["content-type"] = read_as
