"""Rows of nodes, namespaces, events, configuration, quotas, leases and the rest of what belongs to the cluster itself."""

from typing import Any

from proa.api.meta import Object, condition, labels
from proa.api.resource import Column
from proa.apiserver.columns.cells import AGE, NAME, NONE, UNSET, Cell, abbreviated, at, column, count, field, joined, number
from proa.apiserver.columns.duration import human_duration, since

_ROLE_PREFIX, _ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


def _node_status(obj: Object, now: float) -> str:
    ready = condition(obj, "Ready")
    words = ["Unknown"] if ready is None else ["Ready" if ready.get("status") == "True" else "NotReady"]
    return joined([*words, "SchedulingDisabled"] if at(obj, "spec", "unschedulable") else words)


def _node_roles(obj: Object, now: float) -> str:
    own = labels(obj)
    roles = {key.removeprefix(_ROLE_PREFIX) for key in own if key.startswith(_ROLE_PREFIX)}
    return joined(sorted((roles | {own.get(_ROLE_LABEL, "")}) - {""})) or NONE


def _node_address(type_: str) -> Cell:
    def cell(obj: Object, now: float) -> str:
        return next((each.get("address", "") for each in at(obj, "status", "addresses") or () if each.get("type") == type_), NONE)

    return cell


def _node_info(key: str) -> Cell:
    return field("status", "nodeInfo", key, default="<unknown>")


NODES: tuple[Column, ...] = (
    NAME,
    column("Status", _node_status, "Whether the node is ready, and whether pods may be scheduled to it."),
    column("Roles", _node_roles, "What the node is labelled as."),
    AGE,
    column("Version", field("status", "nodeInfo", "kubeletVersion"), "The version of its agent."),
    column("Internal-IP", _node_address("InternalIP"), "Its address inside the cluster.", wide=True),
    column("External-IP", _node_address("ExternalIP"), "Its address from outside.", wide=True),
    column("OS-Image", _node_info("osImage"), "Its operating system.", wide=True),
    column("Kernel-Version", _node_info("kernelVersion"), "Its kernel.", wide=True),
    column("Container-Runtime", _node_info("containerRuntimeVersion"), "Its container runtime.", wide=True),
)

NAMESPACES: tuple[Column, ...] = (NAME, column("Status", field("status", "phase"), "Active or Terminating."), AGE)


def _involved(obj: Object) -> Object:
    return obj.get("involvedObject") or obj.get("regarding") or {}


def _first_seen(obj: Object, now: float) -> str:
    return since(obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime"), now)


def _last_seen(obj: Object, now: float) -> str:
    if obj.get("series"):
        return since(at(obj, "series", "lastObservedTime"), now)
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    return since(last, now) if last else _first_seen(obj, now)


def _event_count(obj: Object, now: float) -> int:
    if obj.get("series"):
        return at(obj, "series", "count") or 0
    return obj.get("count") or obj.get("deprecatedCount") or 1


def _event_object(obj: Object, now: float) -> str:
    involved = _involved(obj)
    kind = involved.get("kind", "").lower()
    return f"{kind}/{involved['name']}" if involved.get("name") else kind


def _event_source(obj: Object, now: float) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


EVENTS: tuple[Column, ...] = (
    column("Last Seen", _last_seen, "When it last happened."),
    column("Type", field("type"), "Normal or Warning."),
    column("Reason", field("reason"), "What happened, in a word."),
    column("Object", _event_object, "What it happened to."),
    column("Subobject", lambda obj, now: _involved(obj).get("fieldPath", ""), "Which part of it.", wide=True),
    column("Source", _event_source, "Who says so.", wide=True),
    column("Message", lambda obj, now: (obj.get("message") or obj.get("note") or "").strip(), "What happened."),
    column("First Seen", _first_seen, "When it first happened.", wide=True),
    column("Count", _event_count, "How often it happened.", wide=True),
    column("Name", field("metadata", "name"), "The event's own name.", wide=True, format="name"),
)

CONFIG_MAPS: tuple[Column, ...] = (
    NAME,
    column("Data", lambda obj, now: len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), "How many keys it has."),
    AGE,
)
SECRETS: tuple[Column, ...] = (
    NAME,
    column("Type", field("type"), "What it is for."),
    column("Data", count("data"), "How many keys it has."),
    AGE,
)
SERVICE_ACCOUNTS: tuple[Column, ...] = (NAME, column("Secrets", count("secrets"), "How many secrets it may use."), AGE)


def _quota(limits: bool) -> Cell:
    def cell(obj: Object, now: float) -> str:
        hard, used = at(obj, "status", "hard") or {}, at(obj, "status", "used") or {}
        chosen = sorted(name for name in hard if name.startswith("limits.") == limits)
        return joined((f"{name}: {used.get(name, '0')}/{hard[name]}" for name in chosen), ", ")

    return cell


RESOURCE_QUOTAS: tuple[Column, ...] = (
    NAME,
    column("Request", _quota(False), "What is used of each quota on requests and objects."),
    column("Limit", _quota(True), "What is used of each quota on limits."),
    AGE,
)


