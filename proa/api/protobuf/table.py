"""The protobuf form of the API's messages: which number and type each member of an object has, read from two tables beside it."""

import functools
from collections.abc import Mapping
from importlib.resources import files

from proa.lib.dataclass import dataclass

FILES = ("fields.txt", "aggregator_fields.txt")
PREFIXES = {"meta": "io.k8s.apimachinery.pkg.apis.meta.v1"}
PACKAGES = {"": "core", "internal": "apiserverinternal"}
"""Of groups whose package isn't called after their first word."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message. `type` is a scalar's letter or a message's name; the flags are told in fields.txt."""

    name: str
    number: int
    type: str
    is_map: bool
    repeated: bool
    pointer: bool
    always: bool
    inline: bool


Messages = Mapping[str, tuple[Field, ...]]


@functools.cache
def load_messages() -> Messages:
    """Every message by the name of its schema definition ("io.k8s.api.core.v1.Pod")."""
    folder = files("proa.api.protobuf")
    lines = [line for name in FILES for line in folder.joinpath(name).read_text().splitlines()]
    messages = {}
    for line in lines:
        if not line.startswith("#"):
            name, *fields = line.split()
            messages[definition_name(name)] = tuple(_field(field) for field in fields)
    return messages


@functools.cache
def message_name(api_version: str, kind: str) -> str:
    """The definition of a kind's message, "" if there is none: packages are called after the first word of their group."""
    group, _, version = api_version.rpartition("/")
    word = group.partition(".")[0]
    candidates = (
        f"io.k8s.api.{PACKAGES.get(word, word)}.{version}.{kind}",
        f"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{kind}",
        f"io.k8s.kube-aggregator.pkg.apis.apiregistration.{version}.{kind}",
        f"{PREFIXES['meta']}.{kind}",
    )
    return next((name for name in candidates if name in load_messages()), "")


def definition_name(short: str) -> str:
    """`core.v1.Pod` and `meta.ObjectMeta` in full."""
    if short.startswith("io.k8s."):
        return short
    head, _, rest = short.partition(".")
    return f"{PREFIXES[head]}.{rest}" if head in PREFIXES else f"io.k8s.api.{short}"


def _field(text: str) -> Field:
    name, _, rest = text.partition("=")
    head, _, kind = rest.partition(":")
    number = head.rstrip("*!+~")
    flags = head[len(number) :]
    is_map = kind[0] == "m" and kind != "m" and not kind.startswith("meta.")
    kind = kind[1:] if is_map else kind
    full = kind if len(kind) == 1 else definition_name(kind)
    return Field(name, int(number), full, is_map, "+" in flags, "*" in flags, "!" in flags, "~" in flags)
