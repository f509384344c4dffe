"""Tables carry rows in the shape that clients read."""

from typing import Any, cast

from proa.api.kinds import PODS, ROLES
from proa.api.resource import Column, Resource, ResourceId, Strategy
from proa.apiserver.columns.table import partial_object_metadata_list, to_table

ROLE = {"kind": "Role", "metadata": {"name": "r", "creationTimestamp": "2030-01-01T00:00:00Z"}, "rules": []}


def resource(**rest: Any) -> Resource:
    return Resource(ROLES, cast(Strategy, None), **rest)


def test_a_table_of_a_list() -> None:
    table = to_table(resource(), [ROLE], "Metadata", 0.0, metadata={"resourceVersion": "7", "continue": "", "remainingItemCount": None})
    definitions = table.pop("columnDefinitions")
    assert [(each["name"], each["type"], each["format"], each["priority"]) for each in definitions] == [
        ("Name", "string", "name", 0),
        ("Created At", "date", "", 0),
    ]
    assert table == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "rows": [
            {
                "cells": ["r", "2030-01-01T00:00:00Z"],
                "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ROLE["metadata"]},
            }
        ],
    }


def test_rows_carry_what_was_asked_for() -> None:
    assert to_table(resource(), [ROLE], "Object", 0.0)["rows"][0]["object"] is ROLE
    assert to_table(resource(), [ROLE], "None", 0.0)["rows"][0]["object"] is None


def test_the_older_version_is_said_throughout() -> None:
    table = to_table(resource(), [ROLE], "Metadata", 0.0, version="v1beta1")
    assert (table["apiVersion"], table["rows"][0]["object"]["apiVersion"]) == ("meta.k8s.io/v1beta1", "meta.k8s.io/v1beta1")


def test_later_events_of_a_watch_have_no_headers() -> None:
    assert to_table(resource(), [ROLE], "None", 0.0, headers=False)["columnDefinitions"] is None


def test_a_resource_may_bring_its_own_columns() -> None:
    own = Column("Double", "integer", "", lambda obj, now: now * 2)
    assert to_table(resource(columns=(own,)), [ROLE], "None", 4.0)["rows"] == [{"cells": [8.0], "object": None}]


def test_a_finished_pod_has_a_row_condition() -> None:
    pods = Resource(PODS, cast(Strategy, None))
    rows = to_table(pods, [{"metadata": {"name": "p"}, "status": {"phase": "Succeeded"}}], "None", 0.0)["rows"]
    assert rows[0]["conditions"][0]["reason"] == "Succeeded"


def test_flow_schemas_come_in_the_order_in_which_they_match() -> None:
    schemas = Resource(ResourceId("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "FlowSchema", False), cast(Strategy, None))
    listed = [{"metadata": {"name": name}, "spec": {"matchingPrecedence": rank}} for name, rank in (("c", 9), ("b", 1), ("a", 1))]
    assert [row["cells"][0] for row in to_table(schemas, listed, "None", 0.0)["rows"]] == ["a", "b", "c"]


def test_partial_lists() -> None:
    assert partial_object_metadata_list([ROLE], {"resourceVersion": "7"}) == {
        "kind": "PartialObjectMetadataList",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "items": [{"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ROLE["metadata"]}],
    }