def _component(key: str) -> Cell:
    def cell(obj: Object, now: float) -> Any:
        healthy = next((each for each in obj.get("conditions") or () if each.get("type") == "Healthy"), None)
        if key != "status":
            return (healthy or {}).get(key, "")
        return "Unknown" if healthy is None else "Healthy" if healthy.get("status") == "True" else "Unhealthy"

    return cell


COMPONENT_STATUSES: tuple[Column, ...] = (
    NAME,
    column("Status", _component("status"), "Whether the component is healthy."),
    column("Message", _component("message"), "What it says."),
    column("Error", _component("error"), "What is wrong with it."),
)

LEASES: tuple[Column, ...] = (NAME, column("Holder", field("spec", "holderIdentity"), "Who holds it."), AGE)
LEASE_CANDIDATES: tuple[Column, ...] = (
    NAME,
    column("LeaseName", field("spec", "leaseName"), "The lease it stands for."),
    column("BinaryVersion", field("spec", "binaryVersion"), "The candidate's version."),
    column("EmulationVersion", field("spec", "emulationVersion"), "The version it emulates."),
    AGE,
)

PRIORITY_CLASSES: tuple[Column, ...] = (
    NAME,
    column("Value", number("value"), "The priority of its pods.", type="integer"),
    column("Global-Default", field("globalDefault", default=False), "Whether pods without a class get it.", type="boolean"),
    AGE,
    column("PreemptionPolicy", field("preemptionPolicy"), "Whether its pods may preempt others."),
)
RUNTIME_CLASSES: tuple[Column, ...] = (NAME, column("Handler", field("handler"), "The runtime's configuration."), AGE)


def _requested_duration(obj: Object, now: float) -> str:
    seconds = at(obj, "spec", "expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _request_condition(obj: Object, now: float) -> str:
    types = {each.get("type") for each in at(obj, "status", "conditions") or ()}
    words = ["Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"]
    words += ["Failed"] if "Failed" in types else []
    return joined([*words, "Issued"] if at(obj, "status", "certificate") else words)


_SIGNER = column("SignerName", field("spec", "signerName", default=NONE), "Who is to sign.")
CERTIFICATE_SIGNING_REQUESTS: tuple[Column, ...] = (
    NAME,
    AGE,
    _SIGNER,
    column("Requestor", field("spec", "username"), "Who asked."),
    column("RequestedDuration", _requested_duration, "How long it should be valid."),
    column("Condition", _request_condition, "How far it got."),
)
CLUSTER_TRUST_BUNDLES: tuple[Column, ...] = (NAME, _SIGNER)

FLOW_SCHEMAS: tuple[Column, ...] = (
    NAME,
    column("PriorityLevel", field("spec", "priorityLevelConfiguration", "name"), "The level its requests run at."),
    column("MatchingPrecedence", number("spec", "matchingPrecedence"), "Which schema is asked first."),
    column("DistinguisherMethod", field("spec", "distinguisherMethod", "type", default=NONE), "What tells flows apart."),
    AGE,
    column("MissingPL", lambda obj, now: (condition(obj, "Dangling") or {}).get("status", "?"), "Whether the level is missing."),
)


def _queuing(key: str) -> Cell:
    return field("spec", "limited", "limitResponse", "queuing", key, default=NONE)


PRIORITY_LEVEL_CONFIGURATIONS: tuple[Column, ...] = (
    NAME,
    column("Type", field("spec", "type"), "Exempt or Limited."),
    column("NominalConcurrencyShares", field("spec", "limited", "nominalConcurrencyShares", default=NONE), "Its share."),
    column("Queues", _queuing("queues"), "How many queues it has."),
    column("HandSize", _queuing("handSize"), "How many queues a flow may use."),
    column("QueueLengthLimit", _queuing("queueLengthLimit"), "How long a queue may be."),
    AGE,
)


def _storage_versions(obj: Object, now: float) -> str:
    versions = at(obj, "status", "storageVersions") or ()
    return abbreviated([f"{each.get('apiServerID', '')}={each.get('encodingVersion', '')}" for each in versions], 3)


STORAGE_VERSIONS: tuple[Column, ...] = (
    NAME,
    column("CommonEncodingVersion", field("status", "commonEncodingVersion", default=UNSET), "What all servers write."),
    column("StorageVersions", _storage_versions, "What each server writes."),
    AGE,
)


def _migrated(obj: Object, now: float) -> str:
    resource = at(obj, "spec", "resource") or {}
    return joined((resource.get(key, "") for key in ("resource", "version", "group")), ".")


STORAGE_VERSION_MIGRATIONS: tuple[Column, ...] = (
    column("Name", field("metadata", "name"), "The migration's name."),
    column("Resource", _migrated, "What is migrated."),
)


def _service_of(obj: Object, now: float) -> str:
    service = at(obj, "spec", "service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def _available(obj: Object, now: float) -> str:
    found = condition(obj, "Available")
    if found is None:
        return "Unknown"
    return "True" if found.get("status") == "True" else f"{found.get('status')} ({found.get('reason', '')})"


API_SERVICES: tuple[Column, ...] = (
    NAME,
    column("Service", _service_of, "The Service that serves the group, or Local."),
    column("Available", _available, "Whether it answers."),
    AGE,
)
