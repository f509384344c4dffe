"""What a question gets: a pure decision over the index. None means that the question is not ours and goes to an upstream server."""

import ipaddress

from proa.dns.message import AAAA, CNAME, INTERNET, NAME_ERROR, NS, SOA, SRV, TXT, A, Answer, Query, Record
from proa.dns.records import TTL, Index

SPECIFICATION_VERSION = "1.1.0"
LONGEST_CHAIN = 8


def answer(query: Query, index: Index) -> Answer | None:
    """The answer for a name in the cluster's zone or for a reverse name that we know."""
    if query.klass != INTERNET:
        return None
    if not is_in_zone(query.name, index.zone):
        known = index.records.get(query.name)
        return _of(query, known, index) if known else None
    known = index.records.get(query.name)
    if known is None:
        known = _synthesised(query.name, index)
    if known is None:
        return Answer(NAME_ERROR, authority=(_soa(index.zone),))
    return _of(query, known, index)


def is_in_zone(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _of(query: Query, known: dict[int, tuple[Record, ...]], index: Index) -> Answer:
    if found := known.get(query.type):
        return Answer(records=found, additional=_targets(found, index) if query.type == SRV else ())
    if alias := known.get(CNAME):
        return Answer(records=_follow(query, alias, index))
    return Answer(authority=(_soa(index.zone),))


def _follow(query: Query, alias: tuple[Record, ...], index: Index) -> list[Record]:
    """The chain of aliases as far as it stays in the cluster; what it leads to outside is for the caller to ask."""
    chain = list(alias)
    for _ in range(LONGEST_CHAIN):
        known = index.records.get(str(chain[-1].data), {})
        if found := known.get(query.type):
            return [*chain, *found]
        if CNAME not in known:
            break
        chain += known[CNAME]
    return chain


def outside_target(found: Answer, query: Query, zone: str) -> str:
    """The name outside of the cluster that an answer's chain ends at, "" if it is complete."""
    last = found.records[-1] if found.records else None
    if last is None or last.type != CNAME or query.type not in (A, AAAA):
        return ""
    target = str(last.data)
    return "" if is_in_zone(target, zone) else target


def _targets(records: tuple[Record, ...], index: Index) -> list[Record]:
    """Addresses of SRV targets, so that a client need not ask again."""
    names = dict.fromkeys(record.data[3] for record in records if isinstance(record.data, tuple) and len(record.data) == 4)
    return [address for name in names for kind in (A, AAAA) for address in index.records.get(name, {}).get(kind, ())]


def _synthesised(name: str, index: Index) -> dict[int, tuple[Record, ...]] | None:
    """Names that exist without a Service: the zone, its parts, the version, and pods by their dashed address."""
    zone = index.zone
    if name == zone:
        return {SOA: (_soa(zone),), NS: (Record(zone, NS, f"ns.dns.{zone}", TTL),)}
    if name == f"dns-version.{zone}":
        return {TXT: (Record(name, TXT, SPECIFICATION_VERSION, TTL),)}
    parts = name.removesuffix(f".{zone}").split(".")
    if parts[-1] not in ("svc", "pod"):
        return None
    if len(parts) == 1 or (len(parts) == 2 and parts[0] in index.namespaces):
        return {}
    if parts[-1] == "pod" and len(parts) == 3 and parts[1] in index.namespaces:
        return _pod(name, parts[0])
    is_protocol = parts[0] in ("_tcp", "_udp", "_sctp") and name.partition(".")[2] in index.records
    return {} if is_protocol else None


def _pod(name: str, dashed: str) -> dict[int, tuple[Record, ...]] | None:
    for text, kind in ((dashed.replace("-", "."), A), (dashed.replace("-", ":"), AAAA)):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        return {kind: (Record(name, kind, str(address), TTL),)}
    return None


def _soa(zone: str) -> Record:
    return Record(zone, SOA, (f"ns.dns.{zone}", f"hostmaster.{zone}", 1, 7200, 1800, 86400, TTL), TTL)
