"""docs/api-support.md is what its generator writes, and what it lists is what discovery answers."""

import re
from pathlib import Path

from proa.api.schema import Schema
from proa.apiserver.discovery.documents import api_resource_list
from proa.apiserver.registry.builtin import builtin_resources
from proa.apiserver.registry.support import document

PAGE = Path(__file__).parents[4] / "docs/api-support.md"
ALL = "create, delete, deletecollection, get, list, patch, update, watch"


def listed(text: str) -> dict[tuple[str, str], tuple[str, bool, str]]:
    """By (api version, resource or resource/subresource): kind, whether namespaced, verbs."""
    found: dict[tuple[str, str], tuple[str, bool, str]] = {}
    api_version = ""
    for line in text.partition("## Deviations")[0].splitlines():
        if line.startswith("### "):
            api_version = line.split()[1]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or cells[0] == "kind":
            continue
        kind, names, scope, verbs, parts = cells
        plural = names.split("`")[1]
        found[api_version, plural] = kind, scope == "namespace", ALL if verbs == "all" else verbs
        for name, other, its_verbs in re.findall(r"`(\w+)`(?: \(([^)]+)\))?: ([a-z, ]+)", parts):
            found[api_version, f"{plural}/{name}"] = other.rpartition("/")[2] or kind, scope == "namespace", its_verbs
    return found


def served(schema: Schema) -> dict[tuple[str, str], tuple[str, bool, str]]:
    resources = builtin_resources(schema, {"api/all": True})
    found = {}
    for group, version in {(each.id.group, each.id.version) for each in resources}:
        body = api_resource_list(resources, group, version)
        assert body is not None
        for entry in body["resources"]:
            found[body["groupVersion"], entry["name"]] = entry["kind"], entry["namespaced"], ", ".join(sorted(entry["verbs"]))
    return found


def test_the_page_is_up_to_date(schema: Schema) -> None:
    assert PAGE.read_text() == document(schema), "python -m proa.apiserver.registry.support > docs/api-support.md"


def test_what_is_listed_is_what_is_served(schema: Schema) -> None:
    assert listed(PAGE.read_text()) == served(schema)


def test_every_kind_of_the_schema_with_a_list_is_served(schema: Schema) -> None:
    known = {
        (each["group"], each["version"], each["kind"])
        for definition in schema.definitions.values()
        for each in definition.get("x-kubernetes-group-version-kind", ())
    }
    kinds = {(group, version, kind) for group, version, kind in known if (group, version, f"{kind}List") in known}
    have = {(each.id.group, each.id.version, each.id.kind) for each in builtin_resources(schema, {"api/all": True})}
    assert kinds - have == {("", "v1", "APIGroup")}
