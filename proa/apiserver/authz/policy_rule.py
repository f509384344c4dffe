"""What a list of PolicyRules allows, compiled once per role into look-up tables: a decision is a dozen look-ups, however long the list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from proa.api.meta import Object
from proa.lib.dataclass import dataclass

ALL = "*"


@dataclass(slots=True)
class CompiledRules:
    """`resources` maps (verb, group, resource) to the names it is limited to, None for any; `paths` and `path_prefixes` map verbs."""

    rules: Sequence[Object] = ()
    resources: dict[tuple[str, str, str], frozenset[str] | None] = field(default_factory=dict)
    paths: dict[tuple[str, str], None] = field(default_factory=dict)
    path_prefixes: list[tuple[str, str]] = field(default_factory=list)


def compile_rules(rules: Iterable[Object]) -> CompiledRules:
    compiled = CompiledRules(tuple(rules))
    for rule in compiled.rules:
        _add_resources(compiled.resources, rule)
        for url in rule.get("nonResourceURLs") or ():
            for verb in rule.get("verbs") or ():
                if url.endswith(ALL):
                    compiled.path_prefixes.append((verb, url[:-1]))
                else:
                    compiled.paths[verb, url] = None
    return compiled


def _add_resources(table: dict[tuple[str, str, str], frozenset[str] | None], rule: Object) -> None:
    names = frozenset(rule.get("resourceNames") or ()) or None
    for verb in rule.get("verbs") or ():
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                key = verb, group, resource
                known = table.get(key, frozenset())
                table[key] = None if names is None or known is None else known | names


def resource_keys(verb: str, group: str, resource: str, subresource: str) -> list[tuple[str, str, str]]:
    """Every entry of the table that would allow it. `pods/*` is not a pattern to RBAC, `*/scale` is."""
    if subresource:
        resources: tuple[str, ...] = (f"{resource}/{subresource}", ALL, f"{ALL}/{subresource}")
    else:
        resources = (resource, ALL)
    return [(each_verb, each_group, each) for each_verb in (verb, ALL) for each_group in (group, ALL) for each in resources]


def allowed_names(compiled: CompiledRules, keys: Sequence[tuple[str, str, str]]) -> frozenset[str] | None:
    """The names for which one of the keys is allowed: None for every name, the empty set for none."""
    table, found = compiled.resources, frozenset[str]()
    for key in keys:
        if key in table:
            names = table[key]
            if names is None:
                return None
            found |= names
    return found


def allows_path(compiled: CompiledRules, verb: str, path: str) -> bool:
    if (verb, path) in compiled.paths or (ALL, path) in compiled.paths:
        return True
    return any(allowed in (verb, ALL) and path.startswith(prefix) for allowed, prefix in compiled.path_prefixes)


def allows(compiled: CompiledRules, verb: str, group: str, resource: str, subresource: str = "", name: str = "") -> bool:
    names = allowed_names(compiled, resource_keys(verb, group, resource, subresource))
    return names is None or name in names


def split_rules(rules: Iterable[Mapping[str, Sequence[str]]]) -> tuple[list[Object], list[Object]]:
    """(resourceRules, nonResourceRules) as SubjectRulesReview lists them."""
    resource_rules: list[Object] = []
    path_rules: list[Object] = []
    for rule in rules:
        if rule.get("resources"):
            present = {key: list(rule[key]) for key in ("verbs", "apiGroups", "resources", "resourceNames") if rule.get(key)}
            resource_rules.append(present)
        if rule.get("nonResourceURLs"):
            path_rules.append({key: list(rule[key]) for key in ("verbs", "nonResourceURLs")})
    return resource_rules, path_rules
