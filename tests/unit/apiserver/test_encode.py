"""A long list that is made while it is written: the same document as a short one, of the length that was announced."""

import asyncio
import gzip
from typing import Any

import orjson
import pytest

from proa.api.resource import Resource
from proa.api.schema import Schema, load_schema
from proa.apiserver.compression import compress
from proa.apiserver.encode import LAZY_FROM, list_body
from proa.apiserver.negotiation import PLAIN
from proa.apiserver.registry.builtin import builtin_resources
from proa.apiserver.served import ServedResource
from proa.apiserver.table import Tabulator
from proa.lib.http.message import LongBody, Response
from proa.storage.entry import CachedEntry, encode, with_revision
from proa.storage.interface import Listing

Object = dict[str, Any]


@pytest.fixture(scope="module")
def served() -> ServedResource:
    schema: Schema = load_schema("1.37")
    found: Resource = next(each for each in builtin_resources(schema) if each.id.plural == "configmaps")
    return ServedResource(found, lambda: schema.node(found.definition))


def entry(number: int) -> CachedEntry:
    """Every third lies in the store with its type behind, as nobody writes it any more."""
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"item-{number}"}, "data": {"text": "ä" * number}}
    value = with_revision(encode(obj), number) if number % 3 else orjson.dumps(dict(reversed(obj.items())))
    return CachedEntry(f"default/item-{number}", number, value, {}, {})


def no_table() -> Tabulator:
    raise AssertionError("no table was asked for")


def body(served: ServedResource, count: int) -> Any:
    return asyncio.run(list_body(served, Listing([entry(number) for number in range(count)], 7, "", None), PLAIN, no_table))


@pytest.mark.parametrize("count", [0, 1, LAZY_FROM, LAZY_FROM + 1, LAZY_FROM * 2 + 77])
def test_a_list_has_all_its_items_and_the_length_that_is_told(served: ServedResource, count: int) -> None:
    made = body(served, count)
    whole = b"".join(made)
    document = orjson.loads(whole)
    assert isinstance(made, LongBody) == (count > LAZY_FROM)
    assert (document["kind"], document["metadata"]) == ("ConfigMapList", {"resourceVersion": "7"})
    assert [item["metadata"]["name"] for item in document["items"]] == [f"item-{number}" for number in range(count)]
    if isinstance(made, LongBody):
        assert (made.size, b"".join(made)) == (len(whole), whole)


def test_a_long_list_is_compressed_as_it_is_made(served: ServedResource) -> None:
    made = body(served, LAZY_FROM * 2)
    response = Response(200, {}, made)
    asyncio.run(compress(response))
    assert response.headers["content-encoding"] == "gzip"
    assert gzip.decompress(b"".join(response.body)) == b"".join(made)  # type: ignore[arg-type]
