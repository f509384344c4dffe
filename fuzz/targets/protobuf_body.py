"""Protobuf: a body, or the bare message of a kind that the first byte names; what is read can be written, and then is the same."""

import orjson

from fuzz.drawn import Drawn
from proa.api.errors import BadRequest
from proa.api.protobuf.codec import ProtobufError, decode, encode
from proa.api.protobuf.envelope import MAGIC, definition_of, wrap
from proa.api.protobuf.special import SPECIAL
from proa.api.protobuf.table import load_messages
from proa.apiserver.decode import parse_body

KINDS = (
    ("v1", "Pod"), ("apps/v1", "Deployment"), ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Service"), ("v1", "Node"), ("v1", "Event"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("networking.k8s.io/v1", "NetworkPolicy"), ("v1", "DeleteOptions"),
    ("batch/v1", "CronJob"), ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
    ("apps/v1", "ControllerRevision"), ("v1", "PersistentVolume"), ("resource.k8s.io/v1", "ResourceSlice"), ("v1", "Status"),
)  # fmt: skip
MESSAGES = sorted(load_messages().keys() - SPECIAL.keys())
"""Those that are objects: a time, a quantity or an int-or-string is a value and never stands alone."""


def one(data: bytes) -> None:
    if data.startswith(MAGIC):
        _body(data)
        return
    drawn = Drawn(data)
    if drawn.below(2):
        api_version, kind = drawn.choice(KINDS)
        _body(wrap(api_version, kind, drawn.rest()))
    else:
        _message(drawn.choice(MESSAGES), drawn.rest())


def _body(data: bytes) -> None:
    try:
        obj = parse_body(data, "application/vnd.kubernetes.protobuf").value
    except BadRequest:
        return
    orjson.dumps(obj)
    definition_of(obj["apiVersion"], obj["kind"])


def _message(definition: str, data: bytes) -> None:
    try:
        obj = decode(definition, data)
    except ProtobufError:
        return
    orjson.dumps(obj)
    again = decode(definition, encode(definition, obj))
    assert again == obj, (obj, again)
