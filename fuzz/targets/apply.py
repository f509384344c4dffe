"""Server-side apply on objects of the published types: a configuration that is applied again changes nothing, and what managedFields says
of the owners survives being stored."""

import orjson

from fuzz.drawn import Drawn
from proa.api.errors import ApiError
from proa.api.managed_fields.apply import apply
from proa.api.managed_fields.field_set import difference, intersection, members, union
from proa.api.managed_fields.managers import decode_managers, encode_managers
from proa.api.managed_fields.update import update_managed_fields
from proa.api.meta import Object
from proa.api.schema import load_schema
from proa.api.schema_node import SchemaNode

KINDS = (("io.k8s.api.core.v1.Pod", "v1"), ("io.k8s.api.apps.v1.Deployment", "apps/v1"), ("io.k8s.api.core.v1.Service", "v1"),
         ("io.k8s.api.core.v1.ConfigMap", "v1"), ("io.k8s.api.core.v1.Node", "v1"))  # fmt: skip
TIMES = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:03Z")
BAD_KEYS = "failed to create typed patch object"
"""Answered with 500 by upstream too."""


def one(data: bytes) -> None:
    drawn = Drawn(data)
    definition, api_version = drawn.choice(KINDS)
    node = load_schema().node(definition)
    kind = definition.rpartition(".")[2]
    mine, theirs, updated = (_configuration(drawn, node, api_version, kind) for _ in range(3))
    live: Object | None = None
    try:
        if drawn.below(2):
            live = _applied(None, theirs, "theirs", node, api_version, TIMES[0])
            live = _applied(live, mine, "mine", node, api_version, TIMES[1])
        if drawn.below(2):
            updated["metadata"]["managedFields"] = (live or {"metadata": {}})["metadata"].get("managedFields")
            update_managed_fields(live, updated, "updater", api_version=api_version, time=TIMES[2], node=node)
            live = orjson.loads(orjson.dumps(updated))
        once = _applied(live, mine, "mine", node, api_version, TIMES[2])
        twice = _applied(once, mine, "mine", node, api_version, TIMES[3])
    except ApiError as error:
        assert 400 <= error.status_code < 500 or error.message.startswith(BAD_KEYS), error
        return
    assert orjson.dumps(once, option=orjson.OPT_SORT_KEYS) == orjson.dumps(twice, option=orjson.OPT_SORT_KEYS), (live, mine)
    _check_owners(once)


def _configuration(drawn: Drawn, node: SchemaNode, api_version: str, kind: str) -> Object:
    made: Object = drawn.of(node, 7)
    metadata = made.get("metadata") or {}
    metadata.pop("managedFields", None)
    return {**made, "apiVersion": api_version, "kind": kind, "metadata": {**metadata, "name": "x"}}


def _applied(live: Object | None, configuration: Object, manager: str, node: SchemaNode, api_version: str, now: str) -> Object:
    wanted = orjson.loads(orjson.dumps(configuration))
    stored: Object = orjson.loads(orjson.dumps(apply(live, wanted, manager, force=True, node=node, api_version=api_version, now=now)))
    return stored


def _check_owners(obj: Object) -> None:
    managers = decode_managers(obj["metadata"].get("managedFields"))
    assert decode_managers(orjson.loads(orjson.dumps(encode_managers(managers)))) == managers
    for owned in managers.values():
        for other in managers.values():
            ours, theirs = set(members(owned.fields)), set(members(other.fields))
            assert set(members(union(owned.fields, other.fields))) == ours | theirs
            assert set(members(intersection(owned.fields, other.fields))) == ours & theirs
            assert set(members(difference(owned.fields, other.fields))) == ours - theirs
