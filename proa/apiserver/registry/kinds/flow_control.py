"""flowcontrol.apiserver.k8s.io: FlowSchema and PriorityLevelConfiguration, with upstream's validation and wording.

The mandatory objects can't be given another spec, so that a server is never without the two levels that it falls back on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from proa.api.errors import Cause, duplicate, forbidden, invalid, not_supported, required
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain
from proa.apiserver.bootstrap.flow_control import MANDATORY_LEVELS, MANDATORY_SCHEMAS
from proa.apiserver.fairness.shuffle_sharding import HASH_BITS, required_entropy_bits
from proa.apiserver.registry.checks import check_name
from proa.apiserver.registry.kinds.plain import SpecStatusStrategy
from proa.apiserver.registry.strategy import KindStrategy, StatusStrategy

ANY = "*"
HIGHEST_PRECEDENCE = 10_000
MOST_QUEUES = 10_000_000
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_KINDS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}
_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "


class FlowSchemaStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("matchingPrecedence"):
            spec["matchingPrecedence"] = 1000

    def check(self, obj: Object) -> list[Cause]:
        spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
        causes = list(_schema_causes(spec, name))
        mandatory = MANDATORY_SCHEMAS.get(name)
        if mandatory is not None and spec != mandatory["spec"]:
            causes.append(invalid("spec", spec, f"spec of '{name}' must equal the fixed value"))
        return causes + _condition_causes(obj.get("status") or {})


def _schema_causes(spec: Object, name: str) -> Iterator[Cause]:
    precedence = spec.get("matchingPrecedence", 0)
    path = "spec.matchingPrecedence"
    if precedence <= 0:
        yield invalid(path, precedence, "must be a positive value")
    if precedence > HIGHEST_PRECEDENCE:
        yield invalid(path, precedence, f"must not be greater than {HIGHEST_PRECEDENCE}")
    if precedence == 1 and name != "exempt":
        yield invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        yield not_supported("spec.distinguisherMethod.type", method, ("ByNamespace", "ByUser"))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    yield from check_name("spec.priorityLevelConfiguration.name", level, dns1123_subdomain, detail="must reference a priority level")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _rule_causes(rule, f"spec.rules[{index}]")


def _rule_causes(rule: Object, path: str) -> Iterator[Cause]:
    subjects = rule.get("subjects") or []
    if not subjects:
        yield required(f"{path}.subjects", "subjects must contain at least one value")
    for index, subject in enumerate(subjects):
        yield from _subject_causes(subject, f"{path}.subjects[{index}]")
    resources, others = rule.get("resourceRules") or [], rule.get("nonResourceRules") or []
    if not resources and not others:
        yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for index, each in enumerate(resources):
        yield from _resource_rule_causes(each, f"{path}.resourceRules[{index}]")
    for index, each in enumerate(others):
        yield from _path_rule_causes(each, f"{path}.nonResourceRules[{index}]")


def _subject_causes(subject: Object, path: str) -> Iterator[Cause]:
    kind = subject.get("kind", "")
    if kind not in _KINDS:
        yield not_supported(f"{path}.kind", kind, tuple(_KINDS))
        return
    member = _KINDS[kind]
    named = subject.get(member)
    if named is None:
        yield required(f"{path}.{member}", f"{member} is required when subject kind is '{kind}'")
    elif not named.get("name"):
        yield required(f"{path}.{member}.name")
    elif kind == "ServiceAccount" and named["name"] != ANY:
        for problem in dns1123_subdomain(named["name"]):
            yield invalid(f"{path}.{member}.name", named["name"], problem)
    if named is not None and kind == "ServiceAccount":
        detail = "must specify namespace for service account"
        yield from check_name(f"{path}.{member}.namespace", named.get("namespace"), dns1123_label, detail=detail)
    for other, its_member in _KINDS.items():
        if other != kind and subject.get(its_member) is not None:
            yield forbidden(f"{path}.{its_member}", f"{its_member} is forbidden when subject kind is not '{other}'")


def _resource_rule_causes(rule: Object, path: str) -> Iterator[Cause]:
    yield from _verb_causes(rule.get("verbs") or [], path)
    empty = "resource rules must supply at least one"
    yield from _list_causes(rule.get("apiGroups") or [], f"{path}.apiGroups", f"{empty} api group", "api groups")
    yield from _list_causes(rule.get("resources") or [], f"{path}.resources", f"{empty} resource", "resources")
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        yield required(f"{path}.namespaces", detail)
    elif ANY in namespaces:
        if len(namespaces) > 1:
            yield invalid(f"{path}.namespaces", namespaces, "if '*' is present, must not specify other namespaces")
    else:
        for index, namespace in enumerate(namespaces):
            for problem in dns1123_label(namespace):
                yield invalid(f"{path}.namespaces[{index}]", namespace, _NAMESPACE + problem)


def _list_causes(values: Sequence[str], path: str, empty: str, plural: str) -> Iterator[Cause]:
    if not values:
        yield required(path, empty)
    elif len(values) > 1 and ANY in values:
        yield invalid(path, values, f"if '*' is present, must not specify other {plural}")


def _verb_causes(verbs: Sequence[str], path: str) -> Iterator[Cause]:
    yield from _list_causes(verbs, f"{path}.verbs", "verbs must contain at least one value", "verbs")
    if verbs and ANY not in verbs and not set(verbs) <= set(VERBS):
        yield not_supported(f"{path}.verbs", verbs, VERBS)


def _path_rule_causes(rule: Object, path: str) -> Iterator[Cause]:
    yield from _verb_causes(rule.get("verbs") or [], path)
    urls = rule.get("nonResourceURLs") or []
    yield from _list_causes(urls, f"{path}.nonResourceURLs", "nonResourceURLs must contain at least one value", "non-resource URLs")
    if ANY not in urls:
        for index, url in enumerate(urls):
            if problem := _url_problem(url):
                yield invalid(f"{path}.nonResourceURLs[{index}]", url, problem)


def _url_problem(url: str) -> str:
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    return "wildcard can only do suffix matching" if ANY in url and (url.count(ANY) > 1 or not url.endswith("/*")) else ""


class PriorityLevelStrategy(SpecStatusStrategy):
    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("type") == "Exempt":
            exempt = spec.setdefault("exempt", {})
            exempt.setdefault("nominalConcurrencyShares", 0)
            exempt.setdefault("lendablePercent", 0)
        limited = spec.get("limited")
        if limited is None:
            return
        limited.setdefault("nominalConcurrencyShares", 30)
        limited.setdefault("lendablePercent", 0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            for field, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
                if not queuing.get(field):
                    queuing[field] = value

    def check(self, obj: Object) -> list[Cause]:
        spec, name = obj.get("spec") or {}, obj.get("metadata", {}).get("name", "")
        causes = list(_level_causes(spec, name))
        mandatory = MANDATORY_LEVELS.get(name)
        if mandatory is not None:
            causes += _mandatory_causes(spec, mandatory["spec"], name)
        return causes + _condition_causes(obj.get("status") or {})


def _mandatory_causes(spec: Object, fixed: Object, name: str) -> list[Cause]:
    if name != "exempt":
        return [] if spec == fixed else [invalid("spec", spec, f"spec of '{name}' must equal the fixed value")]
    if {**spec, "exempt": None} == {**fixed, "exempt": None}:
        return []
    return [invalid("spec", spec, f"spec of '{name}' except the 'spec.exempt' field must equal the fixed value")]


def _level_causes(spec: Object, name: str) -> Iterator[Cause]:
    type_, limited, exempt = spec.get("type", ""), spec.get("limited"), spec.get("exempt")
    if (name == "exempt") != (type_ == "Exempt"):
        yield invalid("spec.type", type_, "must be 'Exempt' if and only if `name` is 'exempt'")
    if type_ == "Exempt":
        if limited is not None:
            yield forbidden("spec.limited", "must be nil if the type is not Limited")
        yield from _share_causes(exempt or {}, "spec.exempt")
        yield from _lendable_causes(exempt or {}, "spec.exempt")
    elif type_ == "Limited":
        if exempt is not None:
            yield forbidden("spec.exempt", "must be nil if the type is Limited")
        if limited is None:
            yield required("spec.limited", "must not be empty when type is Limited")
        else:
            yield from _limited_causes(limited, "spec.limited")
    else:
        yield not_supported("spec.type", type_, ("Exempt", "Limited"))


def _limited_causes(limited: Object, path: str) -> Iterator[Cause]:
    yield from _share_causes(limited, path)
    yield from _response_causes(limited.get("limitResponse") or {}, f"{path}.limitResponse")
    yield from _lendable_causes(limited, path)
    borrowing = limited.get("borrowingLimitPercent")
    if borrowing is not None and borrowing < 0:
        yield invalid(f"{path}.borrowingLimitPercent", borrowing, "if specified, must be a non-negative integer")


def _share_causes(level: Object, path: str) -> Iterator[Cause]:
    shares = level.get("nominalConcurrencyShares", 0)
    if shares < 0:
        yield invalid(f"{path}.nominalConcurrencyShares", shares, "must be a non-negative integer")


def _lendable_causes(level: Object, path: str) -> Iterator[Cause]:
    lendable = level.get("lendablePercent", 0)
    if not 0 <= lendable <= 100:
        yield invalid(f"{path}.lendablePercent", lendable, "must be between 0 and 100, inclusive")


def _response_causes(response: Object, path: str) -> Iterator[Cause]:
    type_, queuing = response.get("type", ""), response.get("queuing")
    if type_ == "Reject":
        if queuing is not None:
            yield forbidden(f"{path}.queuing", "must be nil if limited.limitResponse.type is not Limited")
    elif type_ == "Queue":
        if queuing is None:
            yield required(f"{path}.queuing", "must not be empty if limited.limitResponse.type is Limited")
        else:
            yield from _queuing_causes(queuing, f"{path}.queuing")
    else:
        yield not_supported(f"{path}.type", type_, ("Queue", "Reject"))


def _queuing_causes(queuing: Object, path: str) -> Iterator[Cause]:
    length, queues, hand = (queuing.get(field, 0) for field in ("queueLengthLimit", "queues", "handSize"))
    if length <= 0:
        yield invalid(f"{path}.queueLengthLimit", length, "must be positive")
    if queues <= 0:
        yield invalid(f"{path}.queues", queues, "must be positive")
    elif queues > MOST_QUEUES:
        yield invalid(f"{path}.queues", queues, f"must not be greater than {MOST_QUEUES}")
    if hand <= 0:
        yield invalid(f"{path}.handSize", hand, "must be positive")
    elif hand > queues:
        yield invalid(f"{path}.handSize", hand, f"should not be greater than queues ({queues})")
    elif required_entropy_bits(queues, hand) > HASH_BITS:
        lead = f"required entropy bits of deckSize {queues} and handSize {hand}"
        yield invalid(f"{path}.handSize", hand, f"{lead} should not be greater than {HASH_BITS}")


def status_strategy(main: KindStrategy) -> StatusStrategy:
    return StatusStrategy(main, check_status=lambda obj, old: _condition_causes(obj.get("status") or {}))


def _condition_causes(status: dict[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, condition in enumerate(status.get("conditions") or ()):
        type_ = condition.get("type", "")
        if type_ in seen:
            causes.append(duplicate(f"status.conditions[{index}].type", type_))
        seen.add(type_)
        if not type_:
            causes.append(required(f"status.conditions[{index}].type"))
    return causes
