"""Bodies in YAML: what is read must be a JSON value of bounded size, and the same when it is read again as JSON."""

import orjson

from proa.api.errors import BadRequest
from proa.api.strict_json import decode_json
from proa.api.strict_json_yaml import decode_yaml
from proa.apiserver.decode import parse_body


def one(data: bytes) -> None:
    try:
        parsed = decode_yaml(data)
    except BadRequest:
        return
    encoded = orjson.dumps(parsed.value)
    assert decode_json(encoded).value == parsed.value
    parse_body(data, "application/yaml")
