"""A request to be authorized as a SubjectAccessReview's spec, and back: what webhooks are sent, what match conditions see, and what the
review APIs are asked. Source: authorization.k8s.io/v1, KEP-4601 for selectors.
"""

from proa.api.errors import ApiError
from proa.api.fields import parse_field_selector
from proa.api.labels import parse_selector
from proa.api.meta import Object
from proa.apiserver.interface import RequestInfo, User

GROUP = "authorization.k8s.io"
FIELD_OPERATORS = {"In": "=", "NotIn": "!="}
LABEL_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "", "DoesNotExist": "!"}
ATTRIBUTES = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_OF_LABEL_OPERATOR = {
    "=": "In", "==": "In", "in": "In", "!=": "NotIn", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist",
}  # fmt: skip


def to_spec(user: User, info: RequestInfo) -> Object:
    """Without empty members, as it goes over the wire."""
    spec: Object = {
        "user": user.name, "groups": list(user.groups), "uid": user.uid,
        "extra": {key: list(values) for key, values in user.extra.items()},
    }  # fmt: skip
    spec = {key: value for key, value in spec.items() if value}
    if info.is_resource:
        return spec | {"resourceAttributes": {key: value for key, value in resource_attributes(info).items() if value}}
    return spec | {"nonResourceAttributes": {"path": info.path, "verb": info.verb}}


def to_expression_value(user: User, info: RequestInfo) -> Object:
    """With every member, so that expressions need not ask whether it is there."""
    extra = {key: list(values) for key, values in user.extra.items()}
    value: Object = {"user": user.name, "groups": list(user.groups), "uid": user.uid, "extra": extra}
    if info.is_resource:
        return value | {"resourceAttributes": resource_attributes(info)}
    return value | {"nonResourceAttributes": {"path": info.path, "verb": info.verb}}


def resource_attributes(info: RequestInfo) -> Object:
    attributes: Object = {
        "namespace": info.namespace, "verb": info.verb, "group": info.group, "version": info.version, "resource": info.resource,
        "subresource": info.subresource, "name": info.name,
    }  # fmt: skip
    for member, requirements in (
        ("fieldSelector", field_requirements(info.field_selector)),
        ("labelSelector", label_requirements(info.label_selector)),
    ):
        if requirements:
            attributes[member] = {"requirements": requirements}
    return attributes


def field_requirements(selector: str) -> list[Object]:
    """Nothing for a selector that can't be read: nobody may be given more for it."""
    try:
        terms = parse_field_selector(selector).requirements if selector else ()
    except ApiError:
        return []
    return [{"key": term.field, "operator": "In" if term.operator == "=" else "NotIn", "values": [term.value]} for term in terms]


def label_requirements(selector: str) -> list[Object]:
    try:
        terms = parse_selector(selector).requirements if selector else ()
    except ApiError:
        return []
    found = ((term, _OF_LABEL_OPERATOR.get(term.operator)) for term in terms)
    return [
        {"key": term.key, "operator": operator} | ({"values": list(term.values)} if operator in ("In", "NotIn") else {})
        for term, operator in found
        if operator
    ]


def to_request_info(spec: Object) -> RequestInfo:
    """What a review's spec asks about."""
    resource = spec.get("resourceAttributes")
    if not resource:
        path = spec["nonResourceAttributes"]
        return RequestInfo(path.get("verb", ""), path.get("path", ""))
    return RequestInfo(
        verb=resource.get("verb", ""), path="", is_resource=True, group=resource.get("group", ""), version=resource.get("version", ""),
        resource=resource.get("resource", ""), subresource=resource.get("subresource", ""), namespace=resource.get("namespace", ""),
        name=resource.get("name", ""), field_selector=field_selector(resource.get("fieldSelector") or {}),
        label_selector=label_selector(resource.get("labelSelector") or {}),
    )  # fmt: skip


def field_selector(attributes: Object) -> str:
    """As a query would have it. A requirement with an operator that nobody knows is left out: it only ever asks for less."""
    if attributes.get("rawSelector"):
        return str(attributes["rawSelector"])
    single = (each for each in attributes.get("requirements") or () if len(each.get("values") or ()) == 1)
    return ",".join(
        f"{each['key']}{FIELD_OPERATORS[each['operator']]}{_escaped(each['values'][0])}"
        for each in single
        if each.get("operator") in FIELD_OPERATORS
    )


def label_selector(attributes: Object) -> str:
    if attributes.get("rawSelector"):
        return str(attributes["rawSelector"])
    terms = []
    for each in attributes.get("requirements") or ():
        operator, key, values = each.get("operator"), each.get("key", ""), each.get("values") or ()
        if operator in ("In", "NotIn"):
            terms.append(f"{key} {LABEL_OPERATORS[operator]} ({','.join(values)})")
        elif operator in LABEL_OPERATORS:
            terms.append(f"{LABEL_OPERATORS[operator]}{key}")
    return ",".join(terms)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
