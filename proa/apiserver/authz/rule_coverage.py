"""Whether one set of rules holds everything that another grants: nobody may give away more than they have. Source: RBAC's "Privilege
escalation prevention and bootstrapping"; the answer lists what is missing, compacted as upstream prints it.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence

from proa.api.meta import Object

ALL = "*"


def missing_rules(owned: Sequence[Object], wanted: Iterable[Object]) -> list[Object]:
    """The smallest rules of `wanted` that no single rule of `owned` holds."""
    unlike = [rule for rule in wanted if rule not in owned]
    return [each for each in itertools.chain.from_iterable(map(break_down, unlike)) if not any(_covers(rule, each) for rule in owned)]


def break_down(rule: Object) -> Iterator[Object]:
    """One rule for each verb, group, resource and name (and for each path)."""
    verbs, names = rule.get("verbs") or (), rule.get("resourceNames") or ()
    for group, resource, verb in itertools.product(rule.get("apiGroups") or (), rule.get("resources") or (), verbs):
        part: Object = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        for name in names:
            yield part | {"resourceNames": [name]}
        if not names:
            yield part
    for url, verb in itertools.product(rule.get("nonResourceURLs") or (), verbs):
        yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(owner: Object, part: Object) -> bool:
    if not _has(owner, "verbs", part["verbs"][0]):
        return False
    if "nonResourceURLs" in part:
        return any(_path_covers(url, part["nonResourceURLs"][0]) for url in owner.get("nonResourceURLs") or ())
    if not _has(owner, "apiGroups", part["apiGroups"][0]) or not _resource_covers(owner.get("resources") or (), part["resources"][0]):
        return False
    names = owner.get("resourceNames")
    return not names or part.get("resourceNames", [None])[0] in names


def _has(owner: Object, member: str, value: str) -> bool:
    values = owner.get(member) or ()
    return value in values or ALL in values


def _resource_covers(owned: Sequence[str], resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return resource in owned or ALL in owned or (bool(slash) and f"{ALL}/{subresource}" in owned)


def _path_covers(owned: str, path: str) -> bool:
    return owned in (ALL, path) or (owned.endswith(ALL) and path.startswith(owned[:-1]))


def compact(parts: Iterable[Object]) -> list[Object]:
    """Parts of one resource and name put together again, their verbs in order of appearance."""
    together: dict[str, Object] = {}
    for part in parts:
        rest = {key: value for key, value in part.items() if key != "verbs"}
        rule = together.setdefault(json.dumps(rest, sort_keys=True), rest | {"verbs": []})
        rule["verbs"] += [verb for verb in part["verbs"] if verb not in rule["verbs"]]
    return list(together.values())


LABELS = (
    ("apiGroups", "APIGroups"),
    ("resources", "Resources"),
    ("nonResourceURLs", "NonResourceURLs"),
    ("resourceNames", "ResourceNames"),
    ("verbs", "Verbs"),
)


def describe(rule: Object) -> str:
    """`{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`."""
    members = (f"{label}:[{' '.join(json.dumps(value) for value in rule[key])}]" for key, label in LABELS if rule.get(key))
    return "{" + ", ".join(members) + "}"
