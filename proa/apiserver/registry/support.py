"""docs/api-support.md, written from the table of resources: `python -m proa.apiserver.registry.support > docs/api-support.md`.

What is listed is what discovery answers; what deviates from upstream is told by hand, in `deviations.py`.
"""

from collections.abc import Iterator, Sequence

from proa.api.resource import ALL_VERBS, Resource, Subresource
from proa.api.schema import Schema, load_schema
from proa.apiserver.registry.builtin import builtin_resources, enabled
from proa.apiserver.registry.deviations import DEVIATIONS, NOT_KINDS

VERSION = "1.37"
_HEAD = f"""# Supported API

Every group, version and kind of Kubernetes v{VERSION} that the API server serves, with its verbs and subresources. This page is written by
`python -m proa.apiserver.registry.support` from `proa/apiserver/registry/builtin.py`; a test keeps the two together.

- *verbs*: all eight (create, delete, deletecollection, get, list, patch, update, watch) unless named.
- *subresources*: with the kind that travels, where it is another one, and their verbs.
- Versions that are marked **off** are served when the API server is started with `--runtime-config`, like upstream:
  `--runtime-config=resource.k8s.io/v1beta1=true`, `--runtime-config=api/beta=true`, `--runtime-config=api/all=true`.
"""


def document(schema: Schema) -> str:
    resources = builtin_resources(schema, {"api/all": True})
    return "\n".join([_HEAD, *_groups(resources), *_told()]) + "\n"


def _groups(resources: Sequence[Resource]) -> Iterator[str]:
    for group in dict.fromkeys(each.id.group for each in resources):
        yield f"## {group or 'core'}\n"
        own = [each for each in resources if each.id.group == group]
        for version in dict.fromkeys(each.id.version for each in own):
            served = [each for each in own if each.id.version == version]
            api_version = f"{group}/{version}" if group else version
            off = "" if enabled(api_version, "", {}) else " (**off**)"
            yield f"### {api_version}{off}\n"
            yield "| kind | resource | scope | verbs | subresources |\n|---|---|---|---|---|"
            yield from (_row(each) for each in served)
            yield ""


def _row(resource: Resource) -> str:
    names = ", ".join(f"`{name}`" for name in (resource.id.plural, *resource.short_names))
    scope = "namespace" if resource.id.namespaced else "cluster"
    verbs = "all" if set(resource.verbs) == set(ALL_VERBS) else ", ".join(sorted(resource.verbs))
    parts = "; ".join(_subresource(resource, resource.subresources[name]) for name in sorted(resource.subresources))
    return f"| {resource.id.kind} | {names} | {scope} | {verbs} | {parts} |"


def _subresource(resource: Resource, sub: Subresource) -> str:
    other = f" ({'/'.join(filter(None, (sub.group, sub.version, sub.kind)))})" if sub.kind != resource.id.kind else ""
    return f"`{sub.name}`{other}: {', '.join(sorted(sub.verbs))}"


def _told() -> Iterator[str]:
    yield "## Deviations from upstream\n"
    yield "| where | what is different | why |\n|---|---|---|"
    yield from (f"| {each.where} | {each.what} | {each.why} |" for each in DEVIATIONS)
    yield "\n## In the schema, but no resource\n"
    yield from (f"- {kind}: {why}" for kind, why in NOT_KINDS.items())


if __name__ == "__main__":
    print(document(load_schema(VERSION)), end="")
