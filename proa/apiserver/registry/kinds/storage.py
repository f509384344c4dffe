"""storage.k8s.io: classes of volumes and what CSI drivers publish about themselves, their nodes and what is free."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from proa.api.errors import Cause, duplicate, forbidden, invalid, required, too_long
from proa.api.labels import validate_label_selector
from proa.api.meta import Object
from proa.api.names import dns1123_subdomain, qualified_name
from proa.api.resource import StrategyContext
from proa.apiserver.registry.checks import check_amount, check_choice, check_driver_name, check_key, not_negative
from proa.apiserver.registry.kinds.persistent_volume import validate_volume_spec
from proa.apiserver.registry.kinds.plain import StatuslessStrategy
from proa.apiserver.registry.object_meta import immutable
from proa.apiserver.registry.pod_spec.node_labels import deprecated_label, term_warnings
from proa.apiserver.registry.strategy import KindStrategy

MAX_PARAMETERS, MAX_PARAMETERS_SIZE = 512, 256 * 1024
MAX_NODE_ID = 256
MAX_ATTACHMENT_METADATA, MAX_VOLUME_ERROR = 256 * 1024, 1024


class StorageClassStrategy(StatuslessStrategy):
    def fill(self, obj: Object) -> None:
        obj.setdefault("reclaimPolicy", "Delete")
        obj.setdefault("volumeBindingMode", "Immediate")

    def check(self, obj: Object) -> list[Cause]:
        causes = _validate_driver(obj.get("provisioner"), "provisioner") + _validate_parameters(obj.get("parameters") or {})
        causes += check_choice("reclaimPolicy", obj.get("reclaimPolicy"), ("Delete", "Retain"), optional=True)
        causes += check_choice("volumeBindingMode", obj.get("volumeBindingMode"), ("Immediate", "WaitForFirstConsumer"))
        return causes + _validate_topologies(obj.get("allowedTopologies") or [])

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        return [
            f"allowedTopologies[{index}].matchLabelExpressions[{number}].key: {message}"
            for index, term in enumerate(obj.get("allowedTopologies") or ())
            for number, expression in enumerate(term.get("matchLabelExpressions") or ())
            if (message := deprecated_label(expression.get("key") or ""))
        ]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return _unchanged(obj, old, ("parameters", "provisioner", "reclaimPolicy")) + immutable(
            "volumeBindingMode", obj.get("volumeBindingMode"), old.get("volumeBindingMode")
        )


class VolumeAttributesClassStrategy(StatuslessStrategy):
    def check(self, obj: Object) -> list[Cause]:
        parameters = obj.get("parameters") or {}
        causes = _validate_driver(obj.get("driverName"), "driverName") + _validate_parameters(parameters)
        return causes if parameters else [*causes, required("parameters", "must contain at least one key/value pair")]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return _unchanged(obj, old, ("driverName", "parameters")) + self.check(obj)


def _unchanged(obj: Object, old: Object, fields: tuple[str, ...]) -> list[Cause]:
    return [forbidden(field, f"updates to {field} are forbidden.") for field in fields if (obj.get(field) or {}) != (old.get(field) or {})]


def _validate_driver(name: str | None, path: str) -> list[Cause]:
    return [invalid(path, name.lower(), problem) for problem in qualified_name(name.lower())] if name else [required(path)]


def _validate_parameters(parameters: Mapping[str, str], path: str = "parameters") -> list[Cause]:
    if len(parameters) > MAX_PARAMETERS:
        return [too_long(path, MAX_PARAMETERS)]
    causes = [invalid(path, "", "field can not be empty.")] if "" in parameters else []
    if sum(len(key) + len(value) for key, value in parameters.items()) > MAX_PARAMETERS_SIZE:
        causes.append(too_long(path, MAX_PARAMETERS_SIZE))
    return causes


def _validate_topologies(terms: list[Object]) -> list[Cause]:
    """No two terms are alike. A term without expressions is one too many by itself, once for each term, which is upstream's way."""
    causes: list[Cause] = []
    earlier: list[dict[str, set[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        path = f"allowedTopologies[{index}].matchLabelExpressions"
        found: dict[str, set[str]] = {}
        for number, expression in enumerate(term.get("matchLabelExpressions") or ()):
            own, key, values = f"{path}[{number}]", expression.get("key") or "", expression.get("values") or []
            if not values:
                causes.append(required(f"{own}.values"))
            causes += [duplicate(f"{own}.values[{at}]", value) for at, value in enumerate(values) if value in values[:at]]
            causes += check_key(f"{own}.key", key, qualified_name)
            if key in found:
                causes.append(duplicate(f"{own}.key", key))
            found[key] = set(values)
        causes += [duplicate(path, "")] * earlier.count(found)
        earlier.append(found)
    return causes


class CsiDriverStrategy(StatuslessStrategy):
    tracks_generation = True
    first_generation = None

    def fill(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("attachRequired", True)
        for field in ("podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"):
            spec.setdefault(field, False)
        spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]

    def check(self, obj: Object) -> list[Cause]:
        spec = obj.get("spec") or {}
        causes = check_choice("spec.fsGroupPolicy", spec.get("fsGroupPolicy"), ("File", "None", "ReadWriteOnceWithFSType"), optional=True)
        causes += _validate_token_requests(spec.get("tokenRequests") or [])
        for mode in spec.get("volumeLifecycleModes") or ():
            causes += check_choice("spec.volumeLifecycleModes", mode, ("Persistent", "Ephemeral"), in_order=False)
        seconds = spec.get("nodeAllocatableUpdatePeriodSeconds")
        if seconds is not None and seconds < 10:
            causes.append(invalid("spec.nodeAllocatableUpdatePeriodSeconds", seconds, "must be greater than or equal to 10 seconds"))
        in_secrets = spec.get("serviceAccountTokenInSecrets")
        if in_secrets is not None and not spec.get("tokenRequests"):
            detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
            causes.append(invalid("spec.serviceAccountTokenInSecrets", in_secrets, detail))
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        new, former = obj["spec"], old["spec"]
        causes = self.check(obj) + immutable("spec.attachedRequired", new.get("attachRequired"), former.get("attachRequired"))
        return causes + immutable("spec.volumeLifecycleModes", new.get("volumeLifecycleModes"), former.get("volumeLifecycleModes"))


def _validate_token_requests(requests: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    audiences: set[str] = set()
    for index, request in enumerate(requests):
        path, audience, seconds = f"spec.tokenRequests[{index}]", request.get("audience") or "", request.get("expirationSeconds")
        if audience in audiences:
            causes.append(duplicate(f"{path}.audience", audience))
            continue
        audiences.add(audience)
        if seconds is not None and seconds < 600:
            causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
        if seconds is not None and seconds > 1 << 32:
            causes.append(invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"))
    return causes


class CsiNodeStrategy(StatuslessStrategy):
    """A driver's entry is fixed but for how many volumes the node takes; drivers come and go."""

    def check(self, obj: Object) -> list[Cause]:
        causes: list[Cause] = []
        names: set[str] = set()
        for index, driver in enumerate((obj.get("spec") or {}).get("drivers") or ()):
            causes += _validate_node_driver(driver, names, f"spec.drivers[{index}]")
        return causes

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        causes = self.check(obj)
        fresh = {each.get("name"): each for each in (obj.get("spec") or {}).get("drivers") or ()}
        for former in (old.get("spec") or {}).get("drivers") or ():
            if (new := fresh.get(former.get("name"))) is not None:
                causes += immutable("spec.drivers", _without_limits(new), _without_limits(former))
        return causes


def _without_limits(driver: Object) -> Object:
    return {key: value for key, value in driver.items() if key != "allocatable"}


def _validate_node_driver(driver: Object, names: set[str], path: str) -> list[Cause]:
    name, node, keys = driver.get("name") or "", driver.get("nodeID") or "", driver.get("topologyKeys") or []
    causes = check_driver_name(f"{path}.name", name)
    if not node:
        causes.append(required(f"{path}.nodeID"))
    elif len(node) > MAX_NODE_ID:
        causes.append(invalid(f"{path}.nodeID", node, f"must be {MAX_NODE_ID} characters or less"))
    causes += not_negative(f"{path}.allocatable.count", (driver.get("allocatable") or {}).get("count"))
    if name in names:
        causes.append(duplicate(f"{path}.name", name))
    names.add(name)
    for index, key in enumerate(keys):
        causes += [] if key else [required(path)]
        if key in keys[:index]:
            causes.append(duplicate(path, key))
        causes += check_key(path, key, qualified_name)
    return causes


class CsiStorageCapacityStrategy(StatuslessStrategy):
    def check(self, obj: Object) -> list[Cause]:
        causes = validate_label_selector(obj.get("nodeTopology"), "nodeTopology")
        causes += check_key("storageClassName", obj.get("storageClassName"), dns1123_subdomain)
        return causes + check_amount("capacity", obj["capacity"]) if obj.get("capacity") is not None else causes

    def warnings(self, obj: Object, old: Object | None) -> Sequence[str]:
        topology = obj.get("nodeTopology") or {}
        labels = topology.get("matchLabels") or {}
        found = term_warnings(topology, "nodeTopology")
        return found + [f"nodeTopology.matchLabels.{key}: {message}" for key in labels if (message := deprecated_label(key))]

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return [
            cause for field in ("nodeTopology", "storageClassName") for cause in immutable(field, obj.get(field), old.get(field))
        ]  # fmt: skip


class VolumeAttachmentStrategy(KindStrategy):
    """Somebody's wish to have a volume at a node: the spec is fixed, the attacher reports in status."""

    empty_status: ClassVar[Object | None] = {"attached": False}

    def prepare(self, obj: Object, context: StrategyContext) -> None:
        obj.setdefault("spec", {})

    def check(self, obj: Object) -> list[Cause]:
        """The driver is asked for first; what its name and that of the volume must look like came later, and is told last."""
        spec = obj.get("spec") or {}
        causes = _validate_attachment(spec) + check_driver_name("spec.attacher", spec.get("attacher"))
        name = (spec.get("source") or {}).get("persistentVolumeName")
        return causes if name is None else causes + check_key("spec.source.persistentVolumeName", name, dns1123_subdomain)

    def check_update(self, obj: Object, old: Object) -> list[Cause]:
        return _validate_attachment(obj["spec"]) + immutable("spec", obj.get("spec"), old.get("spec"))


def _validate_attachment(spec: Object) -> list[Cause]:
    causes = [] if spec.get("attacher") else [required("spec.attacher")]
    return causes + _validate_source(spec.get("source") or {}) + check_key("spec.nodeName", spec.get("nodeName"), dns1123_subdomain)


def _validate_source(source: Object) -> list[Cause]:
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if inline is None and name is None:
        return [required("spec.source", detail)]
    if inline is not None and name is not None:
        return [forbidden("spec.source", detail)]
    if inline is not None:
        return validate_volume_spec(inline, "spec.source.inlineVolumeSpec", inline=True)
    return [] if name else [required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")]


def check_attachment_status(obj: Object, old: Object) -> list[Cause]:
    status = obj.get("status") or {}
    causes: list[Cause] = []
    if sum(len(key) + len(value) for key, value in (status.get("attachmentMetadata") or {}).items()) > MAX_ATTACHMENT_METADATA:
        causes.append(too_long("status.attachmentMetadata", MAX_ATTACHMENT_METADATA))
    for field in ("attachError", "detachError"):
        error = status.get(field) or {}
        if len(error.get("message") or "") > MAX_VOLUME_ERROR:
            causes.append(too_long(f"status.{field}.message", MAX_ATTACHMENT_METADATA))
        if (error.get("errorCode") or 0) < 0:
            causes.append(invalid(f"status.{field}.errorCode", error["errorCode"], "must be between 0 and 2147483647, inclusive"))
    return causes
