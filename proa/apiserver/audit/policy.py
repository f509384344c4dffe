"""The audit policy: at which level a request is recorded, and which of its stages. The first rule that matches decides; none: nothing is.

A file that can't be used stops the start of the server, with upstream's words. Source: audit.k8s.io/v1 Policy.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from proa.apiserver.interface import RequestInfo, User
from proa.lib.dataclass import dataclass

log = logging.getLogger(__name__)

LEVELS = {"None": 0, "Metadata": 1, "Request": 2, "RequestResponse": 3}
METADATA, REQUEST, REQUEST_RESPONSE = 1, 2, 3
MEMORY = 8192


class PolicyError(ValueError):
    """Why a policy can't be used."""


@dataclass(frozen=True, slots=True)
class GroupResources:
    group: str
    resources: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """What is recorded of a request."""

    level: int
    level_name: str
    omitted_stages: frozenset[str]
    omit_managed_fields: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty members match everything."""

    recording: Recording
    users: frozenset[str]
    groups: frozenset[str]
    verbs: frozenset[str]
    namespaces: frozenset[str]
    resources: tuple[GroupResources, ...]
    urls: tuple[str, ...]

    def matches(self, user: User | None, info: RequestInfo) -> bool:
        if self.users and (user is None or user.name not in self.users):
            return False
        if self.groups and (user is None or self.groups.isdisjoint(user.groups)):
            return False
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return info.is_resource and self._matches_resource(info)
        return not self.urls or (not info.is_resource and any(_is_path(url, info.path) for url in self.urls))

    def _matches_resource(self, info: RequestInfo) -> bool:
        if self.namespaces and info.namespace not in self.namespaces:
            return False
        return not self.resources or any(_covers(each, info) for each in self.resources)


def _covers(each: GroupResources, info: RequestInfo) -> bool:
    if each.group != info.group:
        return False
    if not each.resources:
        return True
    if each.names and info.name not in each.names:
        return False
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    wanted = {whole, "*", f"{info.resource}/*"} | ({f"*/{info.subresource}"} if info.subresource else set())
    return not wanted.isdisjoint(each.resources)


def _is_path(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


class Policy:
    """`decide` remembers by user, verb and target."""

    def __init__(self, rules: Iterable[Rule], omitted_stages: Collection[str] = ()) -> None:
        self._rules = tuple(rules)
        self._otherwise = Recording(0, "None", frozenset(omitted_stages), False)
        self._by_name = any(each.names for rule in self._rules for each in rule.resources)
        self._remembered: dict[tuple[Any, ...], Recording] = {}

    def decide(self, user: User | None, info: RequestInfo) -> Recording:
        key: tuple[Any, ...]
        who, groups = (user.name, user.groups) if user is not None else (None, ())
        if info.is_resource:
            name = info.name if self._by_name else ""
            key = who, groups, info.verb, info.group, info.resource, info.subresource, info.namespace, name
        else:
            key = who, groups, info.verb, info.path
        found = self._remembered.get(key)
        if found is None:
            matching = (rule.recording for rule in self._rules if rule.matches(user, info))
            found = next(matching, self._otherwise)
            if len(self._remembered) >= MEMORY:
                self._remembered.clear()
            self._remembered[key] = found
        return found


def load_policy(path: Path) -> Policy:
    """Raises PolicyError."""
    import yaml

    try:
        text = path.read_text()
    except OSError as error:
        raise PolicyError(f'loading audit policy file: failed to read file path "{path}": {error.strerror}') from None
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise PolicyError(f"loading audit policy file: failed decoding: {error}: from file {path}") from None
    try:
        return read_policy(document)
    except PolicyError as error:
        raise PolicyError(f"loading audit policy file: {error}: from file {path}") from None


def read_policy(document: Any) -> Policy:
    """Raises PolicyError."""
    from proa.apiserver.audit.policy_rules import check_policy

    check_policy(document)
    omitted = frozenset(document.get("omitStages") or ())
    return Policy([_rule(each, omitted, document) for each in document["rules"]], omitted)


def _rule(rule: Mapping[str, Any], omitted: frozenset[str], policy: Mapping[str, Any]) -> Rule:
    omit_fields = rule.get("omitManagedFields")
    if omit_fields is None:
        omit_fields = bool(policy.get("omitManagedFields"))
    level = rule["level"]
    stages = omitted | frozenset(rule.get("omitStages") or ())
    users, groups, verbs, namespaces = (frozenset(rule.get(each) or ()) for each in ("users", "userGroups", "verbs", "namespaces"))
    return Rule(
        Recording(LEVELS[level], level, stages, omit_fields),
        users,
        groups,
        verbs,
        namespaces,
        tuple(_resources(each) for each in rule.get("resources") or ()),
        tuple(rule.get("nonResourceURLs") or ()),
    )


def _resources(each: Mapping[str, Any]) -> GroupResources:
    return GroupResources(each.get("group") or "", tuple(each.get("resources") or ()), tuple(each.get("resourceNames") or ()))
