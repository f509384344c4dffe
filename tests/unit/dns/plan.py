"""The cluster that the DNS tests ask about.

default/web        10.96.0.20  http 80/TCP, metrics 9090/UDP        kube-system/kube-dns 10.96.0.10
default/db         headless: db-0 10.244.0.5, 10.244.1.6 ready, 10.244.1.7 not ready; port sql 5432
default/outside    ExternalName example.com                         default/inside ExternalName web.default.svc.cluster.local
"""

from proa.api.meta import Object
from proa.dns.message import A, Query, encode_name
from proa.dns.records import Index, service_records

ZONE = "cluster.local"


def service(name: str, spec: Object, namespace: str = "default") -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


WEB = service(
    "web",
    {"clusterIP": "10.96.0.20", "ports": [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090, "protocol": "UDP"}]},
)
DB = service("db", {"clusterIP": "None", "ports": [{"name": "sql", "port": 5432}]})
OUTSIDE = service("outside", {"type": "ExternalName", "externalName": "Example.com."})
INSIDE = service("inside", {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"})
DB_SLICE: Object = {
    "metadata": {"name": "db-x", "namespace": "default", "labels": {"kubernetes.io/service-name": "db"}},
    "endpoints": [
        {"addresses": ["10.244.0.5"], "hostname": "db-0", "conditions": {"ready": True}},
        {"addresses": ["10.244.1.6"], "conditions": {}},
        {"addresses": ["10.244.1.7"], "conditions": {"ready": False}},
    ],
    "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}],
}


def index() -> Index:
    made = Index(ZONE, namespaces={"default", "kube-system", "empty"})
    for each in (WEB, DB, OUTSIDE, INSIDE):
        made.put(("default", each["metadata"]["name"]), service_records(each, [DB_SLICE] if each is DB else [], ZONE))
    return made


def query(name: str, kind: int = A) -> Query:
    question = encode_name(name) + kind.to_bytes(2, "big") + b"\0\1"
    return Query(7, True, name.lower(), kind, 1, question)
