from collections.abc import Callable

import pytest

from proa.api.resource import Resource
from proa.api.schema import Schema, load_schema
from proa.apiserver.registry.builtin import builtin_resources

Find = Callable[..., Resource]


@pytest.fixture(scope="session")
def schema() -> Schema:
    return load_schema("1.37")


@pytest.fixture(scope="session")
def find(schema: Schema) -> Find:
    """A resource by plural, group and version."""
    table = {(each.id.group, each.id.plural, each.id.version): each for each in builtin_resources(schema)}
    return lambda plural, group="", version="v1": table[group, plural, version]


@pytest.fixture(scope="session")
def find_any(schema: Schema) -> Find:
    """The same among all versions, also those that are off by default."""
    table = {(each.id.group, each.id.plural, each.id.version): each for each in builtin_resources(schema, {"api/all": True})}
    return lambda plural, group="", version="v1": table[group, plural, version]
