"""Where a pod may run: node selectors, affinity, tolerations, topology spread."""

from proa.api.errors import Cause, duplicate, invalid, not_supported, required
from proa.api.labels import validate_label_selector, validate_labels
from proa.api.meta import Object
from proa.api.names import dns1123_label, label_value, qualified_name
from proa.apiserver.registry.checks import check_choice, check_key, check_name
from proa.apiserver.registry.pod_spec.label_keys import check_label_keys

_NODE_OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
_WEIGHT = "must be in the range 1-100"


def validate_scheduling(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if selector := spec.get("nodeSelector"):
        causes += validate_labels(selector, f"{path}.nodeSelector")
    if affinity := spec.get("affinity"):
        causes += _validate_affinity(affinity, f"{path}.affinity")
    if tolerations := spec.get("tolerations"):
        causes += validate_tolerations(tolerations, f"{path}.tolerations")
    if constraints := spec.get("topologySpreadConstraints"):
        causes += _validate_spread(constraints, f"{path}.topologySpreadConstraints")
    if gates := spec.get("schedulingGates"):
        causes += _validate_gates(gates, f"{path}.schedulingGates")
    return causes


def _validate_gates(gates: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name", "")
        causes += [invalid(f"{path}[{index}]", name, problem) for problem in qualified_name(name)]
        if name in seen:
            causes.append(duplicate(f"{path}[{index}]", name))
        seen.add(name)
    return causes


def _validate_affinity(affinity: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    if node := affinity.get("nodeAffinity"):
        own = f"{path}.nodeAffinity"
        if wanted := node.get("requiredDuringSchedulingIgnoredDuringExecution"):
            causes += validate_node_selector(wanted, f"{own}.requiredDuringSchedulingIgnoredDuringExecution")
        for index, term in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
            each = f"{own}.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
            causes += _weight(term, each) + _validate_node_term(term.get("preference") or {}, f"{each}.preference")
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


def _validate_node_term(term: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        own = f"{path}.matchExpressions[{index}]"
        causes += _validate_operator(expression, own)
        key = expression.get("key", "")
        causes += [invalid(f"{own}.key", key, problem) for problem in qualified_name(key)]
    for index, expression in enumerate(term.get("matchFields") or ()):
        own = f"{path}.matchFields[{index}]"
        if expression.get("operator") not in ("In", "NotIn"):
            causes.append(invalid(f"{own}.operator", expression.get("operator", ""), "not a valid selector operator"))
        elif len(expression.get("values") or ()) != 1:
            causes.append(required(f"{own}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
        if expression.get("key") != "metadata.name":
            causes.append(invalid(f"{own}.key", expression.get("key", ""), "not a valid field selector key"))
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
    for index, namespace in enumerate(term.get("namespaces") or ()):
        causes += check_key(f"{path}.namespaces[{index}]", namespace, dns1123_label)
    for field in ("matchLabelKeys", "mismatchLabelKeys"):
        if field in term:
            causes += check_label_keys(term, field, path, "exists in both matchLabelKeys/mismatchLabelKeys and labelSelector")
    mismatching = term.get("mismatchLabelKeys") or ()
    both = [(index, key) for index, key in enumerate(term.get("matchLabelKeys") or ()) if key in mismatching]
    causes += [
        invalid(f"{path}.matchLabelKeys[{index}]", key, "exists in both matchLabelKeys and mismatchLabelKeys") for index, key in both
    ]
    return causes + check_name(f"{path}.topologyKey", term.get("topologyKey"), qualified_name, detail="can not be empty")


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
        causes += [invalid(f"{path}.operator", value, problem) for problem in label_value(value)]
    elif operator == "Exists":
        if value:
            causes.append(invalid(f"{path}.operator", toleration, "value must be empty when `operator` is 'Exists'"))
    elif operator not in ("Lt", "Gt"):
        causes.append(not_supported(f"{path}.operator", operator, ("Equal", "Exists")))
    if effect and effect not in EFFECTS:
        causes.append(not_supported(f"{path}.effect", effect, EFFECTS))
    return causes


def _validate_spread(constraints: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, constraint in enumerate(constraints):
        own = f"{path}[{index}]"
        if constraint.get("maxSkew", 0) <= 0:
            causes.append(invalid(f"{own}.maxSkew", constraint.get("maxSkew", 0), "must be greater than zero"))
        key, unsatisfiable = constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")
        causes += check_name(f"{own}.topologyKey", key, qualified_name, detail="can not be empty")
        causes += check_choice(f"{own}.whenUnsatisfiable", unsatisfiable, ("DoNotSchedule", "ScheduleAnyway"))
        if (key, unsatisfiable) in seen:
            causes.append(duplicate(f"{own}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {unsatisfiable}}}"))
        seen.add((key, unsatisfiable))
        if "minDomains" in constraint:
            causes += _validate_min_domains(constraint, own)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            causes += check_choice(f"{own}.{field}", constraint.get(field), ("Honor", "Ignore"), optional=True)
        causes += validate_label_selector(constraint.get("labelSelector") or {}, f"{own}.labelSelector")
        if "matchLabelKeys" in constraint:
            causes += check_label_keys(constraint, "matchLabelKeys", own, "exists in both matchLabelKeys and labelSelector")
    return causes


def _validate_min_domains(constraint: Object, path: str) -> list[Cause]:
    value = constraint["minDomains"]
    causes = [] if value > 0 else [invalid(f"{path}.minDomains", value, "must be greater than zero")]
    if constraint.get("whenUnsatisfiable") != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {constraint.get('whenUnsatisfiable', '')}"
        causes.append(invalid(f"{path}.minDomains", value, detail))
    return causes
