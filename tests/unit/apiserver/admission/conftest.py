"""Attributes of a write, and how a plugin's answer to it is told."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from proa.api.errors import ApiError
from proa.api.resource import Resource, ResourceId
from proa.apiserver.interface import AdmissionPlugin, Attributes, User

Make = Callable[..., Attributes]
Ask = Callable[[AdmissionPlugin, Attributes], str]


@pytest.fixture
def attributes() -> Make:
    def make(operation: str, plural: str, obj: Any = None, **more: Any) -> Attributes:
        group, _, name = plural.rpartition("/")
        identity = ResourceId(group, "v1", name, "Kind", True)
        values: dict[str, Any] = {"subresource": "", "namespace": "", "name": "", "user": User("jane"), "old_object": None} | more
        return Attributes(operation, Resource(identity, strategy=None), object=obj, **values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def ask() -> Ask:
    """ "" if both rounds pass, else `code message`."""

    def run(plugin: AdmissionPlugin, attributes: Attributes) -> str:
        async def both() -> None:
            await plugin.admit(attributes)
            await plugin.validate(attributes)

        try:
            asyncio.run(both())
        except ApiError as error:
            return f"{error.status_code} {error.message}"
        return ""

    return run
