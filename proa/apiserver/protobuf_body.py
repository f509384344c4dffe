"""Answers in protobuf: each object's message is made once per version and kept in its entry, lists and watch events are made of those.

Loaded when the first client asks for it. Only kinds with a published message come here; every object can be shown as
PartialObjectMetadata. Tables have no protobuf form.
"""

import asyncio
from collections.abc import Callable, Sequence

from proa.api.meta import Object
from proa.api.protobuf.codec import encode
from proa.api.protobuf.envelope import definition_of, encode_list, encode_partial_list_v1beta1, watch_frame, wrap, wrap_pieces
from proa.api.protobuf.special import META
from proa.apiserver.negotiation import META_GROUP, Encoding
from proa.apiserver.served import ServedResource
from proa.storage.interface import Entry

BATCH = 64
PARTIAL = "PartialObjectMetadata"
Raw = Callable[[Entry], bytes]


def document(obj: Object) -> bytes:
    """Any object whose kind has a message; discovery of the core group comes without an apiVersion."""
    api_version, kind = obj.get("apiVersion", ""), obj["kind"]
    return wrap(api_version, kind, encode(definition_of(api_version, kind), obj))


def raw_of(served: ServedResource, encoding: Encoding) -> Raw:
    """What makes an entry's bare message in the asked form."""
    if encoding.form:
        return partial_message
    variant = served.resource.id.api_version, "protobuf"

    def made(entry: Entry) -> bytes:
        return encode(served.resource.definition, served.decode(entry))

    return lambda entry: entry.encoded(variant, made)


def partial_message(entry: Entry) -> bytes:
    return entry.encoded((PARTIAL, "protobuf"), _partial)


def _partial(entry: Entry) -> bytes:
    return encode(f"{META}.{PARTIAL}", {"metadata": entry.decode().get("metadata") or {}})


def type_of(served: ServedResource, encoding: Encoding, suffix: str = "") -> tuple[str, str]:
    """(apiVersion, kind) of an answer."""
    if encoding.form:
        return f"{META_GROUP}/{encoding.version}", PARTIAL + suffix
    return served.resource.id.api_version, served.resource.id.kind + suffix


def entry_document(served: ServedResource, entry: Entry, encoding: Encoding) -> bytes:
    return wrap(*type_of(served, encoding), raw_of(served, encoding)(entry))


async def list_pieces(served: ServedResource, entries: Sequence[Entry], metadata: Object, encoding: Encoding) -> list[bytes]:
    """Other requests pass in between, as a message that nobody has asked for yet takes its time."""
    raw, messages = raw_of(served, encoding), []
    for start in range(0, len(entries), BATCH):
        if start:
            await asyncio.sleep(0)
        messages += [raw(entry) for entry in entries[start : start + BATCH]]
    swapped = encoding.form and encoding.version == "v1beta1"
    pieces = encode_partial_list_v1beta1(metadata, messages) if swapped else encode_list(metadata, messages)
    return list(wrap_pieces(*type_of(served, encoding, "List"), pieces, sum(map(len, pieces))))


def event_frame(served: ServedResource, encoding: Encoding) -> Callable[[str, Entry], bytes]:
    """What makes one event of a watch."""
    raw, (api_version, kind) = raw_of(served, encoding), type_of(served, encoding)
    return lambda type_, entry: watch_frame(type_, wrap(api_version, kind, raw(entry)))


def object_frame(type_: str, obj: Object) -> bytes:
    """One event about an object that is not in the store: a bookmark, an error."""
    return watch_frame(type_, document(obj))
