"""CBOR: what is read is a JSON value, which survives being written and read again."""

import orjson

from proa.api.cbor import CborError, decode, encode


def one(data: bytes) -> None:
    try:
        value = decode(data)
    except CborError:
        return
    assert orjson.loads(orjson.dumps(value)) == value
    assert decode(encode(value)) == value
