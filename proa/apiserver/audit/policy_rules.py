"""What makes an audit policy unusable: its type, the types of its members, upstream's validation. Unknown members are warned of."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from proa.api.errors import Cause, invalid, not_supported, required
from proa.api.names import dns1123_subdomain
from proa.apiserver.audit.policy import LEVELS, PolicyError

log = logging.getLogger(__name__)

VERSION = "audit.k8s.io/v1"
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_WORDS = "words"
_RULE: Mapping[str, Any] = {
    "level": str, "users": _WORDS, "userGroups": _WORDS, "verbs": _WORDS, "namespaces": _WORDS, "nonResourceURLs": _WORDS,
    "omitStages": _WORDS, "omitManagedFields": bool, "resources": list,
}  # fmt: skip
_RESOURCES: Mapping[str, Any] = {"group": str, "resources": _WORDS, "resourceNames": _WORDS}
_POLICY: Mapping[str, Any] = {
    "apiVersion": str, "kind": str, "metadata": dict, "rules": list, "omitStages": _WORDS, "omitManagedFields": bool,
}  # fmt: skip


def check_policy(document: Any) -> None:
    """Raises PolicyError."""
    if not isinstance(document, dict):
        raise PolicyError("failed decoding: the policy is not an object")
    version, kind = document.get("apiVersion"), document.get("kind")
    if not version or not kind:
        raise PolicyError(f"failed decoding: Object '{'apiVersion' if kind else 'Kind'}' is missing")
    if kind != "Policy" or version != VERSION:
        raise PolicyError(f'failed decoding: no kind "{kind}" is registered for version "{version}": what is known is Policy in {VERSION}')
    unknown = list(_wrong_types("", document, _POLICY))
    for index, rule in enumerate(document.get("rules") or ()):
        unknown += _wrong_types(f"rules[{index}]", rule, _RULE)
        for place, each in enumerate(rule.get("resources") or ()):
            unknown += _wrong_types(f"rules[{index}].resources[{place}]", each, _RESOURCES)
    if unknown:
        log.warning("audit policy has unknown fields: %s", ", ".join(unknown))
    rules = document.get("rules") or []
    causes = [cause for index, rule in enumerate(rules) for cause in _causes(rule, f"rules[{index}]")]
    if causes:
        raise PolicyError(causes[0].detail if len(causes) == 1 else f"[{', '.join(cause.detail for cause in causes)}]")
    if not rules:
        raise PolicyError("loaded illegal policy with 0 rules")


def _wrong_types(path: str, value: Any, members: Mapping[str, Any]) -> Iterator[str]:
    """The members that are not known; raises PolicyError for those of another type."""
    if not isinstance(value, dict):
        raise PolicyError(f"failed decoding: {path} is not an object")
    for name, member in value.items():
        place = f"{path}.{name}" if path else str(name)
        wanted = members.get(name)
        if wanted is None:
            yield place
        elif member is not None and not _is_a(member, wanted):
            raise PolicyError(f"failed decoding: {place} must be {_described(wanted)}")


def _is_a(value: Any, wanted: Any) -> bool:
    if wanted == _WORDS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, wanted)


def _described(wanted: Any) -> str:
    names = {_WORDS: "a list of strings", str: "a string", bool: "true or false", list: "a list", dict: "an object"}
    return names[wanted]


def _causes(rule: Mapping[str, Any], path: str) -> Iterator[Cause]:
    level = rule.get("level")
    if not level:
        yield required(f"{path}.level")
    elif level not in LEVELS:
        yield not_supported(f"{path}.level", level, tuple(LEVELS))
    urls = rule.get("nonResourceURLs") or []
    yield from _url_causes(urls, f"{path}.nonResourceURLs")
    yield from _resource_causes(rule.get("resources") or (), f"{path}.resources")
    for index, stage in enumerate(rule.get("omitStages") or ()):
        if stage not in STAGES:
            yield invalid(f"{path}.omitStages[{index}]", stage, f"allowed stages are {','.join(STAGES)}")
    if urls and (rule.get("resources") or rule.get("namespaces")):
        yield invalid(f"{path}.nonResourceURLs", urls, "rules cannot apply to both regular resources and non-resource URLs")


def _url_causes(urls: list[str], path: str) -> Iterator[Cause]:
    for index, url in enumerate(urls):
        if url == "*":
            continue
        if not url.startswith("/"):
            yield invalid(f"{path}[{index}]", url, "non-resource URL rules must begin with a '/' character")
        if "*" in url[:-1]:
            yield invalid(f"{path}[{index}]", url, "non-resource URL wildcards '*' must be the final character of the rule")


def _resource_causes(resources: Any, path: str) -> Iterator[Cause]:
    for each in resources:
        group = each.get("group") or ""
        if group and (problems := dns1123_subdomain(group)):
            yield invalid(f"{path}.group", group, ",".join(problems))
        if each.get("resourceNames") and not each.get("resources"):
            yield invalid(f"{path}.resourceNames", each["resourceNames"], "using resourceNames requires at least one resource")
