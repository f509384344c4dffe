"""JSON merge patches (RFC 7386): applied a second time, a patch changes nothing more, and none of its nulls is left where it merged."""

import orjson

from fuzz.drawn import Drawn
from proa.api.patch import merge_patch


def one(data: bytes) -> None:
    drawn = Drawn(data)
    document, patch = drawn.json(4), drawn.json(4)
    once = merge_patch(orjson.loads(orjson.dumps(document)), patch)
    encoded = orjson.dumps(once)
    assert orjson.dumps(merge_patch(orjson.loads(encoded), patch)) == encoded, (document, patch)
    if isinstance(patch, dict):
        assert all(key not in once for key, value in patch.items() if value is None)
