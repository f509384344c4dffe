"""What form an answer takes: the Accept header (JSON, YAML, protobuf; plain, Table or PartialObjectMetadata) and `pretty`.

A clause that can't be met (protobuf for a kind without a message, a Table in protobuf) is passed over; who offers nothing else gets 406.
"""

from functools import lru_cache
from typing import Literal

from proa.api.errors import NotAcceptable
from proa.api.meta import Object
from proa.api.protobuf.table import load_messages, message_name
from proa.lib.dataclass import dataclass
from proa.lib.http.message import Request
from proa.lib.remembered import LONGEST

Form = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]
JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
CBOR, CBOR_SEQUENCE = "application/cbor", "application/cbor-seq"
CBOR_ALLOWED = "cbor"
"""In a request's state: the feature gate is on."""
META_GROUP = "meta.k8s.io"
SUPPORTED = f"{JSON}, {YAML}, {PROTOBUF}"
STREAMS_SUPPORTED = f"{JSON};stream=watch, {PROTOBUF};stream=watch"


@dataclass(frozen=True, slots=True)
class Encoding:
    """`form` "" is the object itself; `version` is meta.k8s.io's for the other forms."""

    media_type: str = JSON
    form: Form = ""
    version: str = "v1"
    pretty: bool = False

    @property
    def is_plain(self) -> bool:
        return not self.form and not self.pretty and self.media_type == JSON


PLAIN = Encoding()
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


def negotiate(request: Request, *, watching: bool = False, definition: str = "") -> Encoding:
    """The form that this request wants; raises NotAcceptable. `definition` is that of the answer's kind, which may have a message."""
    accept = request.headers.get("accept", "")
    has_message = "protobuf" in accept and definition in load_messages()
    choose = _choose if len(accept) <= LONGEST else _choose.__wrapped__
    return choose(accept, _wants_pretty(request), watching, has_message, "cbor" in accept and CBOR_ALLOWED in request.state)


def negotiate_for(request: Request, obj: Object) -> Encoding:
    """The same for an object that is at hand and shown as it is, whatever resource it came from (Status, Scale)."""
    speaks = "protobuf" in request.headers.get("accept", "")
    definition = message_name(obj.get("apiVersion", ""), obj.get("kind", "")) if speaks else ""
    encoding = negotiate(request, definition=definition)
    return PLAIN if encoding.media_type == PROTOBUF and not definition else encoding


def _wants_pretty(request: Request) -> bool:
    asked = request.query.get("pretty")
    if asked is not None:
        return asked[0] not in ("false", "0")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)


@lru_cache(512)
def _choose(accept: str, pretty: bool, watching: bool, has_message: bool, has_cbor: bool) -> Encoding:
    for media_type, parameters in _by_quality(accept):
        form = parameters.get("as", "")
        version = parameters.get("v", "v1")
        if form and (parameters.get("g", META_GROUP) != META_GROUP or version not in ("v1", "v1beta1") or not _is_form(form)):
            continue
        if parameters.get("stream", "") not in ("", "watch"):
            continue
        if media_type in ("*/*", "application/*", JSON) or (not media_type and not form):
            indented = (pretty or parameters.get("pretty") == "1") and not watching
            return Encoding(JSON, form, version, indented)  # type: ignore[arg-type]
        if media_type == YAML:
            if watching:
                raise NotAcceptable(f"only the following media types are accepted: {STREAMS_SUPPORTED}")
            return Encoding(YAML, form, version)  # type: ignore[arg-type]
        if media_type == PROTOBUF and form != "Table" and (form or has_message):
            return Encoding(PROTOBUF, form, version)  # type: ignore[arg-type]
        if has_cbor and form != "Table" and media_type in ((CBOR, CBOR_SEQUENCE) if watching else (CBOR,)):
            return Encoding(CBOR, form, version)  # type: ignore[arg-type]
    raise NotAcceptable(f"only the following media types are accepted: {SUPPORTED}")


def _is_form(form: str) -> bool:
    return form in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


def _by_quality(accept: str) -> list[tuple[str, dict[str, str]]]:
    """Media ranges with their parameters, best first: by quality, then what is named before what is a wildcard, then the client's order."""
    ranges: list[tuple[float, str, dict[str, str]]] = []
    for clause in accept.split(",") if accept.strip() else ["*/*"]:
        media_type, *parameters = (part.strip() for part in clause.split(";"))
        pairs = {key.strip().lower(): value.strip() for key, _, value in (each.partition("=") for each in parameters)}
        try:
            quality = float(pairs.pop("q", "1"))
        except ValueError:
            quality = 0.0
        if quality > 0:
            ranges.append((quality, media_type.lower(), pairs))
    ranges.sort(key=lambda each: (-each[0], each[1].startswith("*"), each[1].endswith("*")))
    return [(media_type, pairs) for _, media_type, pairs in ranges]
