"""Bodies in JSON: decoded, then checked against the schema of a Pod. What strict decoding finds must be words."""

from functools import cache

import orjson

from proa.api.errors import BadRequest
from proa.api.schema import load_schema
from proa.api.strict_json import decode_json
from proa.api.validation import Findings, compile_decoder, field_order, strict_complaints
from proa.apiserver.decode import Decoder, parse_body


@cache
def decoder() -> Decoder:
    return compile_decoder(load_schema().node("io.k8s.api.core.v1.Pod"))


def one(data: bytes) -> None:
    try:
        parsed = decode_json(data)
    except BadRequest:
        return
    assert parse_body(data, "application/json") == parsed
    encoded = orjson.dumps(parsed.value)
    assert decode_json(encoded).value == parsed.value
    findings: Findings = decoder()(parsed.value)
    strict_complaints(findings.unknown, parsed.duplicates, field_order(parsed.value))
    if not findings.causes:
        assert decoder()(parsed.value) == Findings(), "what has been pruned is pruned again"
