"""Where the API server deviates from upstream on purpose or for want of something, for docs/api-support.md. Kept by hand."""

from collections.abc import Mapping

from proa.lib.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Deviation:
    where: str
    what: str
    why: str


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "CEL: schema rules, admission policies, match conditions",
        "an evaluation also ends after half a second of processor time, as if its cost limit was exceeded; costs and estimates follow "
        "upstream's rules, some functions are charged a little more or less",
        "one process answers all requests, so no expression may hold it",
    ),
    Deviation(
        "CEL: types",
        "moments are read to the nanosecond and used to the microsecond; the function library of images is not there",
        "parts of a moment come from Python's calendar; no field of the API that proa acts on takes image expressions",
    ),
    Deviation(
        "ValidatingAdmissionPolicy: status",
        "type checking runs in the API server, not in the controller manager",
        "the schemas are there",
    ),
    Deviation(
        "admission plugins",
        "ImagePolicyWebhook is not there; AlwaysAdmit and AlwaysDeny neither; NodeDeclaredFeatureValidator neither",
        "the first asks a protocol of its own that admission webhooks replace; the next are deprecated; no kubelet of proa declares any "
        "features",
    ),
    Deviation(
        "Pod Security",
        "the pods of a namespace whose labels change are looked at without a limit of time, up to upstream's 3000",
        "three thousand pods take a tenth of the second that upstream allows",
    ),
    Deviation(
        "NodeRestriction: PersistentVolumeClaim",
        "a kubelet that changes too much of a claim's status hears which fields it may change, without a Go diff",
        "there are no Go structures to compare",
    ),
    Deviation(
        "ResourceQuota: devices",
        "devices of claims count by their class (`CLASS.deviceclass.resource.k8s.io/devices` and "
        "`requests.deviceclass.resource.kubernetes.io/CLASS`), not by the extended resource that the class stands for",
        "no scheduler of proa makes claims for extended resources, so no name would be counted twice",
    ),
    Deviation(
        "lifecycle.k8s.io: Eviction",
        "status is checked field by field; which state may follow which of a responder is not",
        "the controller that drives responders is alpha and not part of proa",
    ),
    Deviation(
        "Pod: fields of features that are off upstream by default",
        "lifecycle.stopSignal, schedulingGroup, podCertificate volumes, tolerations with Lt and Gt are checked and kept, not dropped; "
        "statuses of image volumes, and amounts in nodeAllocatableResourceClaimStatuses, aren't checked",
        "there are no gates; the node agent acts on podCertificate volumes, the scheduler on tolerations, and what nobody acts on is told",
    ),
    Deviation(
        "Pod: causes",
        "a cause that upstream gives twice in an update is given once; where upstream prints a part in Go's own notation, or an error of a "
        "parser of Go's (tolerations in an annotation, pairs of addresses that don't parse), it is JSON or left out",
        "neither says more",
    ),
    Deviation(
        "updates of objects that break a rule already",
        "what the stored object has wrong never refuses a change; upstream lets some rules pass so, by name",
        "rules get stricter with releases of proa too",
    ),
    Deviation(
        "Pod, StatefulSet, PersistentVolumeClaim",
        "the message against a forbidden change names the fields that differ, not a Go diff of two structures",
        "there are no Go structures; which fields may change, and the reason, are upstream's",
    ),
    Deviation(
        "Node",
        "taints and preferAvoidPods in annotations (alpha until v1.6) are not judged, nor is spec.configSource",
        "nothing has read them for years",
    ),
    Deviation(
        "messages about structures",
        'show the value as the API has it (`{"type":"Slow"}`), not with Go\'s names of upstream\'s internal types',
        "there are no Go structures",
    ),
    Deviation(
        "updates that are refused",
        "each cause is told once; upstream checks metadata twice, and the spec of a DaemonSet, and repeats them in `details.causes`",
        "the message is the same, and clients leave the repetitions out",
    ),
    Deviation(
        "fields that hold IP addresses",
        "IPv4 addresses with leading zeros are refused, as upstream's strict validation does",
        "readers disagree on whether they are octal",
    ),
    Deviation(
        "tables (`kubectl get`)",
        "columns have upstream's names, types and cells, and descriptions of their own",
        "descriptions are shown by no client; a server's own are told by `kubectl explain`",
    ),
    Deviation(
        "ComponentStatus",
        "the server answers for its own store and for nothing else",
        "deprecated upstream since v1.19; scheduler and controllers have no ports that could be asked",
    ),
    Deviation(
        "StorageVersion, StorageVersionMigration",
        "are stored and validated, and nothing acts on them",
        "every object is stored in one version, so there is nothing to migrate",
    ),
    Deviation(
        "admission: metrics",
        "a plugin is counted where it has something to say about the kind; the summary beside the histogram of steps is not there, nor are "
        "the counts of match conditions and of Pod Security",
        "what a plugin was never asked costs nothing",
    ),
    Deviation(
        "priority and fairness: queues",
        "queues and their virtual time only move while some request waits; what runs when the first one has to wait is charged to its "
        "queues then. Debug tables show a request that runs as in no queue (-1) until then",
        "a request that finds a seat at once, which nearly all do, pays for no queue",
    ),
    Deviation(
        "priority and fairness: lists",
        "are estimated by the number of objects, not by their size",
        "the size of a list is not known before it is made; a seat for a hundred objects is what upstream took for years",
    ),
    Deviation(
        "priority and fairness: metrics",
        "priority_level_seat_utilization is there, priority_level_request_utilization and read_vs_write_current_requests are not; "
        "current_inflight_requests is what runs at the scrape, not the peak of the second before it",
        "what is read at the scrape costs requests nothing",
    ),
    Deviation(
        "FlowSchema",
        "the condition Dangling is written with the operation Update in managedFields, not Apply",
        "the server's own writes are patches; the manager's name is upstream's",
    ),
    Deviation(
        "request time-outs",
        "are looked at once a second; a GET of one object without parameters has none",
        "a timer for each request costs more than most requests; such a GET waits for nothing longer than three seconds",
    ),
    Deviation(
        "audit: objects of requests",
        "requestObject is what was sent, without the defaults of its version; a Scale that is patched is told as the patched Scale",
        "it is taken before the server changes anything",
    ),
    Deviation(
        "APIService: proxying",
        "requests go to ready endpoints, never to the ClusterIP, as with --enable-aggregator-routing upstream; over HTTP/1.1 only; "
        "bodies (up to 3 MiB) are read whole before they are passed on",
        "the control plane needs no rules of a node to reach a pod",
    ),
    Deviation(
        "APIService: local groups",
        "a group that is served here stays in discovery when its local APIService is deleted; the APIService comes back",
        "nothing else could serve it",
    ),
    Deviation(
        "Binding",
        "an invalid Binding is refused with 422",
        "upstream's handler answers 500, by its source without intention",
    ),
    Deviation(
        "Client certificates",
        "one of an unknown authority ends the TLS handshake instead of being answered with 401",
        "Python's ssl can't ask for a certificate without judging it",
    ),
    Deviation(
        "Authentication: bootstrap tokens",
        "are accepted by default",
        "as kubeadm sets it up, and proa is set up like that",
    ),
    Deviation(
        "Authentication: service-account tokens",
        "are not remembered for 10 s, so that a deleted pod or Secret ends its tokens at once",
        "the check is cheap here",
    ),
    Deviation(
        "Authentication: OIDC",
        "distributed claims are not followed; egress selectors are accepted and ignored",
        "not done yet; there is one way out of the control plane",
    ),
    Deviation(
        "Authorization",
        "ABAC is not there",
        "superseded by RBAC since v1.8",
    ),
    Deviation(
        "SelfSubjectRulesReview",
        "roles that are missing are not told in `evaluationError`",
        "not done yet; the rules themselves are complete",
    ),
    Deviation(
        "Watch over WebSocket",
        "no Origin header is needed; of several subprotocols the first one is taken",
        "clients that are no browsers send none",
    ),
    Deviation(
        "Accept",
        "`q=0` excludes a media type",
        "RFC 9110; upstream ranks it last",
    ),
    Deviation(
        "Preconditions",
        "`StorageError` messages name the key of proa's own store",
        "they would be made up otherwise",
    ),
    Deviation(
        "Protobuf",
        "alpha and beta kinds that older versions had and v1.37 hasn't (`--kubernetes-version`) have no protobuf form: "
        "they are served as JSON and CBOR",
        "the table of field numbers is made of the types of v1.36 and v1.37",
    ),
    Deviation(
        "CustomResourceDefinition",
        "messages show structured values as JSON, not as Go structures",
        "there are no Go structures",
    ),
    Deviation(
        "CustomResourceDefinition: patterns",
        "run in RE2, which accepts a group name that is used twice; Go refuses it",
        "RE2's dialect is Go's but for this",
    ),
    Deviation(
        "CustomResourceDefinition: conditions",
        "`NonStructuralSchema` is never set",
        "v1 refuses such schemas when they are written",
    ),
    Deviation(
        "Strict decoding",
        "duplicate and unknown fields are told in the document's order",
        "upstream tells duplicates first",
    ),
    Deviation(
        "Service, IPAddress",
        "both are written in one commit; an address that a stored Service has is taken even while its IPAddress is missing",
        "a creation costs one flush; what a crash leaves between the two is repaired before the first request is answered",
    ),
    Deviation(
        "Service: node ports",
        "no repair loop and none of its events",
        "the index of ports is made from the stored Services alone, so there is nothing that could be out of step with them",
    ),
    Deviation(
        "CertificateSigningRequest, ClusterTrustBundle, PodCertificateRequest",
        "faults of X.509 data are told in the parser's words; notBefore of a pod's certificate isn't compared with the server's clock",
        "another parser; validation has no clock",
    ),
    Deviation(
        "ServiceCIDR",
        "a configured range that the default ServiceCIDR doesn't have is told in the log, not by an event",
        "it is told once at the start of a server that nobody watches yet",
    ),
    Deviation(
        "HTTP",
        "a request with Transfer-Encoding and Content-Length is 400; upstream drops the length",
        "two lengths are how requests are smuggled past proxies",
    ),
    Deviation(
        "HTTP: documents that are nested deeply",
        "refused with 400 well short of upstream's 10,000 levels, a strategic merge patch at 500",
        "Python's own stack is the bound",
    ),
    Deviation(
        "YAML: `.inf` and `.nan`",
        "read as text; upstream refuses them",
        "JSON has no such numbers, and no field of the API takes the text for one",
    ),
    Deviation(
        "protobuf: texts that are no UTF-8",
        "refused with 400",
        "they could not be shown in JSON afterwards",
    ),
)

NOT_KINDS: Mapping[str, str] = {
    "APIGroup, APIResourceList, Status, WatchEvent and the options of requests": "documents and parameters, not resources",
}
