"""The events of a watch as bytes, in each form that an answer can take; an entry's own bytes are those that the cache holds."""

from collections.abc import Callable

import orjson

from proa.api.errors import ApiError
from proa.api.meta import Object
from proa.apiserver.call import Call
from proa.apiserver.encode import partial_metadata
from proa.apiserver.negotiation import CBOR, PROTOBUF, Encoding
from proa.apiserver.served import ServedResource
from proa.apiserver.table import Tabulator
from proa.storage.interface import Entry

INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Frame = Callable[[str, Entry], bytes]


def error_frame(error: ApiError, encoding: Encoding) -> bytes:
    return object_frame("ERROR", error.to_status(), encoding)


def object_frame(type_: str, obj: Object, encoding: Encoding) -> bytes:
    """An event about what is not in the store."""
    if encoding.media_type == PROTOBUF:
        from proa.apiserver import protobuf_body

        return protobuf_body.object_frame(type_, obj)
    if encoding.media_type == CBOR:
        from proa.api import cbor

        return cbor.event(type_, cbor.encode(obj))
    return b'{"type":"%b","object":%b}\n' % (type_.encode(), orjson.dumps(obj))


def framer(call: Call, encoding: Encoding) -> Frame:
    served = call.served
    if encoding.media_type == PROTOBUF:
        from proa.apiserver.protobuf_body import event_frame

        return event_frame(served, encoding)
    if encoding.media_type == CBOR:
        return _cbor_framer(served, encoding)
    if encoding.form == "Table":
        return _TableFrames(served, call.tabulator())
    if encoding.form:
        return lambda type_, entry: b'{"type":"%b","object":%b}\n' % (type_.encode(), partial_metadata(entry, encoding.version))
    if served.converts:
        return lambda type_, entry: b'{"type":"%b","object":%b}\n' % (type_.encode(), served.value(entry))
    return plain_frame


def _cbor_framer(served: ServedResource, encoding: Encoding) -> Frame:
    from proa.api import cbor

    if encoding.form:
        made = lambda entry: cbor.encode(orjson.loads(partial_metadata(entry, encoding.version)))  # noqa: E731
    else:
        made = lambda entry: cbor.encode(served.decode(entry), served.schema)  # noqa: E731
    variant = encoding.form or served.resource.id.api_version, encoding.version, "cbor"
    return lambda type_, entry: cbor.event(type_, entry.encoded(variant, made))


_HEADS = {type_: b'{"type":"%b","object":' % type_.encode() for type_ in ("ADDED", "MODIFIED", "DELETED")}


def plain_frame(type_: str, entry: Entry) -> bytes:
    return _HEADS[type_] + entry.value + b"}\n"


class _TableFrames:
    """Each event is a Table of one row; the columns are named only once."""

    def __init__(self, served: ServedResource, tabulator: Tabulator) -> None:
        self._served = served
        self._tabulator = tabulator
        self._first = True

    def __call__(self, type_: str, entry: Entry) -> bytes:
        document = self._tabulator.document([self._served.decode(entry)], {"resourceVersion": str(entry.revision)}, headers=self._first)
        self._first = False
        return b'{"type":"%b","object":%b}\n' % (type_.encode(), orjson.dumps(document))


def bookmark(served: ServedResource, encoding: Encoding, revision: int, *, initial_end: bool = False) -> bytes:
    metadata: dict[str, object] = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial_end:
        metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
    identity = served.resource.id
    obj: dict[str, object] = {"kind": identity.kind, "apiVersion": identity.api_version, "metadata": metadata}
    if encoding.form == "Table":
        obj = {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": str(revision)},
            "columnDefinitions": [],
            "rows": [],
        }
        if initial_end:
            obj["rows"] = [{"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}}]
    elif encoding.form:
        obj["kind"], obj["apiVersion"] = "PartialObjectMetadata", f"meta.k8s.io/{encoding.version}"
    return object_frame("BOOKMARK", obj, encoding)
