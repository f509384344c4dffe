"""A ruleset as text for nft: the whole table in one transaction, or a delta. Both are made of the same elements."""

from collections.abc import Iterable, Iterator, Mapping, Set

from proa.lib.dataclass import dataclass
from proa.proxy.nftables.elements import HAIRPIN, Elements, Pick, elements, hairpin_key, picks
from proa.proxy.nftables.family import Family
from proa.proxy.nftables.skeleton import KEPT, NODE_ADDRESSES, Surroundings, base_chains, declarations, pick_rules
from proa.proxy.rules import Frontend, Rule, Ruleset, ServiceKey

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Delta:
    """What to do to the kernel's elements, and the chains that the added ones lead to."""

    removed: Elements
    added: Elements
    picks: frozenset[Pick]

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


def compile_whole(ruleset: Ruleset, family: Family, around: Surroundings, *, afresh: bool = False) -> str:
    """Text that makes the table what the ruleset says, whatever it was. `afresh` drops it first, affinity with it."""
    lines = [f"add table {family.table}"]
    if afresh:
        lines += [f"delete table {family.table}", f"add table {family.table}"]
    names = []
    for kind, name, specification in declarations(family):
        lines.append(f"add {kind} {family.table} {name} {{ {specification} }}")
        if name not in KEPT:
            names.append(f"flush {kind} {family.table} {name}")
    chains = list(base_chains(family, around))
    lines += [f"add chain {family.table} {name} {{ {hook} }}" if hook else f"add chain {family.table} {name}" for name, hook, _ in chains]
    lines += [f"flush table {family.table}", *names]
    lines += [f"add rule {family.table} {name} {rule}" for name, _, rules in chains for rule in rules]
    lines += _pick_chains(family, all_picks(ruleset))
    lines += _changes("add", family, whole_elements(ruleset, family, around))
    return "\n".join(lines) + "\n"


def compile_delta(delta: Delta, family: Family, installed: Set[Pick]) -> str:
    """Text for the delta; chains that are `installed` are not made again."""
    removed = dict.fromkeys(delta.removed, "")
    lines = [
        *_pick_chains(family, delta.picks - installed),
        *_changes("delete", family, removed),
        *_changes("add", family, delta.added),
    ]
    return "\n".join(lines) + "\n"


def diff(old: Ruleset, new: Ruleset, around: Surroundings, services: Iterable[ServiceKey] | None = None) -> Delta:
    """From `old` to `new`; `services`, where given, are the only ones that differ."""
    keys = {*old.services, *new.services} if services is None else set(services)
    removed: Elements = {}
    added: Elements = {}
    needed: set[Pick] = set()
    for frontend in _concerned(keys, old, new):
        before, after = old.rule(frontend), new.rule(frontend)
        if before != after:
            _compare(_of(frontend, before, around), _of(frontend, after, around), removed, added)
            needed.update(picks(frontend, after) if after else ())
    ips = {ip for ruleset in (old, new) for key in keys if key in ruleset.services for ip in ruleset.services[key].local_ips}
    before_ips = {(HAIRPIN, hairpin_key(ip)): "" for ip in ips if ip in old.hairpin}
    _compare(before_ips, {(HAIRPIN, hairpin_key(ip)): "" for ip in ips if ip in new.hairpin}, removed, added)
    return Delta(removed, added, frozenset(needed))


def whole_elements(ruleset: Ruleset, family: Family, around: Surroundings) -> Elements:
    """Every element that a whole load puts in."""
    found: Elements = {(NODE_ADDRESSES, address): "" for address in around.node_addresses}
    if family.protocol == "ip":
        found[NODE_ADDRESSES, LOOPBACK] = ""
    for ip in ruleset.hairpin:
        found[HAIRPIN, hairpin_key(ip)] = ""
    for frontend, rule in ruleset.rules():
        found |= _of(frontend, rule, around)
    return found


def all_picks(ruleset: Ruleset) -> frozenset[Pick]:
    return frozenset(pick for frontend, rule in ruleset.rules() for pick in picks(frontend, rule))


def _of(frontend: Frontend, rule: Rule | None, around: Surroundings) -> Elements:
    if rule is None:
        return {}
    return {(name, key): value for name, key, value in elements(frontend, rule, around.in_service_network(frontend.address))}


def _concerned(keys: Iterable[ServiceKey], *rulesets: Ruleset) -> set[Frontend]:
    return {frontend for key in keys for each in rulesets if key in each.services for frontend in each.services[key].frontends}


def _compare(before: Elements, after: Elements, removed: Elements, added: Elements) -> None:
    """An element with another value leaves and comes again, in one transaction: nft has no way to change it in place."""
    removed.update(item for item in before.items() if after.get(item[0]) != item[1])
    added.update(item for item in after.items() if before.get(item[0]) != item[1])


def _pick_chains(family: Family, needed: Iterable[Pick]) -> Iterator[str]:
    """A chain that a former load left behind may have rules: empty it first."""
    for pick in sorted(needed):
        chain = f"{family.table} {pick.chain}"
        yield f"add chain {chain}"
        yield f"flush chain {chain}"
        yield from (f"add rule {chain} {rule}" for rule in pick_rules(family, pick))


def _changes(verb: str, family: Family, changed: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """One element a line, so that nft's errors name it."""
    by_map: dict[str, list[str]] = {}
    for (name, key), value in changed.items():
        by_map.setdefault(name, []).append(f"{key} : {value}" if value else key)
    for name, listed in by_map.items():
        yield f"{verb} element {family.table} {name} {{\n" + ",\n".join(listed) + "\n}"
