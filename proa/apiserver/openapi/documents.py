"""The encoded OpenAPI documents of one set of resources, each made when first asked for and kept with its entity tag.

The owner makes a new `OpenApiDocuments` when the resources change (a CustomResourceDefinition came or went); an instance never does.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from proa.api.resource import Resource
from proa.api.schema import Schema
from proa.apiserver.openapi.custom import without_v3
from proa.apiserver.openapi.operations import Operation, operations_by_document
from proa.apiserver.openapi.v2 import Document, openapi_v2
from proa.apiserver.openapi.v3 import digest, openapi_v3, openapi_v3_index
from proa.lib.dataclass import dataclass

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Clients ask for `spec.v2@v1.0`; as a header of an answer that is no media type to Go, so the answer has a dot."""
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class EncodedDocument:
    body: bytes
    etag: str
    content_type: str = JSON


class ForeignDocuments(Protocol):
    """`v2` as `foreign.only` leaves it, `index_entry` the URL of the v3 document, which is answered elsewhere."""

    v2: dict[str, Any] | None

    @property
    def document_path(self) -> str: ...

    @property
    def index_entry(self) -> str: ...


class OpenApiDocuments:
    """`version` is the server's, "v1.37.0"; `custom_definitions` are the schemas of custom resources, by the names their resources use;
    `foreign` is what other servers say of their group versions."""

    def __init__(
        self, resources: Sequence[Resource], schema: Schema, version: str, custom_definitions: Mapping[str, Any] | None = None,
        foreign: Sequence[ForeignDocuments] = (),
    ) -> None:  # fmt: skip
        self._resources = resources
        self._custom = dict(custom_definitions or {})
        self._definitions: dict[str, Any] = schema.definitions | self._custom
        self._version = version
        self._foreign = foreign
        self._v3: dict[str, EncodedDocument] = {}

    @functools.cached_property
    def v2_json(self) -> EncodedDocument:
        return _encoded(orjson.dumps(self._v2()), JSON)

    @functools.cached_property
    def v2_protobuf(self) -> EncodedDocument:
        from proa.apiserver.openapi.gnostic import encode_v2

        return _encoded(encode_v2(self._v2()), V2_PROTOBUF)

    def v2(self, accept: str) -> EncodedDocument:
        """What /openapi/v2 answers to that Accept header: protobuf only where it is named."""
        return self.v2_protobuf if "com.github.proto-openapi.spec.v2" in accept else self.v2_json

    @functools.cached_property
    def hashes(self) -> Mapping[str, str]:
        """The hash that each v3 document's URL carries: {"apis/apps/v1": "9A3B..."}."""
        return {path: digest(own, self._definitions, self._version) for path, own in self._by_path.items()}

    @functools.cached_property
    def v3_index(self) -> EncodedDocument:
        index = openapi_v3_index(self.hashes)
        index["paths"] |= {each.document_path: {"serverRelativeURL": each.index_entry} for each in self._foreign if each.index_entry}
        return _encoded(orjson.dumps(index), JSON)

    def v3(self, path: str) -> EncodedDocument | None:
        """What /openapi/v3/PATH answers ("api/v1", "apis/apps/v1"); None for a path without a document."""
        document = self._v3.get(path)
        if document is None and path in self._by_path:
            body = orjson.dumps(openapi_v3(self._by_path[path], self._definitions, self._version))
            document = self._v3[path] = EncodedDocument(body, f'"{self.hashes[path]}"')
        return document

    @functools.cached_property
    def _by_path(self) -> Mapping[str, Sequence[Operation]]:
        return operations_by_document(self._resources)

    def _v2(self) -> Document:
        every = [operation for listed in self._by_path.values() for operation in listed]
        definitions = self._definitions | {name: without_v3(each) for name, each in self._custom.items()}
        own = openapi_v2(every, definitions, self._version)
        others = [each.v2 for each in self._foreign if each.v2 is not None]
        if not others:
            return own
        from proa.apiserver.openapi.foreign import joined

        return joined(own, others)


def _encoded(body: bytes, content_type: str) -> EncodedDocument:
    return EncodedDocument(body, f'"{hashlib.sha512(body).hexdigest().upper()}"', content_type)
