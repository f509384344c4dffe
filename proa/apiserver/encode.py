"""Answers as bytes: plain JSON is concatenated from what the cache holds; Table, PartialObjectMetadata, YAML and protobuf are made of it.

A list is pieces of bytes, so that 30,000 objects are written without being copied into one body first. Items of a list carry neither
kind nor apiVersion, as upstream's typed lists don't.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter

import orjson

from proa.api.meta import Object
from proa.api.schema_node import SchemaNode
from proa.apiserver.negotiation import CBOR, JSON, PROTOBUF, YAML, Encoding
from proa.apiserver.served import ServedResource
from proa.apiserver.table import Tabulator
from proa.lib.http.message import LongBody
from proa.storage.interface import Entry, Listing

BATCH = 128
LAZY_FROM = 512
"""Objects from which on a list is made while it is written; a smaller one is at hand at once."""
LIST_END = b"]}\n"
PARTIAL_VARIANT = "PartialObjectMetadata"


def to_media(body: Object, encoding: Encoding, node: SchemaNode | None = None) -> bytes:
    """Any document in the asked media type; `node` is the shape of its kind, where it is known."""
    if encoding.media_type == YAML:
        import yaml

        return yaml.safe_dump(body, sort_keys=False, allow_unicode=True).encode()
    if encoding.media_type == PROTOBUF:
        from proa.apiserver.protobuf_body import document

        return document(body)
    if encoding.media_type == CBOR:
        from proa.api import cbor

        return cbor.encode(body, node)
    if encoding.pretty:
        return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _transcode(document: bytes, encoding: Encoding, node: SchemaNode | None = None) -> bytes:
    if encoding.media_type == JSON and not encoding.pretty:
        return document + b"\n"
    return to_media(orjson.loads(document), encoding, node)


def partial_metadata(entry: Entry, version: str = "v1") -> bytes:
    """The object as PartialObjectMetadata, memoised in the entry."""
    return entry.encoded((PARTIAL_VARIANT, version), lambda each: partial_of(each.decode(), version))


def partial_of(obj: Object, version: str = "v1") -> bytes:
    head = {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj.get("metadata") or {}}
    return orjson.dumps(head)


def entry_body(served: ServedResource, entry: Entry, encoding: Encoding, tables: Callable[[], Tabulator]) -> bytes:
    """One stored object."""
    if encoding.is_plain:
        return served.value(entry) + b"\n"
    if encoding.media_type == PROTOBUF:
        from proa.apiserver.protobuf_body import entry_document

        return entry_document(served, entry, encoding)
    if encoding.form == "Table":
        tabulator = tables()
        document = tabulator.document([served.decode(entry)], {"resourceVersion": str(entry.revision)})
        return to_media(document, encoding)
    if encoding.form:
        return _transcode(partial_metadata(entry, encoding.version), encoding)
    return _transcode(served.value(entry), encoding, served.schema)


def object_body(
    obj: Object, encoding: Encoding, tables: Callable[[], Tabulator] | None = None, node: SchemaNode | None = None
) -> bytes:  # fmt: skip
    """One object that is not (or not as such) in the store."""
    if encoding.form == "Table" and tables is not None:
        version = (obj.get("metadata") or {}).get("resourceVersion", "")
        return to_media(tables().document([obj], {"resourceVersion": version}), encoding)
    if encoding.form and tables is not None:
        return _transcode(partial_of(obj, encoding.version), encoding)
    return to_media(obj, encoding, node)


def list_metadata(listing: Listing) -> Object:
    metadata: Object = {"resourceVersion": str(listing.revision)}
    if listing.continue_token:
        metadata["continue"] = listing.continue_token
        if listing.remaining:
            metadata["remainingItemCount"] = listing.remaining
    return metadata


LARGE_ITEM = 64 * 1024
"""Bytes of an item that is a piece of its own."""
LAZY_SIZE = 1 << 20
"""Bytes of a list whose pieces are made while it is written, however few its items are."""


async def list_body(
    served: ServedResource, listing: Listing, encoding: Encoding, tables: Callable[[], Tabulator]
) -> bytes | list[bytes] | LongBody:  # fmt: skip
    """What takes long per object (tables) lets other requests pass in between."""
    if encoding.is_plain:
        return _list_pieces(served, listing)
    if encoding.media_type == PROTOBUF:
        from proa.apiserver.protobuf_body import list_pieces

        return await list_pieces(served, listing.entries, list_metadata(listing), encoding)
    if encoding.form == "Table":
        return to_media(await _table(served, listing, tables()), encoding)
    if encoding.form:
        return _partial_list(listing, encoding)
    document = b"".join(_list_pieces(served, listing))
    if encoding.media_type == CBOR:
        from proa.api import cbor

        return cbor.encode_list(orjson.loads(document), served.schema)
    return _transcode(document, encoding)


async def _table(served: ServedResource, listing: Listing, tabulator: Tabulator) -> Object:
    entries = listing.entries
    document = tabulator.document(map(served.decode, entries[:BATCH]), list_metadata(listing))
    for start in range(BATCH, len(entries), BATCH):
        await asyncio.sleep(0)
        more = tabulator.document(map(served.decode, entries[start : start + BATCH]), {}, headers=False)
        document["rows"] += more["rows"]
    return document


def _list_pieces(served: ServedResource, listing: Listing) -> list[bytes] | LongBody:
    head = served.list_head + orjson.dumps(list_metadata(listing))[1:] + b',"items":['
    entries, prefix = listing.entries, served.item_prefix
    if not served.converts and (len(entries) > LAZY_FROM or sum(len(entry.value) for entry in entries) > LAZY_SIZE):
        return LongBody(_list_size(head, entries, prefix), lambda: _list_parts(head, [entry.value for entry in entries], prefix))
    return list(_list_parts(head, [served.value(entry) for entry in entries], prefix))


def _list_parts(head: bytes, values: Sequence[bytes], prefix: bytes) -> Iterator[bytes]:
    yield head
    yield from _joined(values, prefix)
    yield LIST_END


def _list_size(head: bytes, entries: Sequence[Entry], prefix: bytes) -> int:
    """Each item loses its prefix (or its brace), gets a brace back, and all but one get a comma."""
    cut = len(prefix)
    items = sum([len(value) - (cut if value.startswith(prefix) else 1) for value in map(attrgetter("value"), entries)])
    return len(head) + items + 2 * len(entries) - 1 + len(LIST_END)


def _joined(values: Sequence[bytes], prefix: bytes) -> Iterator[bytes]:
    """Values without their common prefix, separated by commas, some per piece."""
    cut = len(prefix)
    opening = b"{"
    together = BATCH if max(map(len, values), default=0) <= LARGE_ITEM else 1
    for start in range(0, len(values), together):
        batch = [value[cut:] if value.startswith(prefix) else value[1:] for value in values[start : start + together]]
        yield opening + b",{".join(batch)
        opening = b",{"


def _partial_list(listing: Listing, encoding: Encoding) -> bytes:
    version = encoding.version.encode()
    metadata = orjson.dumps(list_metadata(listing))
    items = b",".join([partial_metadata(entry, encoding.version) for entry in listing.entries])
    document = b'{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/%b","metadata":%b,"items":[%b]}' % (version, metadata, items)
    return _transcode(document, encoding)
