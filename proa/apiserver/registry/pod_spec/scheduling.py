"""Where a pod may run: node selectors, affinity, tolerations, topology spread."""

import re

from proa.api.errors import Cause, duplicate, go_value, invalid, not_supported, required
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_label, dns1123_subdomain, label_value, qualified_name
from proa.api.scheduling.taints import EFFECTS
from proa.apiserver.registry.checks import check_key
from proa.apiserver.registry.pod_spec.label_keys import check_label_keys

_NODE_OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
_SCHEDULE_ACTIONS, _INCLUSION = ("DoNotSchedule", "ScheduleAnyway"), ("Honor", "Ignore")
_WEIGHT = "must be in the range 1-100"
_INT64 = 1 << 63
_is_decimal = re.compile("0|-?[1-9][0-9]*").fullmatch


def validate_gates(gates: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name", "")
        causes += [invalid(f"{path}[{index}]", name, problem) for problem in qualified_name(name)]
        if name in seen:
            causes.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
    return causes


def validate_affinity(affinity: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if node := affinity.get("nodeAffinity"):
        own = f"{path}.nodeAffinity"
        if wanted := node.get("requiredDuringSchedulingIgnoredDuringExecution"):
            causes += validate_node_selector(wanted, f"{own}.requiredDuringSchedulingIgnoredDuringExecution")
        for index, term in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            each = f"{own}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
            causes += _weight(term, each) + _validate_node_term(term.get("preference") or {}, f"{each}.preference", check_values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        if kind in affinity:
            causes += _validate_pod_affinity(affinity[kind], f"{path}.{kind}")
    return causes


def _weight(term: Object, path: str) -> list[Cause]:
    weight = term.get("weight", 0)
    return [] if 1 <= weight <= 100 else [invalid(f"{path}.weight", weight, _WEIGHT)]


def validate_node_selector(selector: Object, path: str) -> list[Cause]:
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        return [required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")]
    return [cause for index, term in enumerate(terms) for cause in _validate_node_term(term, f"{path}.nodeSelectorTerms[{index}]")]


def _validate_node_term(term: Object, path: str, *, check_values: bool = True) -> list[Cause]:
    """A preferred term may ask for values that no label has."""
    causes: list[Cause] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        own = f"{path}.matchExpressions[{index}]"
        causes += _validate_operator(expression, own)
        key = expression.get("key", "")
        causes += [invalid(f"{own}.key", key, problem) for problem in qualified_name(key)]
        for number, value in enumerate(expression.get("values") or ()) if check_values else ():
            causes += [invalid(f"{own}.values[{number}]", value, problem) for problem in label_value(value)]
    for index, expression in enumerate(term.get("matchFields") or ()):
        own = f"{path}.matchFields[{index}]"
        if expression.get("operator") not in ("In", "NotIn"):
            causes.append(invalid(f"{own}.operator", expression.get("operator", ""), "not a valid selector operator"))
        elif len(expression.get("values") or ()) != 1:
            causes.append(required(f"{own}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
        if expression.get("key") != "metadata.name":
            causes.append(invalid(f"{own}.key", expression.get("key", ""), "not a valid field selector key"))
            continue
        for number, value in enumerate(expression.get("values") or ()):
            causes += [invalid(f"{own}.values[{number}]", value, problem) for problem in dns1123_subdomain(value)]
    return causes


def _validate_operator(expression: Object, path: str) -> list[Cause]:
    operator, values = expression.get("operator", ""), expression.get("values") or ()
    if operator in ("In", "NotIn") and not values:
        return [required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")]
    if operator in ("Exists", "DoesNotExist") and values:
        return [
            Cause(f"{path}.values", "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'", "FieldValueForbidden")
        ]
    if operator in ("Gt", "Lt") and len(values) != 1:
        return [required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    return [] if operator in _NODE_OPERATORS else [invalid(f"{path}.operator", operator, "not a valid selector operator")]


def _validate_pod_affinity(affinity: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, term in enumerate(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
        causes += _validate_pod_term(term, f"{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}]")
    for index, weighted in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        own = f"{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        causes += _weight(weighted, own) + _validate_pod_term(weighted.get("podAffinityTerm") or {}, f"{own}.podAffinityTerm")
    return causes


def _validate_pod_term(term: Object, path: str) -> list[Cause]:
    causes = validate_label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    causes += validate_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        causes += check_key(f"{path}.namespace", namespace, dns1123_label)
    causes += check_label_keys(term, path)
    key = term.get("topologyKey") or ""
    causes += [] if key else [required(f"{path}.topologyKey", "can not be empty")]
    return causes + check_key(f"{path}.topologyKey", key, qualified_name)


def validate_tolerations(tolerations: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, toleration in enumerate(tolerations):
        causes += _validate_toleration(toleration, f"{path}[{index}]")
    return causes


def _validate_toleration(toleration: Object, path: str) -> list[Cause]:
    key, operator = toleration.get("key", ""), toleration.get("operator") or "Equal"
    value, effect = toleration.get("value", ""), toleration.get("effect", "")
    causes = [invalid(f"{path}.key", key, problem) for problem in qualified_name(key)] if key else []
    if not key and operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        causes.append(invalid(f"{path}.operator", toleration.get("operator", ""), detail))
    if "tolerationSeconds" in toleration and effect != "NoExecute":
        causes.append(invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if operator == "Equal":
        if problems := label_value(value):
            causes.append(invalid(f"{path}.operator", value, ";".join(problems)))
    elif operator == "Exists":
        if value:
            causes.append(invalid(f"{path}.operator", value, "value must be empty when `operator` is 'Exists'"))
    elif operator in ("Lt", "Gt"):
        causes += _check_number(value, f"{path}.value")
    else:
        causes.append(not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    if effect and effect not in EFFECTS:
        causes.append(not_supported(f"{path}.effect", effect, EFFECTS, in_order=False))
    return causes


def _check_number(value: str, path: str) -> list[Cause]:
    causes = [] if _is_decimal(value) else [invalid(path, value, "must be a valid decimal integer in canonical form")]
    problem = _parse_problem(value)
    return [*causes, invalid(path, value, f"strconv.ParseInt: parsing {go_value(value)}: {problem}")] if problem else causes


def _parse_problem(value: str) -> str:
    """As Go reads a number of 64 bits."""
    if not re.fullmatch("[+-]?[0-9]+", value):
        return "invalid syntax"
    return "" if -_INT64 <= int(value) < _INT64 else "value out of range"


def validate_spread(constraints: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    kinds = [(each.get("topologyKey", ""), each.get("whenUnsatisfiable", "")) for each in constraints]
    for index, constraint in enumerate(constraints):
        own = f"{path}[{index}]"
        key, unsatisfiable = kinds[index]
        if constraint.get("maxSkew", 0) <= 0:
            causes.append(invalid(f"{own}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero"))
        if not key:
            causes.append(required(f"{own}.topologyKey", "can not be empty"))
        if unsatisfiable not in _SCHEDULE_ACTIONS:
            causes.append(not_supported(f"{own}.whenUnsatisfiable", unsatisfiable, _SCHEDULE_ACTIONS))
        if kinds[index] in kinds[index + 1 :]:
            causes.append(duplicate(f"{own}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {unsatisfiable}}}"))
        if "minDomains" in constraint:
            causes += _validate_min_domains(constraint, own)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(field)
            if policy is not None and policy not in _INCLUSION:
                causes.append(not_supported(f"{own}.{field}", policy, _INCLUSION))
        causes += check_label_keys(constraint, own)
        causes += validate_label_selector(constraint.get("labelSelector"), f"{own}.labelSelector")
    return causes


def _validate_min_domains(constraint: Object, path: str) -> list[Cause]:
    value = constraint["minDomains"]
    causes = [] if value > 0 else [invalid(f"{path}.minDomains", value, "must be greater than zero")]
    if constraint.get("whenUnsatisfiable") != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {constraint.get('whenUnsatisfiable', '')}"
        causes.append(invalid(f"{path}.minDomains", value, detail))
    return causes
