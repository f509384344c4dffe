"""Discovery documents are what clients of each generation read."""

from typing import cast

import pytest

from proa.api.kinds import DEPLOYMENTS, EVENTS, PODS, SUBJECT_ACCESS_REVIEWS
from proa.api.resource import ALL_VERBS, Resource, ResourceId, Strategy, Subresource
from proa.apiserver.discovery.aggregated import api_group_discovery_list, content_type, etag, wanted_form
from proa.apiserver.discovery.documents import api_group, api_group_list, api_resource_list, api_versions
from proa.apiserver.discovery.groups import order_versions
from proa.apiserver.negotiation import JSON, PROTOBUF

NO_STRATEGY = cast(Strategy, None)
ALL = sorted(ALL_VERBS)
STATUS = ("get", "patch", "update")


def resource(id_: ResourceId, *subresources: Subresource, **rest: object) -> Resource:
    return Resource(id_, NO_STRATEGY, subresources={each.name: each for each in subresources}, **rest)  # type: ignore[arg-type]


RESOURCES = [
    resource(ResourceId("example.com", "v1beta1", "widgets", "Widget", False), storage_version="v1"),
    resource(ResourceId("example.com", "v1", "widgets", "Widget", False)),
    resource(ResourceId("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True)),
    resource(ResourceId("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True)),
    resource(SUBJECT_ACCESS_REVIEWS, verbs=("create",), virtual=True),
    resource(
        DEPLOYMENTS,
        Subresource("status", "Deployment", STATUS),
        Subresource("scale", "Scale", STATUS, "autoscaling", "v1"),
        short_names=("deploy",),
        categories=("all",),
    ),
    resource(EVENTS, short_names=("ev",)),
    resource(PODS, Subresource("log", "Pod", ("get",)), short_names=("po",), categories=("all",)),
]


def test_the_core_group_has_its_own_document() -> None:
    assert api_versions("10.0.0.1:6443") == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}],
    }


def test_groups_come_in_order_of_preference() -> None:
    document = api_group_list(RESOURCES)
    assert [group["name"] for group in document["groups"]] == ["apps", "authorization.k8s.io", "autoscaling", "example.com"]
    assert document["groups"][2] == {
        "name": "autoscaling",
        "versions": [{"groupVersion": "autoscaling/v2", "version": "v2"}, {"groupVersion": "autoscaling/v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "autoscaling/v2", "version": "v2"},
    }


def test_one_group() -> None:
    assert api_group(RESOURCES, "apps") == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "apps",
        "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
    }
    assert api_group(RESOURCES, "nothing.io") is None


def test_the_resources_of_the_core_group() -> None:
    assert api_resource_list(RESOURCES, "", "v1") == {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {"name": "events", "singularName": "event", "namespaced": True, "kind": "Event", "verbs": ALL, "shortNames": ["ev"],
             "storageVersionHash": "r2yiGXH7wu8="},
            {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ALL, "shortNames": ["po"],
             "categories": ["all"], "storageVersionHash": "xPOwRZ+Yhw8="},
            {"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]},
        ],
    }  # fmt: skip


def test_the_resources_of_a_named_group() -> None:
    document = api_resource_list(RESOURCES, "apps", "v1")
    assert document is not None
    assert (document["apiVersion"], document["groupVersion"]) == ("v1", "apps/v1")
    assert document["resources"][0]["storageVersionHash"] == "8aSe+NMegvE="
    assert document["resources"][1:] == [
        {
            "name": "deployments/scale",
            "singularName": "",
            "namespaced": True,
            "group": "autoscaling",
            "version": "v1",
            "kind": "Scale",
            "verbs": ["get", "patch", "update"],
        },
        {"name": "deployments/status", "singularName": "", "namespaced": True, "kind": "Deployment", "verbs": ["get", "patch", "update"]},
    ]
    assert api_resource_list(RESOURCES, "apps", "v2") is None


def test_what_is_not_stored_has_no_storage_hash() -> None:
    document = api_resource_list(RESOURCES, "authorization.k8s.io", "v1")
    assert document is not None
    assert "storageVersionHash" not in document["resources"][0]


def test_versions_of_one_kind_share_the_storage_hash() -> None:
    beta, stable = (api_resource_list(RESOURCES, "example.com", version) for version in ("v1beta1", "v1"))
    assert beta is not None
    assert stable is not None
    assert beta["resources"][0]["storageVersionHash"] == stable["resources"][0]["storageVersionHash"]


def test_aggregated_discovery_of_the_core_group() -> None:
    assert api_group_discovery_list(RESOURCES[-1:], core=True) == {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [
            {
                "metadata": {"creationTimestamp": None},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {
                                "resource": "pods",
                                "responseKind": {"group": "", "version": "v1", "kind": "Pod"},
                                "scope": "Namespaced",
                                "singularResource": "pod",
                                "verbs": ALL,
                                "shortNames": ["po"],
                                "categories": ["all"],
                                "subresources": [
                                    {"subresource": "log", "responseKind": {"group": "", "version": "v1", "kind": "Pod"}, "verbs": ["get"]}
                                ],
                            }
                        ],
                        "freshness": "Current",
                    }
                ],
            }
        ],
    }


def test_aggregated_discovery_of_the_named_groups() -> None:
    document = api_group_discovery_list(RESOURCES, core=False, version="v2beta1")
    assert document["apiVersion"] == "apidiscovery.k8s.io/v2beta1"
    assert [item["metadata"]["name"] for item in document["items"]] == ["apps", "authorization.k8s.io", "autoscaling", "example.com"]
    deployments = document["items"][0]["versions"][0]["resources"][0]
    assert deployments["subresources"][0]["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


V2, V2BETA1 = content_type(JSON, "v2"), content_type(JSON, "v2beta1")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (f"{V2},{V2BETA1},application/json", (JSON, "v2")),
        (f"{V2BETA1},application/json", (JSON, "v2beta1")),
        (content_type(JSON, "v3") + "," + V2BETA1, (JSON, "v2beta1")),
        ("application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", (JSON, "v2")),
        (f"application/json, {V2}", None),
        (f"text/plain, {V2}", (JSON, "v2")),
        (f"{PROTOBUF}, {V2}", None),
        (f"{content_type(PROTOBUF, 'v2')}, {V2}", (PROTOBUF, "v2")),
        ("*/*", None),
        ("", None),
    ],
)
def test_what_a_client_asks_for(accept: str, expected: tuple[str, str] | None) -> None:
    assert wanted_form(accept) == expected


def test_entity_tags_follow_the_content() -> None:
    assert etag(b"a") == etag(b"a") != etag(b"b")
    assert etag(b"a").startswith('"')


def test_the_order_of_versions() -> None:
    assert order_versions(["v1alpha1", "foo10", "v10", "v2beta1", "v1", "v2", "v1beta2", "foo1", "v11alpha2", "v1beta10"]) == [
        "v10", "v2", "v1", "v2beta1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "foo1", "foo10",
    ]  # fmt: skip
