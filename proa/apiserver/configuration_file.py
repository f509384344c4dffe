"""Configuration files of apiserver.config.k8s.io: read strictly, as a member that nobody heeds is worse than none, and followed as they
change.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from proa.api.meta import Object
from proa.lib.clock import Clock

GROUP = "apiserver.config.k8s.io"
POLL_SECONDS = 1.0
Members = Mapping[str, Any]
"""Member names of an object: None for a plain value, a mapping for an object, a list with one mapping for a list of objects."""
log = logging.getLogger(__name__)


def read_configuration(text: str, kind: str, versions: Collection[str], members: Members) -> Object:
    """The document, if it is of this kind and has no other members. Raises ValueError."""
    import yaml

    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(f"couldn't read the configuration: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("Object 'Kind' is missing in the configuration")
    group, _, version = str(document.get("apiVersion", "")).partition("/")
    if document.get("kind") != kind or group != GROUP or version not in versions:
        told = f'"{document.get("kind", "")}" in version "{document.get("apiVersion", "")}"'
        raise ValueError(f"no kind {told} is registered; expected {kind} of {', '.join(f'{GROUP}/{each}' for each in versions)}")
    unknown = list(unknown_members(document, {"apiVersion": None, "kind": None, **members}, ""))
    if unknown:
        listed = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise ValueError(f"strict decoding error: {listed}")
    return document


def unknown_members(value: Any, members: Any, path: str) -> list[str]:
    """Paths of members that aren't known. Raises ValueError for a value of the wrong shape."""
    if members is None or value is None:
        return []
    if isinstance(members, list):
        if not isinstance(value, list):
            raise ValueError(f'"{path}" must be a list')
        return [found for index, each in enumerate(value) for found in unknown_members(each, members[0], f"{path}[{index}]")]
    if not isinstance(value, dict):
        raise ValueError(f'"{path}" must be an object')
    found: list[str] = []
    for name, each in value.items():
        where = f"{path}.{name}" if path else str(name)
        found += [where] if name not in members else unknown_members(each, members[name], where)
    return found


def seconds(text: str) -> float:
    """A metav1.Duration, as Go writes it: "30s", "1m30s". Raises ValueError."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", str(text))
    if not parts or "".join(map("".join, parts)) != text:
        if text == "0":
            return 0.0
        raise ValueError(f'time: invalid duration "{text}"')
    return sum(float(count) * units[unit] for count, unit in parts)


async def follow(path: Path, known: bytes, apply: Callable[[str], None], clock: Clock) -> None:
    """`apply` the file's text each time it has changed; a text that raises ValueError is reported and the old one stays in force."""
    while True:
        await clock.sleep(POLL_SECONDS)
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            log.warning("%s can't be read, what was read before stays in force: %s", path, error)
            continue
        if content == known:
            continue
        known = content
        try:
            apply(content.decode())
        except ValueError as error:
            log.error("%s is not valid, what was read before stays in force: %s", path, error)
        else:
            log.info("%s has changed and is in force", path)
