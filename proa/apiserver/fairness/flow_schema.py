"""A FlowSchema at work: whether a request belongs to it. Source: flowcontrol.apiserver.k8s.io/v1 PolicyRulesWithSubjects.

Names of objects play no part, so what was decided for one request holds for every other of the same user, verb, resource and namespace.
"""

from collections.abc import Collection, Iterable

from proa.api import meta
from proa.api.meta import Object
from proa.apiserver.authn.service_account_claims import split_user_name
from proa.apiserver.interface import RequestInfo, User
from proa.lib.dataclass import dataclass

ANY = "*"
CATCH_ALL = "catch-all"


@dataclass(frozen=True, slots=True)
class FlowSchema:
    """`distinguisher` is "", ByUser or ByNamespace; `uid` is "" as long as the server only imagines it."""

    name: str
    uid: str
    precedence: int
    level: str
    distinguisher: str
    rules: tuple[Object, ...]

    def matches(self, user: User, info: RequestInfo) -> bool:
        return any(_is_subject(rule, user) and _is_target(rule, info) for rule in self.rules)

    def distinguish(self, user: User, info: RequestInfo) -> str:
        """What tells the flows of this schema apart."""
        if self.distinguisher == "ByUser":
            return user.name
        return info.namespace if self.distinguisher == "ByNamespace" else ""


def flow_schema(obj: Object) -> FlowSchema:
    spec = obj.get("spec") or {}
    method = (spec.get("distinguisherMethod") or {}).get("type") or ""
    level = (spec.get("priorityLevelConfiguration") or {}).get("name") or ""
    return FlowSchema(
        meta.name(obj), meta.uid(obj), spec.get("matchingPrecedence", 1000), level, method, tuple(spec.get("rules") or ())
    )  # fmt: skip


def in_order(schemas: Iterable[FlowSchema]) -> list[FlowSchema]:
    return sorted(schemas, key=lambda schema: (schema.precedence, schema.name))


def select(schemas: Iterable[FlowSchema], user: User, info: RequestInfo) -> FlowSchema:
    """The first that matches. catch-all takes whatever is left, even a user who is in none of its groups."""
    last = None
    for schema in schemas:
        if schema.matches(user, info):
            return schema
        last = schema if schema.name == CATCH_ALL else last
    if last is None:
        raise LookupError("there is always a FlowSchema catch-all")
    return last


def _is_subject(rule: Object, user: User) -> bool:
    return any(_names(subject, user) for subject in rule.get("subjects") or ())


def _names(subject: Object, user: User) -> bool:
    kind = subject.get("kind")
    if kind == "User":
        return (subject.get("user") or {}).get("name") in (ANY, user.name)
    if kind == "Group":
        name = (subject.get("group") or {}).get("name")
        return name == ANY or name in user.groups
    account = split_user_name(user.name)
    wanted = subject.get("serviceAccount") or {}
    return account is not None and account[0] == wanted.get("namespace") and wanted.get("name") in (ANY, account[1])


def _is_target(rule: Object, info: RequestInfo) -> bool:
    if info.is_resource:
        return any(_covers(each, info) for each in rule.get("resourceRules") or ())
    return any(_covers_path(each, info) for each in rule.get("nonResourceRules") or ())


def _covers(rule: Object, info: RequestInfo) -> bool:
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if not (_has(rule.get("verbs"), info.verb) and _has(rule.get("apiGroups"), info.group) and _has(rule.get("resources"), resource)):
        return False
    return _has(rule.get("namespaces"), info.namespace) if info.namespace else bool(rule.get("clusterScope"))


def _covers_path(rule: Object, info: RequestInfo) -> bool:
    urls = rule.get("nonResourceURLs") or ()
    return _has(rule.get("verbs"), info.verb) and any(_is_path(url, info.path) for url in urls)


def _is_path(url: str, path: str) -> bool:
    return path.startswith(url[:-1]) if url.endswith(ANY) else url == path


def _has(values: Collection[str] | None, value: str) -> bool:
    return values is not None and (ANY in values or value in values)
